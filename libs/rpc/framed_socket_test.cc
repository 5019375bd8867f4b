// Frames over real connections: what arrives, what ends one, and what a peer that does not read or
// does not know frames does to it.
#include "libs/rpc/framed_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/errors.h"
#include "libs/rpc/socket_loops.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using ::bdcsync::testing::HasReason;
using ::bdcsync::testing::StatusIs;
using ::boost::asio::ip::tcp;
using ::testing::ElementsAre;

// Keeps what arrives.
class Inbox final : public FrameReceiver {
 public:
  void OnFrame(FrameKind kind, absl::string_view payload) override {
    Add(absl::StrCat(static_cast<int>(kind), ":", payload));
  }
  void OnTooLarge(FrameKind kind) override { Add(absl::StrCat(static_cast<int>(kind), " large")); }
  void OnEnd(const absl::Status& status) override {
    absl::MutexLock lock(&mutex_);
    EXPECT_FALSE(ended_);
    ended_ = true;
    end_ = status;
  }

  std::vector<std::string> Await(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return texts_.size() >= count; };
    mutex_.Await(absl::Condition(&enough));
    return texts_;
  }
  absl::Status AwaitEnd() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&ended_));
    return end_;
  }

 private:
  void Add(std::string text) {
    absl::MutexLock lock(&mutex_);
    texts_.push_back(std::move(text));
  }

  absl::Mutex mutex_;
  std::vector<std::string> texts_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
};

Frame FrameOf(FrameKind kind, absl::string_view payload) {
  Frame frame(kind, payload.size());
  std::copy(payload.begin(), payload.end(), frame.payload());
  return frame;
}

// Whether the peer's kernel has yet to confirm what was sent.
bool Unread(tcp::socket& socket) {
  int bytes = 0;
  EXPECT_EQ(::ioctl(socket.native_handle(), SIOCOUTQ, &bytes), 0);
  return bytes > 0;
}

class FramedSocketTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const auto& [socket, inbox] : ends_) {
      socket->Close();
      (void)inbox->AwaitEnd();
    }
  }
  std::string port() const { return absl::StrCat(listener_.local_endpoint().port()); }

  std::shared_ptr<FramedSocket> Connect(const std::string& port, std::shared_ptr<Inbox> inbox,
                                        const SocketLimits& limits = {}) {
    return Keep(FramedSocket::Connect(loops_.Next(), "127.0.0.1", port, 0, limits, inbox), inbox);
  }
  // The other end of a connection that was made here.
  std::shared_ptr<FramedSocket> Accept(std::shared_ptr<Inbox> inbox,
                                       const SocketLimits& limits = {}) {
    return Keep(FramedSocket::Accept(AcceptRaw(), limits, inbox), inbox);
  }
  tcp::socket AcceptRaw() { return listener_.accept(loops_.Next()); }

  SocketLoops loops_;
  tcp::acceptor listener_{loops_.Next(), {boost::asio::ip::address_v4::loopback(), 0}};

 private:
  std::shared_ptr<FramedSocket> Keep(std::shared_ptr<FramedSocket> socket,
                                     std::shared_ptr<Inbox> inbox) {
    ends_.emplace_back(socket, std::move(inbox));
    return socket;
  }
  std::vector<std::pair<std::shared_ptr<FramedSocket>, std::shared_ptr<Inbox>>> ends_;
};

TEST_F(FramedSocketTest, FramesArriveWholeAndInOrderAlsoThoseSentWhileItConnects) {
  const auto here = std::make_shared<Inbox>();
  const auto there = std::make_shared<Inbox>();
  const auto caller = Connect(port(), here);
  caller->Send(FrameOf(FrameKind::kOpen, "first"));
  caller->Send(FrameOf(FrameKind::kCall, ""));
  const auto server = Accept(there);
  EXPECT_THAT(there->Await(2), ElementsAre("1:first", "2:"));
  server->Send(FrameOf(FrameKind::kAnswer, "back"));
  EXPECT_THAT(here->Await(1), ElementsAre("3:back"));
  caller->Send(FrameOf(FrameKind::kCall, "again"));
  EXPECT_EQ(there->Await(3).back(), "2:again");
}

TEST_F(FramedSocketTest, LargeFramesWaitForASlowReaderAndArriveUnharmed) {
  const auto here = std::make_shared<Inbox>();
  const auto there = std::make_shared<Inbox>();
  const auto caller = Connect(port(), here);
  std::vector<std::string> sent;
  for (int i = 0; i < 5; ++i) {  // More than the kernel takes before anybody reads.
    sent.push_back(std::string(5'000'000, static_cast<char>('a' + i)));
    caller->Send(FrameOf(FrameKind::kCall, sent.back()));
  }
  Accept(there);
  const std::vector<std::string> arrived = there->Await(sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_TRUE(arrived[i] == absl::StrCat("2:", sent[i])) << i;
  }
}

