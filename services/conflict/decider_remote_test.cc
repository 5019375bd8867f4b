// Rules that ask other programs, from the request to the record: rounds, chains, failures, time.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/base/clock.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/decider.h"
#include "services/conflict/remote/fake_resolver_testing.h"
#include "services/conflict/rules_testing.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class DeciderRemoteTest : public ::testing::Test {
 protected:
  DeciderRemoteTest() {
    UseRules(R"({"rules":[{"path":"$.price","rule":"remote","resolver":"price","else":"min"}]})");
  }
  void UseRules(const std::string& rules) { rules_ = RulesOf({{"product", rules}}, 7); }

  // One more item; `theirs_item` counts from 1.
  void Add(const std::string& base, const std::string& theirs, const std::string& ours,
           uint32_t theirs_item = 0) {
    v1::ResolveItem& item = *request_.add_items();
    item.set_op_id(absl::StrCat("op", request_.items_size()));
    item.mutable_entity()->set_space("s");
    item.mutable_entity()->set_entity_type("product");
    item.mutable_entity()->set_entity_id("p");
    for (auto [side, data] :
         {std::pair(item.mutable_base(), &base), std::pair(item.mutable_theirs(), &theirs),
          std::pair(item.mutable_ours(), &ours)}) {
      side->set_exists(!data->empty());
      side->set_data(*data);
    }
    item.mutable_ours()->set_user_id("ada");
    item.set_theirs_item(theirs_item);
  }
  static std::string Price(int price, int stock = 1) {
    return absl::StrCat(R"({"price":)", price, R"(,"stock":)", stock, "}");
  }
  void Begin() {
    decider_.Resolve(request_, [this](absl::StatusOr<v1::ResolveResponse> response) {
      EXPECT_FALSE(done_.HasBeenNotified()) << "answered twice";
      answer_ = std::move(response);
      done_.Notify();
    });
  }
  // What became of each item.
  std::vector<std::string> Merged() {
    done_.WaitForNotification();
    EXPECT_OK(answer_.status());
    std::vector<std::string> merged;
    for (const v1::ResolveResult& result : answer_->results()) {
      merged.push_back(result.has_error() ? result.error().code() : result.merged().data());
    }
    return merged;
  }
  // "op1 remote value", one for each decision on record.
  std::vector<std::string> Records() {
    std::vector<std::string> told;
    const auto stored = storage_->List({.space = "s", .limit = 100});
    EXPECT_OK(stored.status());
    for (const StoredResolution& record : *stored) {
      for (const v1::Decision& decision : record.resolution.decisions()) {
        told.push_back(
            absl::StrCat(record.resolution.op_id(), " ", decision.rule(), " ", decision.chosen()));
      }
    }
    return told;
  }

  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  std::unique_ptr<ResolutionStorage> storage_ = *OpenSqliteResolutionStorage(sql::kSqliteMemory);
  rpc::WorkerPool workers_{{.threads = 2, .queued_max = 64}};
  Recorder recorder_{*storage_, workers_, clock_, {}, [](size_t, absl::Duration) {}};
  std::shared_ptr<const ActiveRules> rules_;
  FakeResolver resolver_;
  std::atomic<int> told_{0};
  std::atomic<size_t> out_of_time_{0};
  const RemoteAccess remote_{.resolver = resolver_,
                             .clock = clock_,
                             .on_out_of_time = [this](size_t places) { out_of_time_ += places; }};
  Decider decider_{recorder_,
                   workers_,
                   remote_,
                   clock_,
                   [this] { return rules_; },
                   {.script_time_max = absl::Milliseconds(500)},
                   {.on_resolved = [this](const v1::ResolveResult&) { ++told_; },
                    .on_script = [](absl::string_view, const absl::Status&) {}}};
  v1::ResolveRequest request_;
  absl::Notification done_;
  absl::StatusOr<v1::ResolveResponse> answer_;
};

