// Peers that hang: their calls end soon, others are not made, and it ends when they are back; and
// who does not hang.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/log/capture.h"
#include "libs/rpc/calls_for_test.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/client.h"
#include "libs/rpc/hung_peers.h"
#include "libs/rpc/hung_peers_for_test.h"
#include "libs/rpc/server.h"
#include "libs/rpc/socket_loops.h"
#include "libs/rpc/streamed_method.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::HasSubstr;
using Answer = absl::StatusOr<ReadHeadsResponse>;

constexpr absl::Duration kHungAfter = absl::Milliseconds(90);
constexpr absl::Duration kLong = absl::Minutes(5);

class HungPeerTest : public ::testing::Test {
 protected:
  HungPeerTest() {
    ServerOptions options;
    options.loops = &server_loops_;
    server_ = std::make_unique<Server>(std::move(options), server_metrics_);
    server_->AddService(&service_);
    ServeOnStreams<EventStoreService>(*server_, &FakeService::ReadHeads);
    EXPECT_OK(server_->Start());
    Connect(server_->port());
  }
  ~HungPeerTest() override { client_ = nullptr; }

  void Connect(int port) {
    ChannelOptions options{.hung_after = kHungAfter};
    options.loops = &loops_;
    options.hung_peers = &hung_peers_;
    const auto peer = DialPeer(absl::StrCat("127.0.0.1:", port), options);
    ASSERT_OK(peer);
    client_ = std::make_unique<Client<EventStoreService>>(*peer);
  }
  void Start(Done<ReadHeadsResponse> done, absl::Duration timeout = kLong) {
    client_->Start(kReadHeads, ReadHeadsRequest(), {.timeout = timeout}, std::move(done));
  }
  Answer Call(absl::Duration timeout = kLong) {
    Answer answer;
    absl::Notification answered;
    Start(
        [&](Answer got) {
          answer = std::move(got);
          answered.Notify();
        },
        timeout);
    answered.WaitForNotification();
    return answer;
  }
  bool MetricIs(const std::string& line) const {
    return absl::StrContains(metrics_.Render(), absl::StrCat("\n", line, "\n"));
  }
  void AwaitMetric(const std::string& line) {
    while (!MetricIs(line)) std::this_thread::yield();
  }

  SocketLoops server_loops_;
  SocketLoops loops_;
  metrics::Registry server_metrics_;
  metrics::Registry metrics_;
  log::CapturedLog log_;
  HungPeers hung_peers_{metrics_, log_.logger()};
  FakeService service_;
  Shelf shelf_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client<EventStoreService>> client_;
};

TEST_F(HungPeerTest, CallsOfOneThatNeverGreetedAreUnavailable) {
  const Freeze frozen(server_loops_);
  EXPECT_THAT(Call(), HasReason(Reason::kUnavailable));
  EXPECT_TRUE(MetricIs("bdcsync_grpc_hung_peers 1"));
  for (int i = 0; i < 100; ++i) EXPECT_THAT(Call(), HasReason(Reason::kUnavailable));
  EXPECT_TRUE(MetricIs("bdcsync_grpc_hangs_total 1"));
}

TEST_F(HungPeerTest, CallsOnAStreamThatWorkedAreUnavailable) {
  EXPECT_OK(Call());
  const Freeze frozen(server_loops_);
  EXPECT_THAT(Call(), HasReason(Reason::kUnavailable));
}

TEST_F(HungPeerTest, IsCalledAgainWhenItGoesOn) {
  {
    const Freeze frozen(server_loops_);
    EXPECT_THAT(Call(), HasReason(Reason::kUnavailable));
  }
  AwaitMetric("bdcsync_grpc_hung_peers 0");
  EXPECT_OK(Call());
  EXPECT_TRUE(MetricIs("bdcsync_grpc_hangs_total 1"));
}

TEST_F(HungPeerTest, IsNotHungAnyMoreWhenItDies) {
  DeafPeer peer;
  Connect(peer.port());
  EXPECT_THAT(Call(), HasReason(Reason::kUnavailable));
  EXPECT_TRUE(MetricIs("bdcsync_grpc_hung_peers 1"));
  peer.Die();
  AwaitMetric("bdcsync_grpc_hung_peers 0");
  EXPECT_THAT(Call(), HasReason(Reason::kUnavailable));
  EXPECT_TRUE(MetricIs("bdcsync_grpc_hangs_total 1"));
}

TEST_F(HungPeerTest, IsNotCalledAgainByWhoStops) {
  const DeafPeer peer;
  Connect(peer.port());
  EXPECT_THAT(Call(), HasReason(Reason::kUnavailable));
  client_ = nullptr;
  EXPECT_TRUE(MetricIs("bdcsync_grpc_hung_peers 0"));
  EXPECT_THAT(log_.lines(), ElementsAre(HasSubstr("a service hangs")));
}

// As a commit that waits for a slow disk: who works for it is busy, the loop is not.
TEST_F(HungPeerTest, ALongCallIsNoHang) {
  service_.handler = shelf_.handler();
  const auto slow = std::move(client_);
  Answer answer = absl::InternalError("none");
  absl::Notification answered;
  slow->Start(kReadHeads, ReadHeadsRequest(), {.timeout = kLong},
              Done<ReadHeadsResponse>([&](Answer got) {
                answer = std::move(got);
                answered.Notify();
              }));
  for (int i = 0; i < 5; ++i) {  // For as long as five hangs take, on the same loop.
    const DeafPeer peer;
    Connect(peer.port());
    EXPECT_THAT(Call(), HasReason(Reason::kUnavailable));
    client_ = nullptr;
  }
  EXPECT_FALSE(answered.HasBeenNotified());
  shelf_.AnswerAll();
  answered.WaitForNotification();
  EXPECT_OK(answer);
}

// It greets, and answers nothing else before the call.
TEST_F(HungPeerTest, AnOlderServiceMayTakeUntilTheDeadline) {
  const DeafPeer peer;
  Connect(peer.port());
  std::thread older([&] {
    const int connection = peer.Accept();
    EXPECT_EQ(::send(connection, kGreeting.data(), kGreeting.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(kGreeting.size()));
    std::array<char, 1024> bytes;
    while (::recv(connection, bytes.data(), bytes.size(), 0) > 0) {
    }
    ::close(connection);
  });
  EXPECT_THAT(Call(5 * kHungAfter), HasReason(Reason::kDeadlineExceeded));
  older.join();
  EXPECT_TRUE(MetricIs("bdcsync_grpc_hangs_total 0"));
}

}  // namespace
}  // namespace bdcsync::rpc
