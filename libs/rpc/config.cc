#include "libs/rpc/config.h"

namespace bdcsync::rpc {

void DeclareConfig(config::Schema& schema) {
  schema.Add(kMaxMessageBytes);
  schema.Add(kMaxConcurrentStreams);
  schema.Add(kKeepaliveInterval);
  schema.Add(kKeepaliveTimeout);
  schema.Add(kReconnectBackoffMax);
  schema.Add(kStreams);
  schema.Add(kStreamsOpenMax);
  schema.Add(kStreamsFreeMax);
  schema.Add(kStreamAgeMax);
  schema.Add(kSilenceMax);
  schema.Add(kSilentMax);
  schema.Add(kTlsCertFile);
  schema.Add(kTlsKeyFile);
  schema.Add(kTlsClientCaFile);
  schema.Add(kEventStoreAddresses);
  schema.Add(kVersionAddresses);
  schema.Add(kConflictAddresses);
  schema.Add(kDeviceSyncAddresses);
  schema.Add(kServicesTlsCaFile);
  schema.Add(kServicesTlsCertFile);
  schema.Add(kServicesTlsKeyFile);
  schema.Add(kTlsReloadInterval);
}

}  // namespace bdcsync::rpc
