// What a server waits for when it stops, and what callers see meanwhile.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/base/clock.h"
#include "libs/rpc/calls_for_test.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/server.h"
#include "libs/rpc/socket_loops.h"
#include "libs/rpc/status.h"
#include "libs/rpc/unary.h"
#include "libs/testing/certificates.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"

namespace bdcsync::rpc {
namespace {

constexpr absl::Duration kLong = absl::Seconds(60);
constexpr absl::Duration kSoon = absl::Seconds(20);  // On a busy machine, and far from kLong.
constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// A connection that says `text` and then nothing.
class SilentPeer {
 public:
  SilentPeer(int port, const std::string& text) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  ~SilentPeer() { ::close(socket_); }

 private:
  const int socket_;
};

class DrainTest : public ::testing::Test {
 protected:
  void Start(ServerOptions options, const ChannelOptions& channel_options = {}) {
    server_ = std::make_unique<Server>(std::move(options), metrics_);
    server_->AddService(&service_);
    ASSERT_OK(server_->Start());
    server_->SetServing(true);
    ASSERT_OK_AND_ASSIGN(channel_,
                         Dial(absl::StrCat("127.0.0.1:", server_->port()), channel_options));
  }
  absl::Status CallOnce() {
    const auto stub = EventStoreService::NewStub(channel_);
    return Call(*stub, &EventStoreService::Stub::ReadHeads, ReadHeadsRequest(),
                {.timeout = kLong, .wait_for_ready = true})
        .status();
  }
  absl::Duration Drain() {
    const absl::Duration began = clock_.Monotonic();
    server_->Drain(clock_.Now() + kLong);
    return clock_.Monotonic() - began;
  }
  // Connections are accepted in their order: after a call on a later one, the peers have been.
  void DrainBesideSilentPeers() {
    std::vector<std::unique_ptr<SilentPeer>> peers;
    for (const char* text : {"", "P", "PRI * HT", kPreface}) {
      peers.push_back(std::make_unique<SilentPeer>(server_->port(), text));
    }
    ASSERT_OK(CallOnce());
    EXPECT_LT(Drain(), kSoon);
  }

  const SystemClock clock_;
  SocketLoops loops_;
  metrics::Registry metrics_;
  FakeService service_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(DrainTest, ConnectionsThatSayNothingAreNotWaitedFor) {
  Start({});
  DrainBesideSilentPeers();
}

TEST_F(DrainTest, NorAreThoseOnAPortThatStreamsShare) {
  Start({.loops = &loops_});
  DrainBesideSilentPeers();
}

TEST_F(DrainTest, NorAreThoseThatNeverFinishAHandshake) {
  testing::TempDir dir;
  const std::string cert = dir.File("cert.pem");
  const std::string key = dir.File("key.pem");
  testing::WriteCertificate("one", cert, key);
  Start({.tls_cert_file = cert, .tls_key_file = key}, {.tls_ca_file = cert});
  DrainBesideSilentPeers();
}

TEST_F(DrainTest, WhoWatchesTheHealthIsNotWaitedFor) {
  Start({});
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto watch = stub.PrepareCall(&context, "/grpc.health.v1.Health/Watch", &queue);
  watch->StartCall(nullptr);
  ASSERT_TRUE(next());
  const grpc::Slice nothing("");
  watch->WriteLast(grpc::ByteBuffer(&nothing, 1), {}, nullptr);
  ASSERT_TRUE(next());
  grpc::ByteBuffer health;
  watch->Read(&health, nullptr);
  ASSERT_TRUE(next());
  EXPECT_LT(Drain(), kSoon);
  // What follows is NOT_SERVING, perhaps, and the end.
  do watch->Read(&health, nullptr);
  while (next());
  grpc::Status status;
  watch->Finish(&status, nullptr);
  EXPECT_TRUE(next());
  EXPECT_FALSE(status.ok());
}

TEST_F(DrainTest, ACallInFlightBesideASilentConnectionIsAnswered) {
  Start({});
  Shelf shelf;
  service_.handler = shelf.handler();
  const SilentPeer peer(server_->port(), "PRI");
  absl::Status answer = absl::UnknownError("not answered");
  std::thread caller([&] { answer = CallOnce(); });
  while (shelf.size() == 0) std::this_thread::yield();
  std::thread drain([&] { EXPECT_LT(Drain(), kSoon); });
  // Longer than the server waits for calls to end before it takes leave, and for connections.
  absl::Notification never;
  never.WaitForNotificationWithTimeout(absl::Seconds(2));
  shelf.AnswerAll();
  drain.join();
  caller.join();
  EXPECT_OK(answer);
}

TEST_F(DrainTest, CallersThatStopWhenTheyAreRefusedSeeNothingButTheRefusal) {
  std::atomic<bool> stopping{false};
  service_.handler = [&stopping](grpc::CallbackServerContext* context, auto...) {
    return FinishNow(context,
                     stopping ? MakeError(Reason::kUnavailable, "stopping") : absl::OkStatus());
  };
  Start({});
  constexpr int kCallers = 16;
  std::atomic<int> calls{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      absl::Status status;
      while ((status = CallOnce()).ok()) ++calls;
      EXPECT_EQ(status.message(), "stopping");
      if (status.message() == "stopping") ++refused;
    });
  }
  while (calls < kCallers) std::this_thread::yield();
  stopping = true;
  EXPECT_LT(Drain(), kSoon);
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused, kCallers);
}

TEST_F(DrainTest, CallersThatNeverStopDoNotKeepItFromEnding) {
  Start({});
  ASSERT_OK(CallOnce());
  std::atomic<bool> over{false};
  std::thread caller([&] {
    const auto stub = EventStoreService::NewStub(channel_);
    while (!over) {
      (void)Call(*stub, &EventStoreService::Stub::ReadHeads, ReadHeadsRequest(),
                 {.timeout = kLong});
    }
  });
  EXPECT_LT(Drain(), kSoon);
  over = true;
  caller.join();
}

}  // namespace
}  // namespace bdcsync::rpc
