// One port for gRPC and for streams: who gets which connection, and what half a greeting is.
#include "libs/rpc/shared_port.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/errors.h"
#include "libs/rpc/framed_socket.h"
#include "libs/rpc/socket_loops.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using ::bdcsync::testing::HasReason;

// A client's end, of plain system calls.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~RawClient() { ::close(socket_); }
  void Send(const std::string& bytes) const {
    EXPECT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Until the other end closes.
  void AwaitEnd() const {
    char byte;
    while (::recv(socket_, &byte, 1, 0) > 0) {
    }
  }

 private:
  const int socket_;
};

class SharedPortTest : public ::testing::Test {
 protected:
  void SetUp() override { Open({}); }
  void Open(const SharedPortLimits& limits) {
    if (port_ != nullptr) port_->Close();
    ASSERT_OK_AND_ASSIGN(port_, SharedPort::Open(loops_, "127.0.0.1", 0, limits));
    port_->Start({.grpc =
                      [this](int descriptor) {
                        std::string text(64, '\0');
                        const ssize_t bytes = ::recv(descriptor, text.data(), text.size(), 0);
                        ::close(descriptor);
                        Note(bytes < 0 ? "grpc silent"
                                       : "grpc " + text.substr(0, static_cast<size_t>(bytes)));
                      },
                  .stream = [this](boost::asio::ip::tcp::socket) { Note("stream"); }});
  }
  void TearDown() override { port_->Close(); }

  void Note(std::string what) {
    absl::MutexLock lock(&mutex_);
    seen_.push_back(std::move(what));
  }
  std::vector<std::string> Await(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return seen_.size() >= count; };
    mutex_.Await(absl::Condition(&enough));
    return seen_;
  }

  SocketLoops loops_;
  std::unique_ptr<SharedPort> port_;
  absl::Mutex mutex_;
  std::vector<std::string> seen_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(SharedPortTest, AGreetingIsAStreamAndEverythingElseIsForGrpcUnread) {
  const RawClient grpc(port_->port());
  grpc.Send("PRI * HTTP/2.0\r\n");
  EXPECT_THAT(Await(1), ::testing::ElementsAre("grpc PRI * HTTP/2.0\r\n"));
  const RawClient stream(port_->port());
  stream.Send(std::string(kGreeting));
  EXPECT_EQ(Await(2).back(), "stream");
  const RawClient other(port_->port());
  other.Send("BDCSYNC2 and more");
  EXPECT_EQ(Await(3).back(), "grpc BDCSYNC2 and more");
}

TEST_F(SharedPortTest, AGreetingMayComeInPiecesWhileOthersAreServed) {
  const RawClient slow(port_->port());
  slow.Send(std::string(kGreeting.substr(0, 3)));
  const RawClient quick(port_->port());
  quick.Send("quick one");
  EXPECT_EQ(Await(1).back(), "grpc quick one");
  slow.Send(std::string(kGreeting.substr(3)));
  EXPECT_EQ(Await(2).back(), "stream");
}

TEST_F(SharedPortTest, WhoSaysNothingForTooLongIsDisconnected) {
  Open({.silence_max = absl::Milliseconds(20)});
  RawClient(port_->port()).AwaitEnd();
  EXPECT_TRUE(Await(0).empty());
}

TEST_F(SharedPortTest, TheSilentBeyondTheLimitAreForGrpc) {
  Open({.silent_max = 2});
  const RawClient first(port_->port());
  const RawClient second(port_->port());
  const RawClient third(port_->port());
  EXPECT_THAT(Await(1), ::testing::ElementsAre("grpc silent"));
  EXPECT_EQ(port_->silent(), 2U);
  first.Send(std::string(kGreeting));  // Which makes room for another.
  EXPECT_EQ(Await(2).back(), "stream");
  const RawClient fourth(port_->port());
  fourth.Send(std::string(kGreeting));
  EXPECT_EQ(Await(3).back(), "stream");
}

TEST_F(SharedPortTest, ClosingEndsTheSilent) {
  const RawClient silent(port_->port());
  const RawClient quick(port_->port());
  quick.Send("after the silent one");
  Await(1);
  port_->Close();
  silent.AwaitEnd();
  EXPECT_EQ(Await(1).size(), 1U);
  EXPECT_EQ(port_->silent(), 0U);
}

TEST_F(SharedPortTest, ATakenPortIsAnErrorAndAWildcardTakesBothFamilies) {
  EXPECT_THAT(SharedPort::Open(loops_, "127.0.0.1", port_->port()).status(),
              HasReason(Reason::kUnavailable));
  EXPECT_THAT(SharedPort::Open(loops_, "192.0.2.1", 0).status(), HasReason(Reason::kUnavailable));
  ASSERT_OK_AND_ASSIGN(const auto any, SharedPort::Open(loops_, "0.0.0.0", 0));
  const RawClient client(any->port());
  // Whatever a name stands for here, IPv4 is among it.
  ASSERT_OK_AND_ASSIGN(const auto named, SharedPort::Open(loops_, "localhost", 0));
  const RawClient other(named->port());
}

}  // namespace
}  // namespace bdcsync::rpc
