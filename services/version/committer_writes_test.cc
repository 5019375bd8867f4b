// What the resolver is told of when each place of a head was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/version/testing/committer_fixture.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::OUTCOME_APPLIED;
using common::v1::OUTCOME_MERGED;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TellingWrites : public CommitterFixture {
 protected:
  static Operation At(Operation operation, int64_t client_time_ms) {
    operation.set_client_time_ms(client_time_ms);
    return operation;
  }
  // Of the last call, item by item: "<paths> <client time>", or "asks" while it could be told more.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    const conflict::v1::ResolveRequest last = resolver_.last_request();
    for (const conflict::v1::ResolveItem& item : last.items()) {
      std::vector<std::string> writes;
      for (const conflict::v1::Write& write : item.theirs_writes()) {
        writes.push_back(
            absl::StrCat(absl::StrJoin(write.changed_paths(), "+"), " ", write.client_time_ms()));
        EXPECT_GE(write.time_ms(), 0);
      }
      if (item.can_tell_writes()) writes.emplace_back("can tell");
      told.push_back(absl::StrJoin(writes, ", "));
    }
    return told;
  }
  std::string Base() { return Commit(At(Create("a", R"({"x":0,"y":0,"z":0})"), 1)).version_id(); }
  // Two operations of one client on one base, after which others wrote twice.
  std::vector<Operation> MineAfterOthers() {
    resolver_.WantWrites();
    const std::string base = Base();
    Commit(At(Patch("a", R"({"x":1})"), 100));
    Commit(At(Patch("a", R"({"y":1})"), 200));
    return {At(On(Patch("a", R"({"z":2})"), base), 30), At(On(Patch("a", R"({"x":2})"), base), 40)};
  }
  int told(WritesTold how) { return observer_.writes[static_cast<size_t>(how)]; }
};

TEST_F(TellingWrites, OfAHeadThatFollowsTheBaseAtOnceNothingIsToBeTold) {
  const std::string base = Base();
  Commit(At(Patch("a", R"({"x":1})"), 100));
  Commit(On(Patch("a", R"({"x":2})"), base));
  EXPECT_THAT(Told(), ElementsAre(""));
}

TEST_F(TellingWrites, WhoDoesNotAskIsToldNothingAndNothingIsRead) {
  const std::string base = Base();
  Commit(At(Patch("a", R"({"x":1})"), 100));
  Commit(At(Patch("a", R"({"y":1})"), 200));
  const int reads = log_.stream_reads();
  Commit(On(Patch("a", R"({"z":2})"), base));
  EXPECT_THAT(Told(), ElementsAre("can tell"));
  EXPECT_EQ(log_.stream_reads(), reads + 1) << "the base";
  EXPECT_EQ(resolver_.calls(), 1);
}

TEST_F(TellingWrites, WhoAsksIsToldWhatEachVersionWroteAndNobodyElseWaits) {
  resolver_.WantWrites();
  const std::string base = Base();
  Commit(At(Patch("a", R"({"x":1})"), 100));
  Commit(At(Update("a", R"({"x":1,"y":1,"z":1})"), 200));
  EXPECT_EQ(Commit(On(Patch("a", R"({"x":2})"), base)).outcome(), OUTCOME_MERGED);
  EXPECT_THAT(Told(), ElementsAre("/x 100, /y+/z 200"));
  EXPECT_EQ(resolver_.calls(), 2);
  EXPECT_EQ(told(WritesTold::kAsked), 1);
  EXPECT_EQ(VersionsOf("a"), 4u);
}

