// Ways to the other services: within the process where the service is hosted in it, over TCP
// (optionally TLS, with files that may be replaced) everywhere else; who calls does not see which.
// A lost service is looked for again within seconds; whether a call waits for it is the caller's
// choice. AddInProcess before anybody calls Get; Get is thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/config/values.h"
#include "libs/rpc/peer.h"
#include "libs/rpc/stream_address.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace bdcsync::rpc {

class HungPeers;
class SocketLoops;

struct ChannelOptions {
  std::map<std::string, std::vector<std::string>> addresses;  // By service, e.g. "event-store".
  int64_t max_message_bytes = 16 << 20;
  absl::Duration keepalive_interval = absl::Seconds(20);
  absl::Duration keepalive_timeout = absl::Seconds(10);
  absl::Duration reconnect_backoff_max = absl::Seconds(2);
  // Of what DialPeer makes: a peer that has calls to answer and gives no sign of life for so long
  // hangs. Infinite: it may.
  absl::Duration hung_after = absl::InfiniteDuration();
  StreamReuse stream_reuse;
  std::string tls_ca_file;  // Empty: no TLS.
  std::string tls_cert_file;
  std::string tls_key_file;
  absl::Duration tls_reload_interval = absl::Minutes(1);  // Whole seconds, at least one.
  // For calls on streams (call_streams.h), borrowed until all clients are gone. Null: such calls
  // are made like all others; so they are with TLS.
  SocketLoops* loops = nullptr;
  HungPeers* hung_peers = nullptr;  // Borrowed in the same way. Null: nobody is told.
};
ChannelOptions ChannelOptionsFrom(const config::Values& values);

// One channel to `address` (host:port, or any gRPC target such as dns:///name:port) under the same
// options; for clients and tests. INVALID_ARGUMENT: a TLS file cannot be read.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Dial(const std::string& address,
                                                    const ChannelOptions& options);

// The same with what it takes to call on streams.
absl::StatusOr<Peer> DialPeer(const std::string& address, const ChannelOptions& options);

class Channels {
 public:
  explicit Channels(ChannelOptions options);
  ~Channels();

  // `service` is hosted in this process and reached as `peer` alone.
  void AddInProcess(absl::string_view service, Peer peer);
  // One for each replica of `service`, in the order of the configuration, always the same
  // ones. At least one. NOT_FOUND: no address is known; INVALID_ARGUMENT: a TLS file is wrong.
  absl::StatusOr<std::vector<Peer>> Get(absl::string_view service);

 private:
  const ChannelOptions options_;
  absl::Mutex mutex_;
  std::map<std::string, std::vector<Peer>, std::less<>> peers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::rpc
