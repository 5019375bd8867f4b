// A listener whose process has no file descriptor left.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <thread>
#include <vector>

#include "libs/log/capture.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/websocket/server.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace {

constexpr double kFailures = 3;

// No further descriptor, while it lives.
class NoFreeDescriptor {
 public:
  NoFreeDescriptor() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFreeDescriptor() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(Accept, WithoutAFreeDescriptorItTriesAgainAndSaysSoOnce) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UndefinedBehaviorSanitizer opens a pipe where it meets a class anew";
#endif
  const SystemClock clock;
  metrics::Registry registry;
  TransportMetrics metrics(registry);
  log::CapturedLog log;
  ASSERT_OK_AND_ASSIGN(const auto server,
                       MakeWebSocketServer(ServerOptions(), clock, metrics, log.logger()));
  ASSERT_OK(server->Start({[](Connection&) { return nullptr; }}));
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  {
    const NoFreeDescriptor none;
    ASSERT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    while (metrics.accept_failures.value() < kFailures) std::this_thread::yield();
  }
  while (metrics.accepted.value() < 1) std::this_thread::yield();
  EXPECT_EQ(log.lines().size(), 1u);
  EXPECT_NE(log.lines().front().find("\"message\":\"accept failed\""), std::string::npos);
  close(client);
  server->Drain(clock.Now());
}

}  // namespace
}  // namespace bdcsync::gateway
