// The parts of the transport that need no socket: the outgoing queue, frames, the handshake's
// decisions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <random>

#include "absl/synchronization/notification.h"
#include "services/gateway/session/frame.h"
#include "services/gateway/websocket/asio_loop.h"
#include "services/gateway/websocket/control_frame.h"
#include "services/gateway/websocket/handshake.h"
#include "services/gateway/websocket/outbox.h"

namespace bdcsync::gateway {
namespace {

SharedFrame Raw(const std::string& bytes) { return std::make_shared<const std::string>(bytes); }

// What a write of at most `limit` bytes would take.
std::string Take(Outbox& outbox, size_t limit) {
  std::array<iovec, Outbox::kWriteVectorsMax> vectors;
  std::string bytes;
  const size_t count = outbox.Gather(absl::MakeSpan(vectors));
  for (size_t i = 0; i < count; ++i) {
    bytes.append(static_cast<char*>(vectors[i].iov_base), vectors[i].iov_len);
  }
  bytes.resize(std::min(bytes.size(), limit));
  outbox.Consume(bytes.size());
  return bytes;
}

TEST(AsioLoopTest, ATimerOfThousandsOfYearsDoesNotRunAtOnce) {
  AsioLoop loop;
  absl::Notification passed;
  std::atomic<bool> ran = false;
  loop.Post([&] {
    loop.RunAfter(absl::Hours(24 * 365 * 7000), [&] { ran = true; });
    loop.RunAfter(absl::Milliseconds(20), [&] { passed.Notify(); });
  });
  passed.WaitForNotification();
  EXPECT_FALSE(ran);
}

TEST(OutboxTest, WhateverTheSocketTakesTheBytesLeaveOnceAndInOrder) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    Outbox outbox;
    std::string pushed;
    std::string left;
    for (int i = 0; i < 3000; ++i) {
      if (random() % 2 == 0) {
        const std::string frame(random() % 40, static_cast<char>('a' + random() % 26));
        pushed += frame;
        outbox.Push(Raw(frame));
      } else {
        left += Take(outbox, random() % 60);
      }
      ASSERT_EQ(outbox.bytes(), pushed.size() - left.size()) << "seed " << seed;
    }
    while (!outbox.empty()) left += Take(outbox, 1000);
    EXPECT_EQ(left, pushed) << "seed " << seed;
  }
}

TEST(OutboxTest, DropUnsentKeepsTheRestOfAFrameThatHasBegun) {
  Outbox outbox;
  outbox.Push(Raw("first"));
  outbox.Push(Raw("second"));
  EXPECT_EQ(Take(outbox, 7), "firstse");
  outbox.Push(Raw("third"));
  outbox.DropUnsent();
  EXPECT_EQ(outbox.bytes(), 4u);
  outbox.Push(Raw("!"));
  EXPECT_EQ(Take(outbox, 100), "cond!");
  EXPECT_TRUE(outbox.empty());
  outbox.Push(Raw("whole"));
  outbox.DropUnsent();
  EXPECT_TRUE(outbox.empty());
}

TEST(OutboxTest, OneWriteIsBounded) {
  Outbox outbox;
  const SharedFrame large = Raw(std::string(100 << 10, 'x'));
  for (int i = 0; i < 10; ++i) outbox.Push(large);
  EXPECT_EQ(Take(outbox, 10 << 20).size(), Outbox::kWriteBytesMax);
}

TEST(FrameTest, HeadersFitTheLength) {
  for (const size_t size : {0, 1, 125, 126, 65535, 65536, 100000}) {
    const std::string payload(size, 'p');
    const SharedFrame frame = MakeTextFrame(payload);
    EXPECT_EQ(frame->size(), size + (size < 126 ? 2 : size < 65536 ? 4 : 10)) << size;
    EXPECT_EQ(PayloadOf(*frame), payload);
  }
  EXPECT_EQ(*MakeTextFrame("ab", "cd", "e"), *MakeTextFrame("abcde"));
}

TEST(ControlFrameTest, LongReasonsAreCutBetweenCharacters) {
  std::string reason = "x";
  while (reason.size() < 200) reason += "\xc3\xa4";  // ä, two bytes.
  const SharedFrame frame = MakeCloseFrame(4408, reason);
  EXPECT_EQ(frame->size(), 2u + 2u + 123u);
  EXPECT_EQ(static_cast<uint8_t>((*frame)[1]), 125);
  EXPECT_EQ(frame->substr(2, 2), "\x11\x38");
  const SharedFrame odd = MakeCloseFrame(4408, reason.substr(1));
  EXPECT_EQ(odd->size(), 2u + 2u + 122u);
}

TEST(HandshakeTest, ChoosesTheSubprotocolThatIsSpoken) {
  EXPECT_TRUE(ChooseSubprotocol("").supported);
  EXPECT_EQ(ChooseSubprotocol("").answer, "");
  EXPECT_EQ(ChooseSubprotocol("a ,bdc-sync.v1.json").answer, "bdc-sync.v1.json");
  EXPECT_EQ(ChooseSubprotocol("bdc-sync.v1.json").format, WireFormat::kJson);
  EXPECT_EQ(ChooseSubprotocol("bdc-sync.v1.proto, bdc-sync.v1.json").answer, "bdc-sync.v1.proto");
  EXPECT_EQ(ChooseSubprotocol("bdc-sync.v1.proto").format, WireFormat::kProto);
  EXPECT_FALSE(ChooseSubprotocol("bdc-sync.v1.jsonx").supported);
  EXPECT_EQ(ChooseSubprotocol("bdc-sync.v1.jsonx, other").answer, "bdc-sync.v1.jsonx");
  EXPECT_EQ(ChooseSubprotocol(", a b, \"c\", d").answer, "d");
  EXPECT_EQ(ChooseSubprotocol("a\tb").answer, "");
  EXPECT_FALSE(ChooseSubprotocol(" ,").supported);
}

TEST(HandshakeTest, ComparesOrigins) {
  const std::vector<std::string> allowed = {"https://a.example", "*.b.example"};
  EXPECT_TRUE(OriginAllowed("https://evil", {}));
  EXPECT_TRUE(OriginAllowed("", allowed));
  EXPECT_TRUE(OriginAllowed("https://A.example", allowed));
  EXPECT_TRUE(OriginAllowed("https://x.b.example", allowed));
  EXPECT_TRUE(OriginAllowed("http://x.y.b.example:8080", allowed));
  EXPECT_FALSE(OriginAllowed("http://a.example", allowed));
  EXPECT_FALSE(OriginAllowed("https://a.example.evil", allowed));
  EXPECT_FALSE(OriginAllowed("https://evilb.example", allowed));
  EXPECT_FALSE(OriginAllowed("https://b.example", allowed));
  EXPECT_FALSE(OriginAllowed("null", allowed));
}

}  // namespace
}  // namespace bdcsync::gateway