TEST_F(DeciderRemoteTest, TheAnswerStandsAndIsOnRecordOnce) {
  Add(Price(10), Price(20, 2), Price(30));
  Begin();
  FakeResolver::Asked asked = resolver_.Take();
  EXPECT_EQ(asked.name, "price");
  ASSERT_EQ(asked.places.size(), 1u);
  const RemotePlace& place = asked.places[0];
  EXPECT_EQ(place.path, "/price");
  EXPECT_EQ(place.kind, "edit_edit");
  EXPECT_THAT((std::vector{place.base, place.theirs, place.ours}), ElementsAre("10", "20", "30"));
  EXPECT_EQ(place.meeting->entity.branch(), "main");
  EXPECT_EQ(place.meeting->ours.user_id(), "ada");
  EXPECT_EQ(place.meeting->theirs.data(), Price(20, 2));
  EXPECT_FALSE(done_.HasBeenNotified());
  EXPECT_EQ(told_, 0);
  asked.AnswerAll(ValueOf("25"));
  EXPECT_THAT(Merged(), ElementsAre(Price(25, 2)));
  EXPECT_THAT(Records(), ElementsAre("op1 remote value", "op1 three_way theirs"));
  EXPECT_EQ(told_, 1);
  const v1::Decision& decision = answer_->results(0).decisions(0);
  EXPECT_EQ(decision.result(), "25");
  EXPECT_EQ(decision.theirs(), "20");
  EXPECT_EQ(decision.ours(), "30");
}

TEST_F(DeciderRemoteTest, AnswerOfOneSideAndRemovalAreToldAsSuch) {
  Add(Price(10), Price(20), Price(30));
  Add(Price(10), Price(20), Price(30));
  Begin();
  FakeResolver::Asked asked = resolver_.Take();
  asked.answered({ValueOf("20"), RemoteAnswer{}});
  EXPECT_THAT(Merged(), ElementsAre(Price(20), R"({"stock":1})"));
  EXPECT_THAT(Records(), UnorderedElementsAre("op1 remote theirs", "op2 remote value"));
}

TEST_F(DeciderRemoteTest, WhateverFailsIsDecidedByTheElse) {
  for (int i = 0; i < kNoAnswers; ++i) Add(Price(10), Price(20), Price(30));
  Begin();
  FakeResolver::Asked asked = resolver_.Take();
  std::vector<RemoteAnswer> answers;
  for (int i = 0; i < kNoAnswers; ++i) answers.push_back(Nothing(static_cast<NoAnswer>(i)));
  asked.answered(std::move(answers));
  for (const std::string& merged : Merged()) EXPECT_EQ(merged, Price(20));
  for (const std::string& record : Records()) EXPECT_THAT(record, ::testing::HasSubstr(" min "));
}

TEST_F(DeciderRemoteTest, PlacesOfManyItemsGoOutTogetherAndOthersAreDecidedMeanwhile) {
  Add(Price(10), Price(20), Price(30));
  Add(Price(10), Price(10, 2), Price(11));  // Nothing meets.
  Add(Price(10), Price(21), Price(31));
  Begin();
  FakeResolver::Asked asked = resolver_.Take();
  EXPECT_THAT(asked.paths(), ElementsAre("op1/price", "op3/price"));
  EXPECT_EQ(resolver_.held(), 0u);
  asked.answered({ValueOf("1"), ValueOf("2")});
  EXPECT_THAT(Merged(), ElementsAre(Price(1), Price(11, 2), Price(2)));
}

TEST_F(DeciderRemoteTest, AnItemThatMeetsAnOutcomeWaitsForIt) {
  Add(Price(10), Price(20), Price(30));
  Add(Price(10), "", Price(40), 1);
  Add(Price(10), "", Price(10, 5), 2);  // Asks nobody, but meets what was asked.
  Begin();
  FakeResolver::Asked first = resolver_.Take();
  EXPECT_THAT(first.paths(), ElementsAre("op1/price"));
  first.AnswerAll(ValueOf("25"));
  FakeResolver::Asked second = resolver_.Take();
  EXPECT_THAT(second.paths(), ElementsAre("op2/price"));
  EXPECT_EQ(second.places[0].theirs, "25");
  EXPECT_EQ(second.places[0].meeting->theirs.data(), Price(25));
  second.AnswerAll(ValueOf("35"));
  EXPECT_THAT(Merged(), ElementsAre(Price(25), Price(35), Price(35, 5)));
  EXPECT_EQ(told_, 3);
}

