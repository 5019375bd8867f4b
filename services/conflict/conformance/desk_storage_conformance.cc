#include "services/conflict/conformance/desk_storage_conformance.h"

#include <gmock/gmock.h>

#include <atomic>
#include <limits>
#include <thread>

#include "absl/strings/str_cat.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::conflict {

using ::testing::SizeIs;

namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int kAll = 500;
const std::vector<v1::ConflictState> kOpenOnes = {v1::CONFLICT_STATE_OPEN,
                                                  v1::CONFLICT_STATE_ASSIGNED};

std::string Id(const std::string& letter) { return letter + std::string(31, '0'); }

v1::Conflict Conflict(const std::string& letter, int64_t opened_ms) {
  v1::Conflict conflict;
  conflict.set_conflict_id(Id(letter));
  conflict.mutable_entity()->set_space("s");
  conflict.mutable_entity()->set_entity_type("note");
  conflict.mutable_entity()->set_entity_id("caf\xc3\xa9");
  conflict.mutable_entity()->set_branch("main");
  conflict.set_branch("conflict/" + Id(letter));
  conflict.set_state(v1::CONFLICT_STATE_OPEN);
  conflict.set_op_id("op-" + letter);
  conflict.set_base_version_id("1-0000000000000001");
  conflict.set_user_id("ada");
  conflict.set_device_id("phone");
  conflict.set_app_version("1.2");
  v1::OpenPlace& place = *conflict.add_places();
  place.mutable_decision()->set_path("/a~1b");
  place.mutable_decision()->set_rule("ask");
  place.mutable_decision()->set_ours(std::string("\0\xff", 2));
  place.set_fallback("theirs");
  conflict.set_opened_ms(opened_ms);
  conflict.set_deadline_ms(opened_ms + 1000);
  conflict.set_rule_set_version(3);
  return conflict;
}

v1::Conflict Of(v1::Conflict conflict, const std::string& space, const std::string& type,
                const std::string& id) {
  conflict.mutable_entity()->set_space(space);
  conflict.mutable_entity()->set_entity_type(type);
  conflict.mutable_entity()->set_entity_id(id);
  return conflict;
}

v1::Conflict As(v1::Conflict conflict, v1::ConflictState state) {
  conflict.set_state(state);
  if (state > v1::CONFLICT_STATE_ASSIGNED) {
    conflict.set_closed_ms(5000);
    conflict.set_closed_by("eve");
    conflict.set_closing_version_id("9-0000000000000009");
  }
  return conflict;
}

v1::Conflict Opening(v1::Conflict conflict) { return As(conflict, v1::CONFLICT_STATE_OPENING); }
v1::Conflict Resolved(v1::Conflict conflict) { return As(conflict, v1::CONFLICT_STATE_RESOLVED); }

ConflictQuery Query(std::vector<v1::ConflictState> states = kOpenOnes) {
  return {.space = "s", .states = std::move(states), .before_ms = kMax, .limit = kAll};
}

v1::Resolution Closing(const v1::Conflict& conflict) {
  v1::Resolution record;
  record.set_op_id("close-" + conflict.conflict_id());
  *record.mutable_entity() = conflict.entity();
  record.set_time_ms(conflict.closed_ms());
  record.set_conflict_id(conflict.conflict_id());
  record.set_rule_set_version(3);
  record.set_app_version("1.2");
  v1::Decision& decision = *record.add_decisions();
  decision.set_path("/a");
  decision.set_rule("ask");
  decision.set_chosen("ours");
  return record;
}

}  // namespace

void DeskStorageConformance::SetUp() {
  home_ = GetParam().make();
  if (home_ == nullptr) return;  // `make` has skipped or failed the test.
  Reopen();
}

void DeskStorageConformance::Reopen() {
  desk_.reset();
  records_.reset();
  records_ = home_->OpenRecords();
  desk_ = home_->OpenDesk();
  analysis_ = home_->OpenAnalysis();
  ASSERT_NE(desk_, nullptr);
  ASSERT_NE(records_, nullptr);
}

void DeskStorageConformance::Hold(const v1::Conflict& conflict, int64_t now_ms) {
  ASSERT_OK(desk().Record({.held = {conflict}, .now_ms = now_ms}));
}

