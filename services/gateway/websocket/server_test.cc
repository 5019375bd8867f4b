// The listener over real sockets: an echo on top of it, and peers that behave badly.
#include "services/gateway/websocket/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "libs/log/logger.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/session/close_code.h"
#include "services/gateway/websocket/testing/raw_client.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

constexpr absl::Duration kPatience = absl::Seconds(20);

// What the handlers of one server saw. Written on the loop, read by the test.
struct Seen {
  absl::Mutex mutex;
  int opened ABSL_GUARDED_BY(mutex) = 0;
  int closed ABSL_GUARDED_BY(mutex) = 0;
  int drained ABSL_GUARDED_BY(mutex) = 0;
  size_t queued_max ABSL_GUARDED_BY(mutex) = 0;
  uint16_t closing_code ABSL_GUARDED_BY(mutex) = 0;

  bool AllClosed() const ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    return opened > 0 && opened == closed;
  }
  bool Closing() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return closing_code != 0; }
  bool Drained() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return drained > 0; }
};

// As permessage-deflate has it: a raw stream, flushed, without the end of the flush.
std::string Deflate(const std::string& text, int level = Z_DEFAULT_COMPRESSION) {
  z_stream stream = {};
  deflateInit2(&stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_SYNC_FLUSH);
  out.resize(stream.total_out - 4);
  deflateEnd(&stream);
  return out;
}

// Answers every text with itself; a few texts are commands.
class Echo final : public ConnectionHandler {
 public:
  Echo(Connection& connection, Seen& seen) : connection_(&connection), seen_(seen) {
    absl::MutexLock lock(&seen_.mutex);
    ++seen_.opened;
  }

  void OnText(absl::string_view text) override {
    if (text == "close") {
      connection_->SendText("bye");
      connection_->Close(kCloseForbidden, "as asked");
      return;
    }
    if (text == "flood") Flood(256);
    if (text == "drown") Flood(4096);
    if (text == "long") connection_->SendText(std::string(4 << 20, 'l'));
    if (text == "fill") Flood(16384);  // 64 MiB: more than the system takes.
    if (text == "pause") {
      connection_->PauseReading();
      connection_->loop().RunAfter(absl::Milliseconds(1), [this] { connection_->ResumeReading(); });
    }
    connection_->SendText(text);
  }
  void OnDrained() override {
    absl::MutexLock lock(&seen_.mutex);
    ++seen_.drained;
  }
  void OnShutdown() override {
    connection_->SendText("goodbye");
    connection_->Close(kCloseRestart, "restart");
  }
  void OnClosing(uint16_t code, absl::string_view) override {
    absl::MutexLock lock(&seen_.mutex);
    seen_.closing_code = code;
    connection_->SendText("last words");
  }
  void OnClosed() override {
    absl::MutexLock lock(&seen_.mutex);
    ++seen_.closed;
  }

 private:
  // Sends `count` frames of 4 KiB at once.
  void Flood(int count) {
    const SharedFrame frame = MakeTextFrame(std::string(4096, 'x'));
    for (int i = 0; i < count; ++i) connection_->Send(frame);
    absl::MutexLock lock(&seen_.mutex);
    seen_.queued_max = std::max(seen_.queued_max, connection_->queued_bytes());
  }

  Connection* connection_;
  Seen& seen_;
};

class ServerTest : public ::testing::Test {
 protected:
  void StartServer() {
    ASSERT_OK_AND_ASSIGN(server_, MakeWebSocketServer(options_, clock_, metrics_, logger_));
    std::vector<HandlerFactory> factories(server_->loops().size(), [this](Connection& connection) {
      return std::make_shared<Echo>(connection, seen_);
    });
    ASSERT_OK(server_->Start(std::move(factories)));
  }
  void TearDown() override {
    if (server_ != nullptr) server_->Drain(clock_.Now());
  }
  bool AllHandlersClose() {
    absl::MutexLock lock(&seen_.mutex);
    return seen_.mutex.AwaitWithTimeout(absl::Condition(&seen_, &Seen::AllClosed), kPatience);
  }

  ServerOptions options_;
  Seen seen_;
  SystemClock clock_;
  metrics::Registry registry_;
  TransportMetrics metrics_{registry_};
  log::Logger logger_ = log::NullLogger();
  std::unique_ptr<WebSocketServer> server_;
};

