#include "libs/app/config.h"

#include "libs/rpc/config.h"

namespace bdcsync::app {

void DeclareConfig(config::Schema& schema, DefaultPorts ports) {
  schema.Add(kDataDir);
  schema.Add(kListenAddress);
  config::Int grpc_port = kGrpcPort;
  grpc_port.default_value = ports.grpc;
  schema.Add(grpc_port);
  config::Int http_port = kHttpPort;
  http_port.default_value = ports.http;
  schema.Add(http_port);
  schema.Add(kHttpTlsCertFile);
  schema.Add(kHttpTlsKeyFile);
  schema.Add(kHttpTlsClientCaFile);
  schema.Add(kStorageUrl);
  schema.Add(kBusUrl);
  schema.Add(kBusChannelPrefix);
  rpc::DeclareConfig(schema);
  schema.Add(kLogLevel);
  schema.Add(kLogFormat);
  schema.Add(kEnableMetrics);
  schema.Add(kDrainTimeout);
  schema.Add(kWorkerThreads);
  schema.Add(kWorkerQueueMax);
}

}  // namespace bdcsync::app
