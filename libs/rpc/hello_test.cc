#include "libs/rpc/hello.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/rpc/hung_peers_for_test.h"
#include "libs/rpc/socket_loops.h"

namespace bdcsync::rpc {
namespace {

// Pulses are given by the test: the sockets have none.
class HelloTest : public ::testing::Test {
 protected:
  ~HelloTest() override {
    hello_->Close();
    ended_.WaitForNotification();
  }
  void Begin(int rest) {
    hello_ = std::make_shared<Hello>(
        rest,
        [this](std::shared_ptr<FrameReceiver> receiver) {
          ++connections_;
          return FramedSocket::Connect(loops_.Next(), "127.0.0.1", absl::StrCat(peer_.port()), 0,
                                       {}, std::move(receiver));
        },
        [this] { ended_.Notify(); });
    hello_->Begin();
  }

  SocketLoops loops_;
  DeafPeer peer_;
  std::atomic<int> connections_{0};
  absl::Notification ended_;
  std::shared_ptr<Hello> hello_;
};

TEST_F(HelloTest, EndsWithTheGreeting) {
  Begin(0);
  for (int i = 0; i < 10; ++i) hello_->OnPulse(false, false);
  EXPECT_FALSE(ended_.HasBeenNotified());
  hello_->OnPulse(true, true);
  ended_.WaitForNotification();
  EXPECT_EQ(connections_, 1);
}

TEST_F(HelloTest, AGreetingCountsAfterItsRest) {
  Begin(3);
  hello_->OnPulse(false, false);
  hello_->OnFrame(FrameKind::kAlive, "");
  hello_->OnPulse(true, true);
  EXPECT_FALSE(ended_.HasBeenNotified());
  hello_->OnPulse(true, false);
  ended_.WaitForNotification();
}

TEST_F(HelloTest, AnAnswerAtOnceIsThatOfAnotherOneWhichNeedsNoRest) {
  Begin(3);
  hello_->OnFrame(FrameKind::kAlive, "");
  ended_.WaitForNotification();
}

TEST_F(HelloTest, ConnectsAgainWhenThePeerVanishesLater) {
  Begin(0);
  hello_->OnPulse(false, false);
  ::close(peer_.Accept());
  ::close(peer_.Accept());  // Which has had no pulse: nobody listens there any more.
  ended_.WaitForNotification();
  EXPECT_EQ(connections_, 2);
}

TEST_F(HelloTest, EndsWhereNobodyListens) {
  peer_.Die();
  Begin(5);
  ended_.WaitForNotification();
}

TEST_F(HelloTest, EndsWhereStreamsAreNotKnown) {
  Begin(5);
  hello_->OnPulse(false, false);
  const int connection = peer_.Accept();
  EXPECT_EQ(::send(connection, "HTTP/1.1", 8, MSG_NOSIGNAL), 8);
  ended_.WaitForNotification();
  ::close(connection);
}

}  // namespace
}  // namespace bdcsync::rpc