void DeskStorageConformance::Forget(const std::string& id) {
  ASSERT_OK(desk().Record({.forgotten = {id}, .now_ms = 1000}));
}

StoredConflict DeskStorageConformance::Get(const std::string& id) {
  auto found = desk().Get({id});
  EXPECT_OK(found);
  if (!found.ok() || found->empty()) return {};
  return (*found)[0];
}

std::string DeskStorageConformance::Ids(const ConflictQuery& query) {
  const auto page = desk().List(query);
  EXPECT_OK(page);
  std::string ids;
  if (!page.ok()) return ids;
  for (const ConflictPlace& place : *page) ids += place.conflict_id[0];
  return ids;
}

namespace {

TEST_P(DeskStorageConformance, WhatIsHeldIsReadBackWhole) {
  const v1::Conflict conflict = Conflict("a", 100);
  Hold(conflict);
  Reopen();
  EXPECT_EQ(Get(Id("a")).conflict.SerializeAsString(), conflict.SerializeAsString());
  EXPECT_EQ(Get(Id("a")).choices, "");
  EXPECT_THAT(*desk().Get({Id("a"), Id("b")}), SizeIs(1));
}

TEST_P(DeskStorageConformance, AnOpeningTakesThePlaceOfItsOperationsRecord) {
  v1::Resolution record = Closing(Conflict("a", 1));
  record.set_op_id("op-a");
  ASSERT_OK(records().Put({.resolutions = {record}}));
  ASSERT_OK(records().Put({.openings = {Opening(Conflict("a", 100))}}));
  Reopen();
  EXPECT_EQ(Get(Id("a")).conflict.state(), v1::CONFLICT_STATE_OPENING);
  EXPECT_EQ(*records().Get("s", "op-a"), std::nullopt);
  EXPECT_EQ(Ids(Query()), "");
  EXPECT_EQ(Ids(Query({v1::CONFLICT_STATE_OPENING})), "a");
}

TEST_P(DeskStorageConformance, AnOpeningDecidedAgainIsReplacedUntilTheLogHoldsIt) {
  ASSERT_OK(records().Put({.openings = {Opening(Conflict("a", 100))}}));
  ASSERT_OK(records().Put({.openings = {Opening(Conflict("a", 200))}}));
  EXPECT_EQ(Get(Id("a")).conflict.opened_ms(), 200);
  Hold(Conflict("a", 200));
  ASSERT_OK(records().Put({.openings = {Opening(Conflict("a", 300))}}));
  EXPECT_EQ(Get(Id("a")).conflict.opened_ms(), 200);
  EXPECT_EQ(Get(Id("a")).conflict.state(), v1::CONFLICT_STATE_OPEN);
}

TEST_P(DeskStorageConformance, OnlyAnOpeningIsForgotten) {
  ASSERT_OK(records().Put({.openings = {Opening(Conflict("a", 1)), Opening(Conflict("b", 1))}}));
  Hold(Conflict("b", 1));
  Forget(Id("a"));
  Forget(Id("b"));
  Forget(Id("c"));
  EXPECT_EQ(Get(Id("a")).conflict.conflict_id(), "");
  EXPECT_EQ(Get(Id("b")).conflict.state(), v1::CONFLICT_STATE_OPEN);
}

TEST_P(DeskStorageConformance, AClosedConflictStaysAsItWasClosedFirst) {
  Hold(Conflict("a", 1));
  Hold(Resolved(Conflict("a", 1)));
  Hold(Conflict("a", 1));  // Late.
  Hold(As(Conflict("a", 1), v1::CONFLICT_STATE_EXPIRED));
  Reopen();
  const v1::Conflict closed = Get(Id("a")).conflict;
  EXPECT_EQ(closed.SerializeAsString(), Resolved(Conflict("a", 1)).SerializeAsString());
  EXPECT_EQ(Ids(Query()), "");
  EXPECT_EQ(Ids(Query({v1::CONFLICT_STATE_RESOLVED})), "a");
}

TEST_P(DeskStorageConformance, AClosingIsRecordedOnceWithItsDecisions) {
  const v1::Conflict closed = Resolved(Conflict("a", 1));
  v1::Resolution bare = Closing(closed);
  bare.clear_decisions();
  for (const v1::Resolution& closing : {bare, Closing(closed), bare}) {
    ASSERT_OK(desk().Record({.held = {closed}, .resolutions = {closing}, .now_ms = 6000}));
  }
  Reopen();
  const auto record = records().Get("s", "close-" + Id("a"));
  ASSERT_OK(record);
  ASSERT_TRUE(record->has_value());
  EXPECT_EQ((*record)->SerializeAsString(), Closing(closed).SerializeAsString());
}

TEST_P(DeskStorageConformance, AClosingThatMetAnotherChangeKeepsThoseDecisionsToo) {
  const v1::Conflict closed = Resolved(Conflict("a", 1));
  v1::Resolution met = Closing(closed);
  met.clear_conflict_id();
  met.mutable_decisions(0)->set_path("/met");
  ASSERT_OK(records().Put({.resolutions = {met}}));
  for (int again = 0; again < 2; ++again) {
    ASSERT_OK(desk().Record({.held = {closed}, .resolutions = {Closing(closed)}, .now_ms = 6000}));
  }
  const auto record = records().Get("s", "close-" + Id("a"));
  ASSERT_OK(record);
  ASSERT_EQ((*record)->decisions_size(), 2);
  EXPECT_EQ((*record)->decisions(0).path(), "/a");
  EXPECT_EQ((*record)->decisions(1).path(), "/met");
  EXPECT_EQ((*record)->conflict_id(), Id("a"));
}

TEST_P(DeskStorageConformance, AConflictIsGivenTakenBackAndKeptWhenTheLogTellsOfIt) {
  ASSERT_OK(records().Put({.openings = {Opening(Conflict("a", 1))}}));
  EXPECT_TRUE(*desk().Assign(Id("a"), "ada"));
  EXPECT_EQ(Get(Id("a")).conflict.state(), v1::CONFLICT_STATE_OPENING);
  Hold(Conflict("a", 1));
  EXPECT_EQ(Get(Id("a")).conflict.state(), v1::CONFLICT_STATE_ASSIGNED);
  EXPECT_EQ(Get(Id("a")).conflict.assigned_to(), "ada");
  EXPECT_TRUE(*desk().Assign(Id("a"), ""));
  EXPECT_EQ(Get(Id("a")).conflict.state(), v1::CONFLICT_STATE_OPEN);
  EXPECT_TRUE(*desk().Assign(Id("a"), "eve"));
  Hold(Resolved(Conflict("a", 1)));
  EXPECT_EQ(Get(Id("a")).conflict.assigned_to(), "eve");
  EXPECT_FALSE(*desk().Assign(Id("a"), "ada"));
  EXPECT_FALSE(*desk().Assign(Id("b"), "ada"));
}

TEST_P(DeskStorageConformance, WhoARuleGivesAConflictToIsKept) {
  v1::Conflict conflict = As(Conflict("a", 1), v1::CONFLICT_STATE_ASSIGNED);
  conflict.set_assigned_to("ada");
  ASSERT_OK(records().Put({.openings = {Opening(conflict)}}));
  EXPECT_EQ(Get(Id("a")).conflict.assigned_to(), "ada");
  conflict.set_conflict_id(Id("b"));
  Hold(conflict);
  EXPECT_EQ(Get(Id("b")).conflict.state(), v1::CONFLICT_STATE_ASSIGNED);
}

TEST_P(DeskStorageConformance, ChoicesAreKeptUntilItIsClosedAndOnlyOverWhatWasRead) {
  Hold(Conflict("a", 1));
  const std::string first("\0x", 2);
  EXPECT_TRUE(*desk().KeepChoices(Id("a"), "", first));
  EXPECT_FALSE(*desk().KeepChoices(Id("a"), "", "other"));
  EXPECT_EQ(Get(Id("a")).choices, first);
  EXPECT_TRUE(*desk().KeepChoices(Id("a"), first, "second"));
  Hold(Conflict("a", 1));
  Reopen();
  EXPECT_EQ(Get(Id("a")).choices, "second");
  Hold(Resolved(Conflict("a", 1)));
  EXPECT_EQ(Get(Id("a")).choices, "");
  EXPECT_FALSE(*desk().KeepChoices(Id("a"), "", "late"));
  EXPECT_FALSE(*desk().KeepChoices(Id("b"), "", "none"));
}

TEST_P(DeskStorageConformance, ListsTheNewestFirstOfWhatIsAskedFor) {
  Hold(Conflict("a", 1));
  Hold(Conflict("b", 2));
  Hold(Conflict("c", 2));
  Hold(Of(Conflict("d", 3), "s", "task", "x"));
  Hold(Of(Conflict("e", 4), "t", "note", "x"));
  Hold(Resolved(Conflict("f", 5)));
  ASSERT_TRUE(*desk().Assign(Id("b"), "ada"));
  ASSERT_TRUE(*desk().Assign(Id("d"), "ada"));
  EXPECT_EQ(Ids(Query()), "dcba");
  ConflictQuery type = Query();
  type.entity_type = "note";
  EXPECT_EQ(Ids(type), "cba");
  ConflictQuery entity = type;
  entity.entity_id = "caf\xc3\xa9";
  EXPECT_EQ(Ids(entity), "cba");
  entity.entity_id = "none";
  EXPECT_EQ(Ids(entity), "");
  ConflictQuery assignee = Query();
  assignee.assigned_to = "ada";
  EXPECT_EQ(Ids(assignee), "db");
  assignee.entity_type = "note";
  EXPECT_EQ(Ids(assignee), "b");
  assignee.entity_id = "caf\xc3\xa9";
  EXPECT_EQ(Ids(assignee), "b");
  EXPECT_EQ(Ids(Query({v1::CONFLICT_STATE_RESOLVED, v1::CONFLICT_STATE_OPEN})), "fca");
}

TEST_P(DeskStorageConformance, PagesMeetWithoutHoleOrOverlap) {
  for (const char* letter : {"a", "b", "c", "d", "e", "f"}) {
    Hold(Conflict(letter, letter[0] < 'd' ? 1 : 2));
  }
  ASSERT_TRUE(*desk().Assign(Id("b"), "ada"));  // Another state: another list within the list.
  for (const int limit : {1, 2, 5, 6, 7}) {
    ConflictQuery query = Query();
    query.limit = limit;
    std::string all;
    while (true) {
      ASSERT_OK_AND_ASSIGN(const auto page, desk().List(query));
      ASSERT_LE(page.size(), static_cast<size_t>(limit));
      if (page.empty()) break;
      for (const ConflictPlace& place : page) all += place.conflict_id[0];
      query.before_ms = page.back().opened_ms;
      query.before_id = page.back().conflict_id;
      EXPECT_GT(page.back().bytes, 0u);
    }
    EXPECT_EQ(all, "fedcba") << limit;
  }
}

std::string Due(const absl::StatusOr<DuePlaces>& places) {
  EXPECT_OK(places);
  std::string text;
  if (!places.ok()) return text;
  for (const DuePlace& due : places->due) {
    absl::StrAppend(&text, due.conflict_id.substr(0, 1),
                    due.reason == v1::DUE_REASON_DEADLINE ? "!" : "?", due.overdue_ms, " ");
  }
  absl::StrAppend(&text, "next ", places->next_deadline_ms);
  return text;
}

TEST_P(DeskStorageConformance, TellsWhatIsDueTheMostOverdueFirst) {
  ASSERT_OK(records().Put({.openings = {Opening(Conflict("a", 4000))}}));
  Hold(Conflict("b", 2000), 5000);  // Its deadline: 3000.
  Hold(Conflict("c", 9000), 3500);
  Hold(Conflict("d", 8000), 5000);
  Hold(Resolved(Conflict("e", 1)), 1);
  Hold(Conflict("f", 1500), 100);  // Both reasons.
  const DueQuery query{
      .now_ms = 6000, .opening_before_ms = 4000, .verified_before_ms = 4000, .limit = kAll};
  EXPECT_EQ(Due(desk().ListDue(query)), "f!3500 b!3000 c?500 a?0 next 9000");
  DueQuery earlier = query;
  earlier.now_ms = 2999;
  earlier.opening_before_ms = 3999;
  earlier.verified_before_ms = 3499;
  earlier.limit = 2;
  EXPECT_EQ(Due(desk().ListDue(earlier)), "f!499 next 3000");
  earlier.limit = 1;
  EXPECT_EQ(Due(desk().ListDue(query.limit == kAll ? earlier : query)), "f!499 next 3000");
  Hold(Conflict("c", 9000), 4001);  // Verified.
  EXPECT_EQ(Due(desk().ListDue(query)), "f!3500 b!3000 a?0 next 9000");
}

TEST_P(DeskStorageConformance, CountsWhatIsOpen) {
  ASSERT_OK(records().Put({.openings = {Opening(Conflict("a", 7))}}));
  Hold(Conflict("b", 20));
  Hold(Conflict("c", 10));
  Hold(Resolved(Conflict("d", 1)));
  ASSERT_OK_AND_ASSIGN(const OpenCounts counts, desk().CountOpen());
  EXPECT_EQ(counts[0].conflicts, 1);
  EXPECT_EQ(counts[0].oldest_opened_ms, 7);
  EXPECT_EQ(counts[1].conflicts, 2);
  EXPECT_EQ(counts[1].oldest_opened_ms, 10);
  EXPECT_EQ(counts[2].conflicts, 0);
  EXPECT_EQ(counts[2].oldest_opened_ms, 0);
}

TEST_P(DeskStorageConformance, WhatIsOldIsDeletedButNeverWhatIsOpen) {
  v1::Resolution recent = Closing(Resolved(Conflict("b", 1)));
  recent.set_time_ms(9000);
  ASSERT_OK(records().Put({.resolutions = {Closing(Resolved(Conflict("a", 1))), recent}}));
  Hold(Resolved(Conflict("a", 1)));
  Hold(Conflict("b", 1));
  Hold(Resolved(Conflict("c", 6000)));  // Closed before it was opened, by another's clock.
  EXPECT_EQ(*desk().DeleteBefore(5000, kAll), 0);
  EXPECT_EQ(*desk().DeleteBefore(5001, kAll), 2);
  EXPECT_EQ(*records().Get("s", "close-" + Id("a")), std::nullopt);
  EXPECT_TRUE(records().Get("s", "close-" + Id("b"))->has_value());
  EXPECT_THAT(*desk().Get({Id("a"), Id("b"), Id("c")}), SizeIs(2));
  ASSERT_OK(records().Put({.resolutions = {Closing(Resolved(Conflict("a", 1)))}}));
  Hold(Resolved(Conflict("d", 1)));
  EXPECT_EQ(*desk().DeleteBefore(10000, 1), 2) << "one of each";
}

TEST_P(DeskStorageConformance, ARecordIsUndoneOnce) {
  ASSERT_OK(records().Put({.resolutions = {Closing(Resolved(Conflict("a", 1)))}}));
  v1::RecordUndoneRequest undone;
  undone.set_space("s");
  undone.set_op_id("close-" + Id("a"));
  undone.set_version_id("7-0000000000000007");
  undone.set_user_id("ada");
  EXPECT_EQ(*records().MarkUndone(undone), "7-0000000000000007");
  undone.set_version_id("8-0000000000000008");
  EXPECT_EQ(*records().MarkUndone(undone), "7-0000000000000007");
  Reopen();
  EXPECT_EQ((*records().Get("s", undone.op_id()))->undone_by_version_id(), "7-0000000000000007");
  undone.set_op_id("none");
  EXPECT_EQ(*records().MarkUndone(undone), "");
}

TEST_P(DeskStorageConformance, WritersAtOnceLoseNothing) {
  constexpr int kWriters = 4;
  constexpr int kRounds = 10;
  const std::vector<std::string> letters = {"a", "b", "c", "d"};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < kRounds; ++i) {
        FactBatch batch{.now_ms = 6000};
        for (const std::string& letter : letters) {
          const v1::Conflict closed = Resolved(Conflict(letter, 1));
          if (i + 1 < kRounds) {
            batch.held.push_back(Conflict(letter, 1));
          } else {
            batch.held.push_back(closed);
            batch.resolutions.push_back(Closing(closed));
          }
        }
        EXPECT_OK(desk().Record(batch));
        if (writer % 2 == 0) {
          EXPECT_OK(records().Put({.openings = {Opening(Conflict(letters[i % 4], 1))}}));
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Ids(Query({v1::CONFLICT_STATE_RESOLVED})), "dcba");
  EXPECT_EQ(Ids(Query({v1::CONFLICT_STATE_OPEN, v1::CONFLICT_STATE_OPENING})), "");
}

}  // namespace
}  // namespace bdcsync::conflict
