// A Redis server for tests: the one that BDC_SYNC_TEST_REDIS names, or a private one on a free port
// that a test may kill, stop and start again. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bdcsync::testing {

// The URL of the server at BDC_SYNC_TEST_REDIS (host:port); empty when that is not set. The server
// is shared: use channels that no other test uses.
std::string SharedRedisUrl();

class RedisServer {
 public:
  // Starts redis-server without persistence; OK when it accepts connections.
  static absl::StatusOr<std::unique_ptr<RedisServer>> Start();
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // redis://127.0.0.1:port; the same after a restart.
  std::string url() const;

  // Ends the server at once, as a crash would.
  void Kill();
  // Starts it again on the same port after Kill.
  absl::Status Restart();
  // Freezes the server: it keeps its connections and answers nothing. Resume ends this.
  void Freeze();
  void Resume();
  // Runs one command on a connection of its own and returns its answer as text.
  absl::StatusOr<std::string> Command(const std::vector<std::string>& words) const;

 private:
  explicit RedisServer(int port) : port_(port) {}
  absl::Status Spawn();

  const int port_;
  pid_t process_ = 0;
};

}  // namespace bdcsync::testing