TEST_F(DeciderRemoteTest, AnItemThatMeetsARefusedOneIsRefusedWithoutAsking) {
  Add(Price(10), Price(20), "{");
  Add(Price(10), "", Price(40), 1);
  Begin();
  EXPECT_THAT(Merged(), ElementsAre("invalid_argument", "depends_on_rejected"));
  EXPECT_EQ(resolver_.rounds(), 0);
}

TEST_F(DeciderRemoteTest, AnElseMayAskAnotherResolver) {
  UseRules(R"({"rules":[{"path":"$.price","rule":"remote","resolver":"a",
      "else":{"rule":"remote","resolver":"b","else":"max"}}]})");
  Add(Price(10), Price(20), Price(30));
  Add(Price(10), Price(20), Price(30));
  Begin();
  FakeResolver::Asked first = resolver_.Take();
  EXPECT_EQ(first.name, "a");
  first.answered({Nothing(NoAnswer::kDeclined), ValueOf("1")});
  FakeResolver::Asked second = resolver_.Take();
  EXPECT_EQ(second.name, "b");
  EXPECT_THAT(second.paths(), ElementsAre("op1/price"));
  second.AnswerAll(Nothing(NoAnswer::kDeadline));
  EXPECT_THAT(Merged(), ElementsAre(Price(30), Price(1)));
}

TEST_F(DeciderRemoteTest, ResolversAreAskedAtOnceAndTheLastAnswerGoesOn) {
  UseRules(R"({"rules":[{"path":"$.price","rule":"remote","resolver":"price"},
      {"path":"$.stock","rule":"remote","resolver":"stock"}]})");
  Add(Price(10, 1), Price(20, 2), Price(30, 3));
  Begin();
  ASSERT_EQ(resolver_.held(), 2u);
  FakeResolver::Asked price = resolver_.Take();
  FakeResolver::Asked stock = resolver_.Take();
  stock.AnswerAll(ValueOf("8"));
  EXPECT_FALSE(done_.HasBeenNotified());
  price.AnswerAll(ValueOf("7"));
  EXPECT_THAT(Merged(), ElementsAre(Price(7, 8)));
}

TEST_F(DeciderRemoteTest, WithScriptsEveryRoundRunsOnAWorker) {
  UseRules(R"({"rules":[{"path":"$.price","rule":"remote","resolver":"price"},
      {"path":"$.stock","rule":"script","script":"return ours + theirs"}]})");
  Add(Price(10, 1), Price(20, 2), Price(30, 3));
  Add(Price(10, 1), "", Price(40, 1), 1);
  Begin();
  FakeResolver::Asked first = resolver_.Take();
  clock_.Advance(absl::Seconds(1));  // Waiting is no time of scripts.
  first.AnswerAll(ValueOf("7"));
  resolver_.Take().AnswerAll(ValueOf("9"));
  EXPECT_THAT(Merged(), ElementsAre(Price(7, 5), Price(9, 5)));
  EXPECT_EQ(told_, 2);
}

TEST_F(DeciderRemoteTest, WhatPeopleAreAskedStaysOpenBesideIt) {
  UseRules(R"({"rules":[{"path":"$.price","rule":"remote","resolver":"price","else":"ask"},
      {"path":"$.stock","rule":"ask"}]})");
  Add(Price(10, 1), Price(20, 1), Price(30, 1));
  Add(Price(10, 1), Price(20, 2), Price(30, 3));
  Begin();
  FakeResolver::Asked asked = resolver_.Take();
  asked.answered({Nothing(NoAnswer::kDeclined), ValueOf("7")});
  EXPECT_THAT(Merged(), ElementsAre(Price(20, 1), Price(20, 2)));
  ASSERT_TRUE(answer_->results(0).has_conflict());
  EXPECT_EQ(answer_->results(0).conflict().places(0).decision().path(), "/price");
  ASSERT_EQ(answer_->results(1).conflict().places_size(), 1);
  EXPECT_EQ(answer_->results(1).conflict().places(0).decision().path(), "/stock");
}