TEST_F(TellingWrites, WhatWasReadIsRememberedWithWhatComesAfter) {
  resolver_.WantWrites();
  const std::string base = Base();
  Commit(At(Patch("a", R"({"x":1})"), 100));
  Commit(At(Patch("a", R"({"y":1})"), 200));
  Commit(At(On(Patch("a", R"({"x":2})"), base), 300));
  Commit(At(Patch("a", R"({"z":4})"), 400));
  const int reads = log_.stream_reads();
  const int calls = resolver_.calls();
  Commit(On(Patch("a", R"({"x":3})"), base));
  EXPECT_THAT(Told(), ElementsAre("/x 100, /y 200, /x 300, /z 400"));
  EXPECT_EQ(resolver_.calls(), calls + 1) << "it need not ask";
  EXPECT_EQ(log_.stream_reads(), reads + 1) << "the base";
  EXPECT_EQ(told(WritesTold::kUnasked), 1);
  const conflict::v1::ResolveRequest last = resolver_.last_request();
  for (const auto& write : last.items(0).theirs_writes()) {
    EXPECT_GT(write.time_ms(), 0) << "also of what was committed here";
  }
}

TEST_F(TellingWrites, NoClockPutsAVersionBeforeTheOneThatItWasMadeFrom) {
  resolver_.WantWrites();
  const std::string base = Base();
  const std::string fast = Commit(At(Patch("a", R"({"x":1})"), 300)).version_id();
  Commit(At(On(Patch("a", R"({"x":2})"), fast), 200));
  Commit(At(Patch("a", R"({"y":3})"), 100));
  Commit(At(On(Patch("a", R"({"z":4})"), base), 50));
  Commit(On(Patch("a", R"({"x":9})"), base));
  EXPECT_THAT(Told(), ElementsAre("/x 300, /x 300, /y 300, /z 50"));
}

TEST_F(TellingWrites, ACommitWithoutAClockIsNotBeforeWhatIsMadeFromIt) {
  resolver_.WantWrites();
  const std::string base = Base();
  CommitAll({Patch("a", R"({"x":1})"), At(Patch("a", R"({"x":2})"), 200)});
  const int64_t made_ms = Commit(Patch("a", R"({"y":1})")).time_ms();
  Commit(At(Patch("a", R"({"y":2})"), 200));
  Commit(On(Patch("a", R"({"x":9})"), base));
  EXPECT_THAT(Told(), ElementsAre(absl::StrCat("/x 0, /x 0, /y 0, /y ", made_ms)))
      << "0: as its commit";
}

TEST_F(TellingWrites, OperationsThatMeetTogetherAreToldOfWhatIsStored) {
  resolver_.WantWrites();
  const std::string base = Base();
  const std::string later = Commit(At(Patch("a", R"({"y":1})"), 100)).version_id();
  const auto results =
      CommitAll({On(Patch("a", R"({"y":2})"), base), On(Patch("a", R"({"y":3})"), base),
                 On(Patch("a", R"({"y":4})"), later)});
  for (const Result& result : results) EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
  EXPECT_THAT(Told(), ElementsAre("", " 100", "")) << "the resolver knows the items themselves";
  EXPECT_EQ(resolver_.calls(), 1);
}

// What a client made on top of its own operation is told of what others wrote since the version
// that both name, whether that operation met them just now or in an earlier request.
TEST_F(TellingWrites, ABatchIsToldOfAllThatItsClientDidNotKnow) {
  const std::vector<Operation> mine = MineAfterOthers();
  EXPECT_EQ(CommitAll(mine, As::kClientBatch)[1].outcome(), OUTCOME_MERGED);
  EXPECT_THAT(Told(), ElementsAre("/x 100, /y 200, /z 30"));
}

TEST_F(TellingWrites, ABatchThatIsSentAgainIsToldOfAllThatItsClientDidNotKnow) {
  const std::vector<Operation> mine = MineAfterOthers();
  CommitAll({mine[0]}, As::kClientBatch);
  Commit(At(Patch("a", R"({"y":2})"), 400));
  EXPECT_EQ(CommitAll(mine, As::kClientBatch)[1].outcome(), OUTCOME_MERGED);
  EXPECT_THAT(Told(), ElementsAre("/x 100, /y 200, /z 30, /y 400"));
}

