#include "libs/base/call_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace bdcsync {
namespace {

using ::testing::StartsWith;

TEST(CallTraceTest, ScopesNestAndBelongToTheirThread) {
  EXPECT_EQ(CallScope::Current().request_id, "");
  const CallScope outer({"a", absl::Seconds(1)});
  {
    const CallScope inner({"b", absl::Seconds(2)});
    EXPECT_EQ(CallScope::Current().request_id, "b");
    std::thread([] { EXPECT_EQ(CallScope::Current().request_id, ""); }).join();
  }
  EXPECT_EQ(CallScope::Current().request_id, "a");
  EXPECT_EQ(CallScope::Current().not_after, absl::Seconds(1));
}

TEST(CallTraceTest, RequestIdsOfCallersAreCleanedAndCut) {
  EXPECT_EQ(CleanRequestId("\"a b\n\xff-1\""), "ab-1");
  EXPECT_EQ(CleanRequestId(std::string(kRequestIdBytesMax, 'x')).size(), kRequestIdBytesMax);
  EXPECT_EQ(CleanRequestId(std::string(kRequestIdBytesMax + 1, 'x')).size(), kRequestIdBytesMax);
}

TEST(CallTraceTest, ABatchOfOneRequestKeepsItsId) {
  SeededRandom random(1);
  const CallTrace request{"a", absl::Seconds(1)};
  const CallTrace batch = TraceOfBatch({&request, &request}, random);
  EXPECT_EQ(batch.request_id, "a");
  EXPECT_EQ(batch.not_after, absl::Seconds(1));
}

TEST(CallTraceTest, ABatchOfSeveralHasAnIdOfItsOwnAndTheLatestMoment) {
  SeededRandom random(1);
  const CallTrace early{"a", absl::Seconds(1)};
  const CallTrace late{"b", absl::Seconds(3)};
  const CallTrace batch = TraceOfBatch({&late, &early}, random);
  EXPECT_THAT(batch.request_id, StartsWith("batch-"));
  EXPECT_EQ(batch.not_after, absl::Seconds(3));
  EXPECT_NE(TraceOfBatch({&late, &early}, random).request_id, batch.request_id);
  const CallTrace patient{"c"};
  EXPECT_EQ(TraceOfBatch({&early, &patient}, random).not_after, absl::InfiniteDuration());
}

TEST(CallTraceTest, RequestsWithoutAnIdGetOne) {
  SeededRandom random(1);
  const CallTrace nameless;
  EXPECT_THAT(TraceOfBatch({&nameless}, random).request_id, StartsWith("batch-"));
}

}  // namespace
}  // namespace bdcsync