TEST_F(DeciderRemoteTest, AStretchOfAnArrayIsAskedAboutAsArrays) {
  UseRules(R"({"rules":[{"path":"$.l","rule":"sequence",
      "else":{"rule":"remote","resolver":"lists"}}]})");
  for (int i = 0; i < 3; ++i) Add(R"({"l":[1,2,3]})", R"({"l":[1,5,3]})", R"({"l":[1,6,3]})");
  Begin();
  FakeResolver::Asked asked = resolver_.Take();
  EXPECT_TRUE(asked.places[0].stretch);
  EXPECT_EQ(asked.places[0].path, "/l");
  EXPECT_EQ(asked.places[0].kind, "region");
  EXPECT_EQ(asked.places[0].base, "[2]");
  asked.answered({ValueOf("[7,8]"), RemoteAnswer{}, Nothing(NoAnswer::kUnanswered)});
  EXPECT_THAT(Merged(), ElementsAre(R"({"l":[1,7,8,3]})", R"({"l":[1,3]})", R"({"l":[1,6,3]})"));
}

TEST_F(DeciderRemoteTest, WhenTheTimeIsUpTheElseDecidesTheRest) {
  Add(Price(10), Price(20), Price(30));
  for (uint32_t i = 1; i < 4; ++i) Add(Price(10), "", Price(40), i);
  Begin();
  resolver_.Take().AnswerAll(ValueOf("25"));
  FakeResolver::Asked second = resolver_.Take();
  clock_.Advance(remote_.wait_max);
  second.AnswerAll(ValueOf("45"));  // What has come counts.
  EXPECT_THAT(Merged(), ElementsAre(Price(25), Price(45), Price(40), Price(40)));
  EXPECT_EQ(resolver_.held(), 0u);
  EXPECT_EQ(out_of_time_, 1u) << "the fourth changes nothing that the third left";
}

TEST_F(DeciderRemoteTest, ALongChainOfAnswersAtOnceNeedsNoStack) {
  resolver_.AnswerAtOnce(Nothing(NoAnswer::kBreakerOpen));
  Add(Price(10), Price(20), Price(30));
  for (int i = 1; i < kResolveItemsMax; ++i) {
    Add(Price(10), "", Price(10000 - i), static_cast<uint32_t>(i));
  }
  Begin();
  EXPECT_EQ(Merged().back(), Price(20));
  EXPECT_EQ(resolver_.rounds(), kResolveItemsMax);
  EXPECT_EQ(told_, kResolveItemsMax);
}

TEST_F(DeciderRemoteTest, OfOneItemOnlySoManyPlacesAreAskedAbout) {
  UseRules(R"({"rules":[{"path":"$.*","rule":"remote","resolver":"any","else":"theirs"}]})");
  std::string sides[3];
  for (int side = 0; side < 3; ++side) {
    sides[side] = "{";
    for (int i = 0; i < 257; ++i) {
      absl::StrAppend(&sides[side], i == 0 ? "" : ",", "\"m", i, "\":", side);
    }
    sides[side] += "}";
  }
  Add(sides[0], sides[1], sides[2]);
  Begin();
  FakeResolver::Asked asked = resolver_.Take();
  EXPECT_EQ(asked.places.size(), 256u);
  asked.AnswerAll(ValueOf("9"));
  const std::string merged = Merged()[0];
  EXPECT_THAT(merged, ::testing::HasSubstr(R"("m255":9)"));
  EXPECT_THAT(merged, ::testing::HasSubstr(R"("m256":1)"));
}

TEST_F(DeciderRemoteTest, OfOneItemOnlySoManyBytesOfPathsAreAskedAbout) {
  UseRules(R"({"rules":[{"path":"$.*","rule":"remote","resolver":"any","else":"theirs"}]})");
  const std::string name(kRemotePathBytesMax / 2 - 2, 'n');  // Of a path of two bytes more.
  std::string sides[3];
  for (int side = 0; side < 3; ++side) {
    sides[side] =
        absl::StrCat("{\"a", name, "\":", side, ",\"b", name, "\":", side, ",\"\":", side, "}");
  }
  Add(sides[0], sides[1], sides[2]);
  Begin();
  FakeResolver::Asked asked = resolver_.Take();
  EXPECT_EQ(asked.places.size(), 2u);
  asked.AnswerAll(ValueOf("9"));
  const std::string merged = Merged()[0];
  EXPECT_THAT(merged, ::testing::HasSubstr(R"(n":9,"b)"));
  EXPECT_THAT(merged, ::testing::HasSubstr(R"("":1)"));
}

}  // namespace
}  // namespace bdcsync::conflict