TEST_F(TellingWrites, WhatIsNotStoredYetIsStoredBeforeItIsToldOf) {
  resolver_.WantWrites();
  const std::string base = Base();
  Commit(At(Patch("a", R"({"x":1})"), 100));
  const auto results =
      CommitAll({At(Patch("a", R"({"y":1})"), 200), On(Patch("a", R"({"x":3})"), base),
                 On(Patch("a", R"({"y":4})"), base)});
  EXPECT_EQ(results[0].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(results[1].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(results[2].outcome(), OUTCOME_MERGED);
  EXPECT_THAT(Told(), ElementsAre("/x 100, /y 200", "/x 100, /y 200"));
  EXPECT_EQ(DataOf("a"), R"({"x":3,"y":4,"z":0})");
}

// What it has made is not stored before all is, so the log does not lead to it.
TEST_F(TellingWrites, AnAtomicBatchIsMadeAgainOnceItCanBeTold) {
  resolver_.WantWrites();
  const std::string base = Base();
  Commit(At(Patch("a", R"({"x":1})"), 100));
  const auto results = CommitAll({Patch("a", R"({"y":1})"), On(Patch("a", R"({"x":3})"), base),
                                  On(Patch("a", R"({"z":3})"), base), Create("b", "1")},
                                 As::kAtomic);
  for (const Result& result : results) EXPECT_FALSE(result.has_error());
  EXPECT_EQ(DataOf("a"), R"({"x":3,"y":1,"z":3})");
  EXPECT_THAT(Told(), ElementsAre("/x 100, /y 0, /x 0"));
  EXPECT_EQ(VersionsOf("a"), 5u);
}

TEST_F(TellingWrites, AnAtomicBatchThatIsAskedForEverIsAnsweredInTheEnd) {
  resolver_.WantWrites(/*for_ever=*/true);
  const std::string base = Base();
  Commit(At(Patch("a", R"({"x":1})"), 100));
  const auto results =
      CommitAll({Patch("a", R"({"y":1})"), On(Patch("a", R"({"x":3})"), base), Create("b", "1")},
                As::kAtomic);
  for (const Result& result : results) EXPECT_FALSE(result.has_error());
  EXPECT_EQ(DataOf("a"), R"({"x":3,"y":1,"z":0})");
}

TEST_F(TellingWrites, ABaseTooFarBehindIsComparedWithTheHead) {
  resolver_.WantWrites();
  const std::string base = Base();
  for (int64_t i = 0; i < kWritesDistanceMax; ++i) {
    Commit(Patch("a", absl::StrCat(R"({"y":)", i + 1, "}")));
  }
  Commit(On(Patch("a", R"({"x":2})"), base));
  EXPECT_EQ(resolver_.last_request().items(0).theirs_writes_size(), kWritesDistanceMax);
  EXPECT_EQ(told(WritesTold::kTooFar), 0);
  Restart();
  const int calls = resolver_.calls();
  Commit(On(Patch("a", R"({"x":3})"), base));
  EXPECT_THAT(Told(), ElementsAre(""));
  EXPECT_EQ(resolver_.calls(), calls + 1);
  EXPECT_EQ(told(WritesTold::kTooFar), 1);
}

TEST_F(TellingWrites, AHeadThatMovesWhileItIsLookedForIsToldOfToo) {
  resolver_.WantWrites();
  const std::string base = Base();
  Commit(At(Patch("a", R"({"x":1})"), 100));
  Commit(At(Patch("a", R"({"y":1})"), 200));
  log_.BeforeNextAppend([this] { WriteElsewhere("a", R"({"x":1,"y":1,"z":9})"); });
  EXPECT_EQ(Commit(On(Patch("a", R"({"x":2})"), base)).outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"x":2,"y":1,"z":9})");
  EXPECT_THAT(Told(), ElementsAre("/x 100, /y 200,  0"));
}

TEST_F(TellingWrites, WhoAsksForEverIsAnsweredInTheEnd) {
  resolver_.WantWrites(/*for_ever=*/true);
  const std::string base = Base();
  Commit(Patch("a", R"({"x":1})"));
  Commit(Patch("a", R"({"y":1})"));
  EXPECT_EQ(Commit(On(Patch("a", R"({"x":2})"), base)).outcome(), OUTCOME_MERGED);
  EXPECT_EQ(resolver_.calls(), kTimesWantedMax + 2);
}

}  // namespace
}  // namespace bdcsync::version::testing