TEST_F(ServerTest, EchoesTextsOfEveryLength) {
  options_.threads = 2;
  StartServer();
  for (int i = 0; i < 3; ++i) {  // Falls on both loops.
    RawClient client(server_->port());
    EXPECT_THAT(client.Handshake(), StartsWith("HTTP/1.1 101"));
    for (const size_t length : {0, 1, 125, 126, 511, 512, 65535, 65536, 1 << 20}) {
      const std::string text(length, 'a');
      client.SendText(text);
      EXPECT_THAT(client.ReadText(), Optional(text)) << length;
    }
  }
}

TEST_F(ServerTest, PutsFragmentsTogetherAndAnswersPingsBetweenThem) {
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendFrame(1, "one ", false);
  client.SendFrame(9, "are you there");
  client.SendFrame(0, "two", true);
  const auto pong = client.Read();
  ASSERT_TRUE(pong.has_value());
  EXPECT_EQ(pong->opcode, 10);
  EXPECT_EQ(pong->payload, "are you there");
  EXPECT_THAT(client.ReadText(), Optional(std::string("one two")));
}

TEST_F(ServerTest, PongsFallBetweenLargeFramesAndNeverInsideOne) {
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("flood");
  for (int i = 0; i < 50; ++i) client.SendFrame(9, "p");
  int texts = 0;
  int pongs = 0;
  while (pongs < 50 || texts < 257) {
    const auto frame = client.Read();
    ASSERT_TRUE(frame.has_value()) << texts << " texts, " << pongs << " pongs";
    if (frame->opcode == 10) {
      EXPECT_EQ(frame->payload, "p");
      ++pongs;
    } else {
      ASSERT_EQ(frame->opcode, 1);
      ++texts;
    }
  }
  EXPECT_EQ(texts, 257);
}

TEST_F(ServerTest, GoesOnReadingAfterAPause) {
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("pause");
  client.SendText("after");
  EXPECT_THAT(client.ReadText(), Optional(std::string("pause")));
  EXPECT_THAT(client.ReadText(), Optional(std::string("after")));
}

TEST_F(ServerTest, ClosesWithTheHandlersCodeAfterWhatWasQueued) {
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("close");
  EXPECT_THAT(client.ReadText(), Optional(std::string("bye")));
  const auto close = client.Read();
  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->close_code(), kCloseForbidden);
  EXPECT_EQ(close->payload.substr(2), "as asked");
  client.SendFrame(8, close->payload.substr(0, 2));
  EXPECT_TRUE(client.AtEnd());
  EXPECT_TRUE(AllHandlersClose());
}

TEST_F(ServerTest, CutsAPeerThatNeverAnswersTheCloseFrame) {
  options_.close_timeout = absl::Milliseconds(20);
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("close");
  EXPECT_EQ(client.ReadCloseCode(), kCloseForbidden);
  EXPECT_TRUE(client.AtEnd());
  EXPECT_TRUE(AllHandlersClose());
}

TEST_F(ServerTest, AnswersThePeersCloseFrame) {
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendFrame(8, absl::string_view("\x03\xe8", 2));
  EXPECT_EQ(client.ReadCloseCode(), kCloseNormal);
  EXPECT_TRUE(client.AtEnd());
  EXPECT_TRUE(AllHandlersClose());
}

