// Which of two writes is the later, whatever the clocks say.
#include "services/conflict/hybrid_time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace bdcsync::conflict {
namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kHourMs = 3600 * kSecondMs;
constexpr int64_t kYearsMs = 10 * 365 * 24 * kHourMs;
constexpr int64_t kNowMs = 1'700'000'000'000;
constexpr absl::Duration kSkew = absl::Minutes(5);

v1::Side Committed(int64_t time_ms, int64_t client_time_ms = 0) {
  v1::Side side;
  side.set_exists(true);
  side.set_time_ms(time_ms);
  side.set_client_time_ms(client_time_ms);
  return side;
}
v1::Side Arriving(int64_t client_time_ms = 0) { return Committed(0, client_time_ms); }

merge::Side Later(const v1::Side& base, const v1::Side& theirs, const v1::Side& ours) {
  return OrderOf(base, theirs, ours, kNowMs, kSkew).later;
}
bool CloseCall(const v1::Side& theirs, const v1::Side& ours) {
  return OrderOf(Committed(kNowMs - kYearsMs), theirs, ours, kNowMs, kSkew).close_call;
}

const v1::Side kBase = Committed(kNowMs - 10 * kHourMs);

TEST(HybridTime, WithoutClocksTheLaterCommitIsLater) {
  EXPECT_EQ(Later(kBase, Committed(kNowMs - kHourMs), Arriving()), merge::Side::kOurs);
  EXPECT_EQ(Later(kBase, Committed(kNowMs), Arriving()), merge::Side::kOurs);
  EXPECT_EQ(Later(v1::Side(), v1::Side(), v1::Side()), merge::Side::kOurs);
}

TEST(HybridTime, AWriteMadeEarlierAndSentLaterIsEarlier) {
  const v1::Side theirs = Committed(kNowMs - kHourMs, kNowMs - kHourMs);
  EXPECT_EQ(Later(kBase, theirs, Arriving(kNowMs - 2 * kHourMs)), merge::Side::kTheirs);
  EXPECT_EQ(Later(kBase, theirs, Arriving(kNowMs - kHourMs / 2)), merge::Side::kOurs);
}

TEST(HybridTime, AClockAheadIsHeldToTheCommit) {
  for (const int64_t wrong_ms : {kHourMs, kYearsMs}) {
    const v1::Side theirs = Committed(kNowMs - kHourMs, kNowMs - kHourMs + wrong_ms);
    EXPECT_EQ(HybridTimeMs(theirs, 0, kNowMs), kNowMs - kHourMs);
    EXPECT_EQ(Later(kBase, theirs, Arriving(kNowMs)), merge::Side::kOurs);
    EXPECT_EQ(HybridTimeMs(Arriving(kNowMs + wrong_ms), 0, kNowMs), kNowMs);
  }
}

TEST(HybridTime, AClockBehindIsHeldToTheBase) {
  for (const int64_t wrong_ms : {kHourMs, kYearsMs}) {
    const int64_t base_ms = kNowMs - kHourMs / 2;
    EXPECT_EQ(HybridTimeMs(Arriving(kNowMs - wrong_ms), base_ms, kNowMs), base_ms);
    const v1::Side theirs = Committed(kNowMs - kSecondMs, kNowMs - kSecondMs - wrong_ms);
    EXPECT_EQ(Later(Committed(base_ms), theirs, Arriving(kNowMs)), merge::Side::kOurs);
  }
}

TEST(HybridTime, NoClockPutsAVersionBeforeItsBase) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const auto near = [&random](int64_t time_ms) {
      constexpr int64_t kWrong[] = {1, kSecondMs, kHourMs, kYearsMs};
      const int64_t wrong_ms = kWrong[random() % 4];
      return time_ms + static_cast<int64_t>(random() % (2 * wrong_ms + 1)) - wrong_ms;
    };
    const v1::Side base = Committed(kNowMs - kHourMs, random() % 2 == 0 ? 0 : near(kNowMs));
    const int64_t base_ms = HybridTimeMs(base, 0, kNowMs);
    ASSERT_LE(base_ms, base.time_ms());
    const v1::Side child = Committed(kNowMs - kSecondMs, near(kNowMs));
    const int64_t child_ms = HybridTimeMs(child, base_ms, kNowMs);
    ASSERT_GE(child_ms, base_ms);
    ASSERT_LE(child_ms, child.time_ms());
  }
}

TEST(HybridTime, TimesNearerThanClocksMayDifferAreFlagged) {
  const int64_t skew_ms = absl::ToInt64Milliseconds(kSkew);
  const v1::Side theirs = Committed(kNowMs - kHourMs, kNowMs - kHourMs);
  EXPECT_TRUE(CloseCall(theirs, Arriving(kNowMs - kHourMs)));
  EXPECT_TRUE(CloseCall(theirs, Arriving(kNowMs - kHourMs + skew_ms - 1)));
  EXPECT_FALSE(CloseCall(theirs, Arriving(kNowMs - kHourMs + skew_ms)));
  EXPECT_TRUE(CloseCall(theirs, Arriving(kNowMs - kHourMs - skew_ms + 1)));
  EXPECT_FALSE(CloseCall(theirs, Arriving(kNowMs - kHourMs - skew_ms)));
}

TEST(HybridTime, CommitsAreNoCloseCall) {
  EXPECT_FALSE(CloseCall(Committed(kNowMs - kSecondMs), Arriving()));
  EXPECT_TRUE(CloseCall(Committed(kNowMs - kSecondMs), Arriving(kNowMs)));
  EXPECT_FALSE(CloseCall(v1::Side(), Arriving(kNowMs))) << "nothing is known of theirs";
}

}  // namespace
}  // namespace bdcsync::conflict
