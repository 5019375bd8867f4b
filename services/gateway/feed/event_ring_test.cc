#include "services/gateway/feed/event_ring.h"

#include <gmock/gmock.h>

#include <memory>

namespace bdcsync::gateway {
namespace {

constexpr size_t kPlenty = 1 << 20;

FeedEventPtr EventAt(int64_t seq, size_t data_bytes = 1) {
  event_store::v1::Event event;
  event.set_seq(seq);
  event.set_kind(event_store::v1::STREAM_KIND_ENTITY);
  event.mutable_stream()->set_name("note:main:a");
  event.set_data(std::string(data_bytes, '1'));
  return std::make_shared<const FeedEvent>(std::move(event));
}

void ExpectHolds(const EventRing& ring, int64_t first, int64_t last) {
  EXPECT_EQ(ring.start(), first - 1);
  EXPECT_EQ(ring.end(), last);
  for (int64_t seq = first; seq <= last; ++seq) EXPECT_EQ(ring.At(seq)->seq, seq);
}

TEST(EventRing, TakesWhatFollowsAndNothingElse) {
  EventRing ring(10, kPlenty);
  ring.Reset(4);
  EXPECT_FALSE(ring.Append(EventAt(4)));
  EXPECT_TRUE(ring.Append(EventAt(5)));
  EXPECT_FALSE(ring.Append(EventAt(7)));
  EXPECT_TRUE(ring.Append(EventAt(6)));
  ExpectHolds(ring, 5, 6);
}

TEST(EventRing, DropsTheOldestAboveItsLimitOfEvents) {
  EventRing ring(3, kPlenty);
  for (int64_t seq = 1; seq <= 50; ++seq) {
    ASSERT_TRUE(ring.Append(EventAt(seq)));
    ExpectHolds(ring, std::max<int64_t>(1, seq - 2), seq);
  }
}

TEST(EventRing, DropsTheOldestAboveItsLimitOfBytesButKeepsOne) {
  EventRing ring(10, 1000);
  ring.Append(EventAt(1));
  ring.Append(EventAt(2, 5000));
  ExpectHolds(ring, 2, 2);
}

TEST(EventRing, GrowsBackwardsAsFarAsThereIsRoom) {
  EventRing ring(4, kPlenty);
  ring.Reset(10);
  ring.Append(EventAt(11));
  ring.Prepend({EventAt(7), EventAt(8), EventAt(9), EventAt(10)});
  ExpectHolds(ring, 8, 11);
  ring.Prepend({EventAt(3)});  // Does not join.
  ExpectHolds(ring, 8, 11);
  ring.Append(EventAt(12));
  ring.Append(EventAt(13));
  ExpectHolds(ring, 10, 13);
}

TEST(EventRing, GrowsBackwardsWithinItsBytesAndWithoutHoles) {
  const size_t each = EventAt(1)->bytes();
  for (const size_t room : {3 * each - 1, 3 * each}) {
    EventRing ring(10, room);
    ring.Reset(10);
    ring.Append(EventAt(11));
    ring.Prepend({EventAt(8), EventAt(9), EventAt(10)});
    ExpectHolds(ring, room == 3 * each ? 9 : 10, 11);
    EXPECT_LE(ring.bytes(), room);
  }
  EventRing ring(10, kPlenty);
  ring.Reset(10);
  ring.Append(EventAt(11));
  ring.Prepend({EventAt(8), EventAt(10)});
  ExpectHolds(ring, 10, 11);
}

TEST(EventRing, KeepsAccountOfItsBytes) {
  EventRing ring(10, kPlenty);
  for (int64_t seq = 1; seq <= 8; ++seq) ring.Append(EventAt(seq));
  const size_t full = ring.bytes();
  ring.Halve();
  EXPECT_EQ(ring.bytes(), full / 2);
  ExpectHolds(ring, 5, 8);
  ring.Reset(0);
  EXPECT_EQ(ring.bytes(), 0u);
}

}  // namespace
}  // namespace bdcsync::gateway