TEST_F(ServerTest, ChoosesTheSubprotocolAndClosesWhenNoneIsKnown) {
  StartServer();
  RawClient known(server_->port());
  EXPECT_THAT(known.Handshake("Sec-WebSocket-Protocol: other, bdc-sync.v1.json\r\n"),
              HasSubstr("Sec-WebSocket-Protocol: bdc-sync.v1.json"));
  RawClient unknown(server_->port());
  const std::string head = unknown.Handshake("Sec-WebSocket-Protocol: other\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(head, HasSubstr("Sec-WebSocket-Protocol: other"));
  EXPECT_EQ(unknown.ReadCloseCode(), kCloseSubprotocol);
}

TEST_F(ServerTest, RefusesPagesOfOtherOrigins) {
  options_.allowed_origins = {"https://app.example.org"};
  StartServer();
  EXPECT_THAT(RawClient(server_->port()).Handshake("Origin: https://evil.example\r\n"),
              StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(RawClient(server_->port()).Handshake("Origin: https://app.example.org\r\n"),
              StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(RawClient(server_->port()).Handshake(), StartsWith("HTTP/1.1 101"));
}

TEST_F(ServerTest, RefusesTheConnectionBeyondTheLimitBeforeTheUpgrade) {
  options_.connections_max = 2;
  StartServer();
  RawClient first(server_->port());
  RawClient second(server_->port());
  EXPECT_THAT(first.Handshake(), StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(second.Handshake(), StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(RawClient(server_->port()).Handshake(), StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(metrics_.refused_full.value(), 1);
  EXPECT_EQ(metrics_.connections_max.value(), 2);
}

TEST_F(ServerTest, ToleratesWhatIsNotAHandshake) {
  StartServer();
  RawClient plain(server_->port());
  plain.SendBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  plain.Shutdown();
  EXPECT_THAT(plain.ReadAll(), StartsWith("HTTP/1.1 426"));
  RawClient noise(server_->port());
  noise.SendBytes(std::string("\x00\x01\xff\xfe not http at all\r\n\r\n", 24));
  noise.Shutdown();
  EXPECT_THAT(noise.ReadAll(), StartsWith("HTTP/1.1 400"));
  RawClient large(server_->port());
  large.SendBytes("GET / HTTP/1.1\r\nX-Long: " + std::string(9000, 'a') + "\r\n\r\n");
  large.Shutdown();
  EXPECT_THAT(large.ReadAll(), StartsWith("HTTP/1.1 431"));
}

TEST_F(ServerTest, CutsAPeerThatDoesNotFinishTheHandshake) {
  options_.handshake_timeout = absl::Milliseconds(20);
  StartServer();
  RawClient silent(server_->port());
  RawClient slow(server_->port());
  slow.SendBytes("GET / HTTP/1.1\r\n");
  EXPECT_TRUE(silent.AtEnd());
  EXPECT_TRUE(slow.AtEnd());
  EXPECT_EQ(metrics_.handshake_timeouts.value(), 2);
}

TEST_F(ServerTest, RefusesAClaimedGigabyteWithoutWaitingForIt) {
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendHeader(1, 1ull << 30);
  EXPECT_EQ(client.ReadCloseCode(), kCloseTooBig);
  client.Shutdown();
  EXPECT_TRUE(AllHandlersClose());
}

TEST_F(ServerTest, TakesAMessageOfTheLimitAndRefusesOneByteMore) {
  options_.message_bytes_max = 1000;
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText(std::string(1000, 'a'));
  EXPECT_THAT(client.ReadText(), Optional(std::string(1000, 'a')));
  // In two fragments, each within the limit.
  client.SendFrame(1, std::string(600, 'a'), false);
  client.SendFrame(0, std::string(401, 'a'), true);
  EXPECT_EQ(client.ReadCloseCode(), kCloseTooBig);
}

TEST_F(ServerTest, RefusesInvalidUtf8) {
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("\xc3\x28");
  EXPECT_EQ(client.ReadCloseCode(), kCloseInvalidText);
}

TEST_F(ServerTest, RefusesBinaryFramesAfterAWord) {
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendFrame(2, "binary");
  EXPECT_THAT(client.ReadText(), Optional(std::string("last words")));
  EXPECT_EQ(client.ReadCloseCode(), kCloseBadMessage);
}

TEST_F(ServerTest, RandomBytesAfterTheHandshakeEndTheConnectionOnly) {
  StartServer();
  RawClient good(server_->port());
  good.Handshake();
  for (int seed = 1; seed <= 30; ++seed) {
    RawClient client(server_->port());
    client.Handshake();
    uint32_t state = static_cast<uint32_t>(seed);
    std::string bytes;
    for (int i = 0; i < 4096; ++i) {
      state = state * 1664525 + 1013904223;
      bytes.push_back(static_cast<char>(state >> 24));
    }
    client.SendBytes(bytes);
    client.Shutdown();
    EXPECT_TRUE(client.AtEnd()) << "seed " << seed;
  }
  good.SendText("still here");
  EXPECT_THAT(good.ReadText(), Optional(std::string("still here")));
}

TEST_F(ServerTest, PingsAndClosesAPeerWithoutLife) {
  options_.heartbeat_interval = absl::Milliseconds(40);
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  const auto ping = client.Read();
  ASSERT_TRUE(ping.has_value());
  EXPECT_EQ(ping->opcode, 9);
  // From here on nothing is answered.
  EXPECT_EQ(client.ReadCloseCode(), kCloseNoLife);
  absl::MutexLock lock(&seen_.mutex);
  EXPECT_EQ(seen_.closing_code, kCloseNoLife);
}

TEST_F(ServerTest, AChangedHeartbeatHoldsForOpenConnectionsToo) {
  options_.heartbeat_interval = absl::Hours(1);
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  server_->SetHeartbeatInterval(absl::Milliseconds(40));
  const auto ping = client.Read();
  ASSERT_TRUE(ping.has_value());
  EXPECT_EQ(ping->opcode, 9);
  EXPECT_EQ(client.ReadCloseCode(), kCloseNoLife);
}

TEST_F(ServerTest, APeerThatAnswersPingsStays) {
  options_.heartbeat_interval = absl::Milliseconds(100);
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  for (int i = 0; i < 5; ++i) {
    const auto ping = client.Read();
    ASSERT_TRUE(ping.has_value());
    ASSERT_EQ(ping->opcode, 9);
    client.SendFrame(10, ping->payload);
  }
}

TEST_F(ServerTest, TellsWhenAFullQueueHasDrained) {
  options_.queued_bytes_high = 64 << 10;
  options_.queued_bytes_low = 16 << 10;
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("flood");
  for (int i = 0; i < 257; ++i) ASSERT_TRUE(client.ReadText().has_value()) << i;
  absl::MutexLock lock(&seen_.mutex);
  EXPECT_TRUE(seen_.mutex.AwaitWithTimeout(absl::Condition(&seen_, &Seen::Drained), kPatience));
  EXPECT_GE(seen_.queued_max, 1u << 20);
}

TEST_F(ServerTest, ClosesASlowReaderAndBoundsWhatItHolds) {
  options_.queued_bytes_max = 1 << 20;
  StartServer();
  RawClient client(server_->port());
  client.SetReceiveBuffer(32 << 10);
  client.Handshake();
  client.SendText("drown");
  EXPECT_EQ(client.ReadCloseCode(), kCloseSlowConsumer);
  absl::MutexLock lock(&seen_.mutex);
  EXPECT_LE(seen_.queued_max, (1u << 20) + 5000);
  EXPECT_EQ(seen_.closing_code, kCloseSlowConsumer);
}

TEST_F(ServerTest, OneMessageIsSentHoweverLongItIs) {
  options_.queued_bytes_max = 64 << 10;
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("long");
  const auto text = client.ReadText();
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->size(), 4u << 20);
}

TEST_F(ServerTest, ClosesAReaderThatTakesNothingAtAllAsSlow) {
  options_.heartbeat_interval = absl::Milliseconds(40);
  options_.close_timeout = absl::Milliseconds(40);
  options_.queued_bytes_max = 1 << 30;
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("fill");
  EXPECT_TRUE(AllHandlersClose());  // Although not a byte was read.
  absl::MutexLock lock(&seen_.mutex);
  EXPECT_EQ(seen_.closing_code, kCloseSlowConsumer);
}

TEST_F(ServerTest, AnOverflowWhileTheSocketIsFullClosesAtOnce) {
  options_.queued_bytes_max = 32 << 20;
  options_.close_timeout = absl::Milliseconds(40);
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("drown");  // 16 MiB: fills the socket, not the queue.
  client.SendText("drown");
  client.SendText("drown");
  absl::MutexLock lock(&seen_.mutex);
  EXPECT_TRUE(seen_.mutex.AwaitWithTimeout(absl::Condition(&seen_, &Seen::Closing), kPatience));
  EXPECT_EQ(seen_.closing_code, kCloseSlowConsumer);
}

TEST_F(ServerTest, TakesCompressedMessagesWhereThatIsEnabled) {
  options_.compression_enabled = true;
  options_.compression_threshold_bytes = 1 << 20;
  StartServer();
  RawClient client(server_->port());
  EXPECT_THAT(client.Handshake("Sec-WebSocket-Extensions: permessage-deflate\r\n"),
              HasSubstr("Sec-WebSocket-Extensions: permessage-deflate"));
  const std::string text(5000, 'z');
  client.SendFrame(0x40 | 1, Deflate(text));
  EXPECT_THAT(client.ReadText(), Optional(text));
  client.SendText("plain");
  EXPECT_THAT(client.ReadText(), Optional(std::string("plain")));
}

TEST_F(ServerTest, CompressesWhatIsNotShortForThoseThatOfferIt) {
  options_.compression_enabled = true;
  options_.compression_threshold_bytes = 1000;
  StartServer();
  RawClient client(server_->port());
  client.Handshake("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  const auto echoed = [](RawClient& from, const std::string& text) {
    from.SendText(text);
    return from.Read().value_or(RawClient::Frame());
  };
  const std::string text(5000, 'z');
  EXPECT_TRUE(echoed(client, text).compressed);
  EXPECT_EQ(echoed(client, text).payload, Deflate(text, Z_BEST_SPEED));
  EXPECT_FALSE(echoed(client, "short").compressed);
  RawClient plain(server_->port());
  plain.Handshake();
  EXPECT_EQ(echoed(plain, text).payload, text);
  RawClient narrow(server_->port());
  narrow.Handshake("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n");
  EXPECT_EQ(echoed(narrow, text).payload, text);
}

TEST_F(ServerTest, AFrameOfTheOtherSubprotocolIsABadMessage) {
  StartServer();
  RawClient client(server_->port());
  EXPECT_THAT(client.Handshake("Sec-WebSocket-Protocol: bdc-sync.v1.proto\r\n"),
              HasSubstr("Sec-WebSocket-Protocol: bdc-sync.v1.proto"));
  client.SendText("text");
  EXPECT_EQ(client.ReadCloseCode(), kCloseBadMessage);
}

TEST_F(ServerTest, RefusesACompressedMessageThatGrowsBeyondTheLimit) {
  options_.compression_enabled = true;
  StartServer();
  RawClient client(server_->port());
  client.Handshake("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  client.SendFrame(0x40 | 1, Deflate(std::string(100 << 20, 'z')));
  EXPECT_EQ(client.ReadCloseCode(), kCloseTooBig);
}

TEST_F(ServerTest, OffersNoCompressionWhereItIsNotEnabled) {
  StartServer();
  RawClient client(server_->port());
  EXPECT_FALSE(absl::StrContains(
      client.Handshake("Sec-WebSocket-Extensions: permessage-deflate\r\n"), "deflate"));
  client.SendFrame(0x40 | 1, Deflate("x"));
  EXPECT_NE(client.ReadCloseCode(), 0);
}

TEST_F(ServerTest, DrainTellsEveryHandlerAndEndsAtOnceWhenAllAreGone) {
  StartServer();
  RawClient client(server_->port());
  client.Handshake();
  client.SendText("hello");
  ASSERT_THAT(client.ReadText(), Optional(std::string("hello")));
  std::thread drain([this] { server_->Drain(clock_.Now() + kPatience); });
  EXPECT_THAT(client.ReadText(), Optional(std::string("goodbye")));
  const auto close = client.Read();
  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->close_code(), kCloseRestart);
  client.SendFrame(8, close->payload);
  client.Shutdown();
  drain.join();
  EXPECT_EQ(server_->connections(), 0u);
  EXPECT_EQ(RawClient(server_->port()).Handshake(), "");
}

TEST_F(ServerTest, DrainCutsThoseThatStayAtTheDeadline) {
  StartServer();
  RawClient half_open(server_->port());
  RawClient deaf(server_->port());
  deaf.Handshake();
  deaf.SendText("hello");
  ASSERT_THAT(deaf.ReadText(), Optional(std::string("hello")));
  server_->Drain(clock_.Now());
  EXPECT_TRUE(half_open.AtEnd());
  EXPECT_TRUE(deaf.AtEnd());
  EXPECT_TRUE(AllHandlersClose());
}

TEST_F(ServerTest, SaysWhenThePortIsTaken) {
  StartServer();
  ServerOptions same;
  same.port = server_->port();
  ASSERT_OK_AND_ASSIGN(auto other, MakeWebSocketServer(same, clock_, metrics_, logger_));
  EXPECT_THAT(other->Start({nullptr}), testing::StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace bdcsync::gateway