TEST_F(FramedSocketTest, AFrameAtTheLimitIsTakenAndALargerOnePassedOver) {
  const auto here = std::make_shared<Inbox>();
  const auto there = std::make_shared<Inbox>();
  const auto caller = Connect(port(), here);
  Accept(there, {.payload_bytes_max = 100'000});
  caller->Send(FrameOf(FrameKind::kCall, std::string(100'000, 'x')));
  caller->Send(FrameOf(FrameKind::kCall, std::string(100'001, 'y')));
  caller->Send(FrameOf(FrameKind::kCall, "z"));
  EXPECT_THAT(there->Await(3), ElementsAre("2:" + std::string(100'000, 'x'), "2 large", "2:z"));
}

TEST_F(FramedSocketTest, WhoFinishesSendingStillReceives) {
  const auto here = std::make_shared<Inbox>();
  const auto there = std::make_shared<Inbox>();
  const auto caller = Connect(port(), here);
  const auto server = Accept(there);
  server->Send(FrameOf(FrameKind::kGoodbye, ""));
  server->FinishSending();
  server->Send(FrameOf(FrameKind::kAnswer, "too late"));
  EXPECT_THAT(here->Await(1), ElementsAre("5:"));
  EXPECT_THAT(here->AwaitEnd(), HasReason(Reason::kUnavailable));
  EXPECT_THAT(there->AwaitEnd(), HasReason(Reason::kUnavailable));
}

TEST_F(FramedSocketTest, ClosingTellsBothEnds) {
  const auto here = std::make_shared<Inbox>();
  const auto there = std::make_shared<Inbox>();
  const auto caller = Connect(port(), here);
  Accept(there);
  caller->Send(FrameOf(FrameKind::kCall, "x"));
  (void)there->Await(1);
  caller->Close();
  caller->Close();
  caller->Send(FrameOf(FrameKind::kCall, "dropped"));
  EXPECT_THAT(here->AwaitEnd(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(there->AwaitEnd(), HasReason(Reason::kUnavailable));
  EXPECT_EQ(there->Await(1).size(), 1U);
}

TEST_F(FramedSocketTest, OneThatIsClosedBeforeItHasConnectedEndsToo) {
  const auto here = std::make_shared<Inbox>();
  Connect(port(), here)->Close();
  EXPECT_THAT(here->AwaitEnd(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(FramedSocketTest, NobodyThereIsUnavailable) {
  const std::string nobody = port();
  listener_.close();
  const auto here = std::make_shared<Inbox>();
  Connect(nobody, here)->Send(FrameOf(FrameKind::kCall, "x"));
  EXPECT_THAT(here->AwaitEnd(), HasReason(Reason::kUnavailable));
}

TEST_F(FramedSocketTest, WhatKnowsNoFramesIsUnimplemented) {
  for (const std::string& greeting :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("\0\0\x12\x04\0\0\0\0\0", 9),
        std::string("BD!")}) {
    const auto here = std::make_shared<Inbox>();
    const auto caller = Connect(port(), here);
    tcp::socket other = AcceptRaw();
    boost::asio::write(other, boost::asio::buffer(greeting));
    EXPECT_THAT(here->AwaitEnd(), StatusIs(absl::StatusCode::kUnimplemented));
  }
}

TEST_F(FramedSocketTest, WhatIsNoFrameEndsTheConnection) {
  const auto there = std::make_shared<Inbox>();
  tcp::socket raw(loops_.Next());
  raw.connect(listener_.local_endpoint());
  Accept(there);
  boost::asio::write(raw, boost::asio::buffer(absl::StrCat(kGreeting, std::string(5, '\0'))));
  EXPECT_THAT(there->AwaitEnd(), HasReason(Reason::kUnavailable));
}

// A length is only a claim: what it takes is what arrives.
TEST_F(FramedSocketTest, AClaimOfALargeFrameTakesNoMemory) {
  const auto there = std::make_shared<Inbox>();
  tcp::socket raw(loops_.Next());
  raw.connect(listener_.local_endpoint());
  const auto server = Accept(there);
  const std::string claim("\x00\x00\xf0\x00\x02", 5);  // 15 MiB.
  boost::asio::write(raw, boost::asio::buffer(absl::StrCat(kGreeting, claim, "little")));
  raw.close();
  EXPECT_THAT(there->AwaitEnd(), HasReason(Reason::kUnavailable));
  EXPECT_LT(server->buffer_bytes(), size_t{1} << 16);
}

// Also when it comes in many small pieces.
TEST_F(FramedSocketTest, AClaimThatTricklesInTakesNoMoreThanItsBytes) {
  const auto there = std::make_shared<Inbox>();
  tcp::socket raw(loops_.Next());
  raw.connect(listener_.local_endpoint());
  const auto server = Accept(there);
  const std::string claim("\x00\x00\xf0\x00\x02", 5);  // 15 MiB.
  boost::asio::write(raw, boost::asio::buffer(absl::StrCat(kGreeting, claim)));
  raw.set_option(tcp::no_delay(true));
  for (int i = 0; i < 100; ++i) {
    boost::asio::write(raw, boost::asio::buffer("x", 1));
    while (Unread(raw)) std::this_thread::yield();
  }
  raw.close();
  EXPECT_THAT(there->AwaitEnd(), HasReason(Reason::kUnavailable));
  EXPECT_LT(server->buffer_bytes(), size_t{1} << 16);
}

}  // namespace
}  // namespace bdcsync::rpc
