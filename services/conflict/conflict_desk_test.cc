// The desk over a real store: what it answers, refuses and passes over.
#include "services/conflict/conflict_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/remote/fake_resolver_testing.h"
#include "services/conflict/rule_merger.h"
#include "services/conflict/rules_testing.h"
#include "services/conflict/storage/sqlite_desk_storage.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

using testing::HasReason;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr int64_t kNowMs = 1'700'000'000'000;

std::string Id(int number) {
  return absl::StrCat(absl::Hex(number, absl::kZeroPad16), "0123456789abcdef");
}

v1::Conflict Conflict(int number) {
  v1::Conflict conflict;
  conflict.set_conflict_id(Id(number));
  conflict.mutable_entity()->set_space("s");
  conflict.mutable_entity()->set_entity_type("note");
  conflict.mutable_entity()->set_entity_id("a");
  conflict.set_state(v1::CONFLICT_STATE_OPEN);
  conflict.set_op_id(absl::StrCat("op-", number));
  conflict.set_opened_ms(kNowMs + number);
  conflict.set_deadline_ms(kNowMs + 60'000 + number);
  for (const char* path : {"/a", "/b"}) {
    v1::OpenPlace& place = *conflict.add_places();
    place.mutable_decision()->set_path(path);
    place.mutable_decision()->set_rule("ask");
    place.set_fallback("theirs");
  }
  return conflict;
}

void Set(const std::string& data, v1::Side& side) {
  side.set_exists(true);
  side.set_data(data);
}

v1::Choice Choose(const std::string& choice, std::vector<std::string> paths = {},
                  const std::string& value = "") {
  v1::Choice chosen;
  chosen.set_choice(choice);
  chosen.set_value(value);
  for (std::string& path : paths) chosen.add_paths(std::move(path));
  return chosen;
}

// A store in which something happens before choices are kept, once.
class InterruptedStorage final : public DeskStorage {
 public:
  InterruptedStorage(DeskStorage& beneath, std::function<void()> before_keep)
      : beneath_(beneath), before_keep_(std::move(before_keep)) {}

  absl::StatusOr<std::vector<ConflictPlace>> List(const ConflictQuery& query) override {
    return beneath_.List(query);
  }
  absl::StatusOr<std::vector<StoredConflict>> Get(absl::Span<const std::string> ids) override {
    return beneath_.Get(ids);
  }
  absl::Status Record(const FactBatch& facts) override { return beneath_.Record(facts); }
  absl::StatusOr<DuePlaces> ListDue(const DueQuery& query) override {
    return beneath_.ListDue(query);
  }
  absl::StatusOr<bool> Assign(const std::string& id, const std::string& user_id) override {
    return beneath_.Assign(id, user_id);
  }
  absl::StatusOr<bool> KeepChoices(const std::string& id, const std::string& were,
                                   const std::string& choices) override {
    if (before_keep_) std::exchange(before_keep_, nullptr)();
    return beneath_.KeepChoices(id, were, choices);
  }
  absl::StatusOr<OpenCounts> CountOpen() override { return beneath_.CountOpen(); }
  absl::StatusOr<int64_t> DeleteBefore(int64_t before_ms, int limit) override {
    return beneath_.DeleteBefore(before_ms, limit);
  }

 private:
  DeskStorage& beneath_;
  std::function<void()> before_keep_;
};

class ConflictDeskTest : public ::testing::Test {
 protected:
  // Waits for the answer of `method`.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(void (ConflictDesk::*method)(const Request&,
                                                            DeskCalls::Answer<Response>),
                               const Request& request) {
    return Ask(desk_, method, request);
  }
  template <typename Request, typename Response>
  static absl::StatusOr<Response> Ask(ConflictDesk& desk,
                                      void (ConflictDesk::*method)(const Request&,
                                                                   DeskCalls::Answer<Response>),
                                      const Request& request) {
    absl::StatusOr<Response> answer;
    absl::Notification done;
    (desk.*method)(request, [&](absl::StatusOr<Response> got) {
      answer = std::move(got);
      done.Notify();
    });
    done.WaitForNotification();
    return answer;
  }
  absl::Status Tell(const v1::Conflict& conflict) {
    v1::RecordFactsRequest request;
    *request.add_facts()->mutable_conflict() = conflict;
    return Ask(&ConflictDesk::RecordFacts, request).status();
  }
  absl::Status Close(v1::Conflict conflict) {
    conflict.set_state(v1::CONFLICT_STATE_RESOLVED);
    conflict.set_closed_ms(kNowMs + 5);
    v1::RecordFactsRequest request;
    v1::Fact& fact = *request.add_facts();
    *fact.mutable_conflict() = conflict;
    fact.set_closing_op_id("close-" + conflict.conflict_id());
    fact.add_decisions()->set_path("/a");
    return Ask(&ConflictDesk::RecordFacts, request).status();
  }
  v1::Conflict Get(int number) {
    v1::GetConflictsRequest request;
    request.add_conflict_ids(Id(number));
    const auto response = Ask(&ConflictDesk::Get, request);
    EXPECT_OK(response);
    return response.ok() ? response->conflicts(0).conflict() : v1::Conflict();
  }
  v1::DecideItem Item(std::vector<v1::Choice> choices) {
    v1::DecideItem item;
    item.set_conflict_id(Id(1));
    Set(R"({"a":0,"b":0,"c":0})", *item.mutable_base());
    Set(R"({"a":1,"b":1,"c":1})", *item.mutable_theirs());
    Set(R"({"a":2,"b":2,"c":0})", *item.mutable_ours());
    for (v1::Choice& choice : choices) *item.add_choices() = std::move(choice);
    return item;
  }
  v1::DecideResult Decide(const v1::DecideItem& item) {
    v1::DecideRequest request;
    *request.add_items() = item;
    const auto response = Ask(&ConflictDesk::Decide, request);
    EXPECT_OK(response);
    return response.ok() ? response->results(0) : v1::DecideResult();
  }

  testing::TempDir folder_;
  const std::string path_ = folder_.File("conflict.db");
  std::unique_ptr<ResolutionStorage> records_ = *OpenSqliteResolutionStorage(path_);
  std::unique_ptr<DeskStorage> storage_ = *OpenSqliteDeskStorage(path_);
  ManualClock clock_{kNow};
  rpc::WorkerPool workers_{{.threads = 2}};
  std::shared_ptr<const ActiveRules> rules_ =
      RulesOf({{"note", R"({"rules":[{"path":"$.a","rule":"ask"},{"path":"$.b","rule":"ask"}]})"}});
  RuleMerger merger_{[this] { return rules_; }, clock_, ResolveLimits(), nullptr};
  std::vector<v1::ConflictState> closed_;
  FakeResolver resolver_;
  std::atomic<size_t> out_of_time_{0};
  const RemoteAccess remote_{.resolver = resolver_,
                             .clock = clock_,
                             .on_out_of_time = [this](size_t places) { out_of_time_ += places; }};
  ConflictDesk desk_{*storage_,
                     merger_,
                     remote_,
                     workers_,
                     clock_,
                     DeskLimits(),
                     {.on_closed = [this](v1::ConflictState state) { closed_.push_back(state); }}};
};

TEST_F(ConflictDeskTest, PagesFollowEachOtherToTheEnd) {
  for (int i = 1; i <= 5; ++i) ASSERT_OK(Tell(Conflict(i)));
  v1::ListConflictsRequest request;
  request.set_space("s");
  request.set_limit(2);
  std::vector<std::string> ids;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, Ask(&ConflictDesk::List, request));
    for (const v1::Conflict& conflict : page.conflicts()) ids.push_back(conflict.conflict_id());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(ids, ::testing::ElementsAre(Id(5), Id(4), Id(3), Id(2), Id(1)));
}

TEST_F(ConflictDeskTest, OfAnyStateIsWhatTheLogIsKnownToHold) {
  v1::Conflict opening = Conflict(1);
  opening.set_state(v1::CONFLICT_STATE_OPENING);
  ASSERT_OK(records_->Put({.openings = {opening}}));
  ASSERT_OK(Tell(Conflict(2)));
  ASSERT_OK(Close(Conflict(3)));
  v1::ListConflictsRequest request;
  request.set_space("s");
  request.add_states(v1::CONFLICT_STATE_UNSPECIFIED);
  ASSERT_OK_AND_ASSIGN(const auto any, Ask(&ConflictDesk::List, request));
  ASSERT_EQ(any.conflicts_size(), 2);
  EXPECT_EQ(any.conflicts(0).conflict_id(), Id(3));
  EXPECT_EQ(any.conflicts(1).conflict_id(), Id(2));
  request.set_states(0, v1::CONFLICT_STATE_OPENING);
  ASSERT_OK_AND_ASSIGN(const auto named, Ask(&ConflictDesk::List, request));
  EXPECT_EQ(named.conflicts_size(), 1);
}

TEST_F(ConflictDeskTest, APageStopsBeforeItIsTooLargeForOneAnswer) {
  for (int i = 1; i <= 3; ++i) {
    v1::Conflict conflict = Conflict(i);
    conflict.mutable_places(0)->mutable_decision()->set_ours(
        std::string(kDeskAnswerBytesMax / 2, 'x'));
    ASSERT_OK(Tell(conflict));
  }
  v1::ListConflictsRequest request;
  request.set_space("s");
  ASSERT_OK_AND_ASSIGN(const auto page, Ask(&ConflictDesk::List, request));
  EXPECT_EQ(page.conflicts_size(), 1);
  request.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto next, Ask(&ConflictDesk::List, request));
  ASSERT_EQ(next.conflicts_size(), 1);
  EXPECT_EQ(next.conflicts(0).conflict_id(), Id(2));
  v1::GetConflictsRequest get;
  for (int i = 1; i <= 2; ++i) get.add_conflict_ids(Id(i));
  ASSERT_OK_AND_ASSIGN(const auto both, Ask(&ConflictDesk::Get, get));
  EXPECT_TRUE(both.conflicts(0).has_conflict());
  EXPECT_EQ(both.conflicts(1).error().code(), "too_large");
}

TEST_F(ConflictDeskTest, WhatCannotBeAskedIsRefusedWithItsPlace) {
  v1::ListConflictsRequest good;
  good.set_space("s");
  const auto refused = [&](auto change) {
    v1::ListConflictsRequest request = good;
    change(request);
    return PathOf(Ask(&ConflictDesk::List, request).status());
  };
  EXPECT_EQ(refused([](auto& r) { r.set_space(""); }), "space");
  EXPECT_EQ(refused([](auto& r) { r.set_entity_id("a"); }), "entity_type");
  EXPECT_EQ(refused([](auto& r) { r.set_limit(kDeskPageMax + 1); }), "limit");
  EXPECT_EQ(refused([](auto& r) { r.set_limit(-1); }), "limit");
  EXPECT_EQ(refused([](auto& r) { r.add_states(static_cast<v1::ConflictState>(99)); }), "states");
  EXPECT_EQ(refused([](auto& r) { r.set_assigned_to(std::string("\0", 1)); }), "assigned_to");
  for (const char* token : {"1", "1-", "x-0", "-1", "1-zz"}) {
    EXPECT_EQ(refused([&](auto& r) { r.set_page_token(token); }), "page_token") << token;
  }
  EXPECT_EQ(refused([](auto& r) { r.set_limit(kDeskPageMax); }), "");
  v1::GetConflictsRequest ids;
  for (int i = 0; i <= kDeskItemsMax; ++i) ids.add_conflict_ids(Id(i));
  EXPECT_THAT(Ask(&ConflictDesk::Get, ids), HasReason(Reason::kInvalidArgument));
  ids.mutable_conflict_ids()->RemoveLast();
  EXPECT_OK(Ask(&ConflictDesk::Get, ids));
  v1::RecordFactsRequest facts;
  for (int i = 0; i <= kFactsMax; ++i) *facts.add_facts()->mutable_conflict() = Conflict(1);
  EXPECT_THAT(Ask(&ConflictDesk::RecordFacts, facts), HasReason(Reason::kInvalidArgument));
  facts.mutable_facts()->RemoveLast();
  EXPECT_OK(Ask(&ConflictDesk::RecordFacts, facts));
  facts.mutable_facts(3)->mutable_conflict()->clear_conflict_id();
  EXPECT_EQ(PathOf(Ask(&ConflictDesk::RecordFacts, facts).status()),
            "facts/3/conflict/conflict_id");
}

TEST_F(ConflictDeskTest, OfFactsInOneCallTheLatestInAConflictsLifeCounts) {
  v1::RecordFactsRequest request;
  for (const v1::ConflictState state :
       {v1::CONFLICT_STATE_RESOLVED, v1::CONFLICT_STATE_OPENING, v1::CONFLICT_STATE_OPEN}) {
    v1::Conflict conflict = Conflict(1);
    conflict.set_state(state);
    *request.add_facts()->mutable_conflict() = conflict;
  }
  ASSERT_OK(Ask(&ConflictDesk::RecordFacts, request));
  EXPECT_EQ(Get(1).state(), v1::CONFLICT_STATE_RESOLVED);
  EXPECT_THAT(closed_, ::testing::ElementsAre(v1::CONFLICT_STATE_RESOLVED));
}

TEST_F(ConflictDeskTest, AClosingIsInTheHistory) {
  ASSERT_OK(Close(Conflict(1)));
  ASSERT_OK_AND_ASSIGN(const auto record, records_->Get("s", "close-" + Id(1)));
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->conflict_id(), Id(1));
  EXPECT_EQ(record->time_ms(), kNowMs + 5);
  EXPECT_EQ(record->decisions(0).path(), "/a");
}

TEST_F(ConflictDeskTest, TellsWhatIsDueAndWhenTheNextDeadlineIs) {
  v1::Conflict opening = Conflict(1);
  opening.set_state(v1::CONFLICT_STATE_OPENING);
  ASSERT_OK(records_->Put({.openings = {opening}}));
  ASSERT_OK(Tell(Conflict(2)));
  const auto due = [&] {
    const auto response = Ask(&ConflictDesk::ListDue, v1::ListDueRequest());
    EXPECT_OK(response);
    std::string text;
    for (const v1::DueConflict& one : response->due()) {
      absl::StrAppend(&text, one.conflict().op_id(), " ", one.reason(), " ");
    }
    return absl::StrCat(
        text, response->next_deadline_ms() == 0 ? 0 : response->next_deadline_ms() - kNowMs);
  };
  EXPECT_EQ(due(), "60002");
  clock_.Advance(absl::Seconds(10) + absl::Milliseconds(1));
  EXPECT_EQ(due(), "op-1 2 60002");
  clock_.Advance(absl::Seconds(49) + absl::Milliseconds(999));
  EXPECT_EQ(due(), "op-1 2 op-2 2 60002") << "not compared with the log for a minute";
  ASSERT_OK(Tell(Conflict(2)));
  EXPECT_EQ(due(), "op-1 2 60002");
  clock_.Advance(absl::Milliseconds(2));
  EXPECT_EQ(due(), "op-1 2 op-2 1 0");
  v1::ListDueRequest many;
  many.set_limit(kDeskPageMax + 1);
  EXPECT_EQ(PathOf(Ask(&ConflictDesk::ListDue, many).status()), "limit");
}

TEST_F(ConflictDeskTest, WhatStaysDueDoesNotHoldUpOthers) {
  for (int number : {1, 2, 3}) ASSERT_OK(Tell(Conflict(number)));
  clock_.Advance(absl::Seconds(61));
  v1::ListDueRequest request;
  request.set_limit(2);
  ASSERT_OK(Ask(&ConflictDesk::ListDue, request));
  ASSERT_OK_AND_ASSIGN(const auto second, Ask(&ConflictDesk::ListDue, request));
  ASSERT_EQ(second.due_size(), 2);
  EXPECT_EQ(second.due(0).conflict().op_id(), "op-1");
  EXPECT_EQ(second.due(1).conflict().op_id(), "op-3");
}

TEST_F(ConflictDeskTest, OnlyWhatIsOpenIsGivenToSomebody) {
  ASSERT_OK(Tell(Conflict(1)));
  v1::AssignRequest request;
  request.set_conflict_id(Id(1));
  request.set_user_id("ada");
  ASSERT_OK_AND_ASSIGN(auto response, Ask(&ConflictDesk::Assign, request));
  EXPECT_EQ(response.conflict().state(), v1::CONFLICT_STATE_ASSIGNED);
  EXPECT_EQ(response.conflict().assigned_to(), "ada");
  ASSERT_OK(Close(Conflict(1)));
  EXPECT_THAT(Ask(&ConflictDesk::Assign, request), HasReason(Reason::kPreconditionFailed));
  for (const std::string& unknown : {Id(2), std::string("none"), std::string("\0", 1)}) {
    request.set_conflict_id(unknown);
    EXPECT_THAT(Ask(&ConflictDesk::Assign, request), HasReason(Reason::kNotFound));
  }
  request.set_user_id(std::string(kUserIdBytesMax + 1, 'x'));
  EXPECT_EQ(PathOf(Ask(&ConflictDesk::Assign, request).status()), "user_id");
}

TEST_F(ConflictDeskTest, ADecisionMergesWhatWasChosenAndLeavesTheRestOpen) {
  ASSERT_OK(Tell(Conflict(1)));
  v1::DecideResult result = Decide(Item({Choose("ours", {"/a"})}));
  EXPECT_EQ(result.merged().data(), R"({"a":2,"b":1,"c":1})");
  ASSERT_EQ(result.open_size(), 1);
  EXPECT_EQ(result.open(0).decision().path(), "/b");
  EXPECT_EQ(result.open(0).fallback(), "theirs");
  EXPECT_EQ(result.conflict().conflict_id(), Id(1));
  result = Decide(Item({Choose("ours"), Choose("value", {"/b"}, R"({"x":1.10})")}));
  EXPECT_EQ(result.merged().data(), R"({"a":2,"b":{"x":1.10},"c":1})");
  EXPECT_EQ(result.open_size(), 0);
}

TEST_F(ConflictDeskTest, TheProposalIsADecisionOfWhoChoseIt) {
  ASSERT_OK(Tell(Conflict(1)));
  v1::DecideItem item = Item({Choose("proposed", {"/a"}), Choose("ours", {"/b"})});
  Set(R"({"a":1,"b":1,"c":0,"d":1})", *item.mutable_theirs());
  Set(R"({"a":2,"b":2,"c":0,"d":2})", *item.mutable_ours());
  const v1::DecideResult result = Decide(item);
  EXPECT_EQ(result.merged().data(), R"({"a":2,"b":2,"c":0,"d":2})");
  std::vector<std::string> rules;
  for (const v1::Decision& decision : result.decisions()) {
    rules.push_back(absl::StrCat(decision.path(), " ", decision.rule(), " ", decision.chosen()));
  }
  EXPECT_THAT(rules, ::testing::UnorderedElementsAre("/a ask ours", "/b ask ours", "/d lww ours"));
}

TEST_F(ConflictDeskTest, ATextIsADecisionOfWhoChoseForIt) {
  ASSERT_OK(Tell(Conflict(1)));
  rules_ = RulesOf({{"note", R"({"rules":[{"path":"$.a","rule":"text","else":"ask"},)"
                             R"({"path":"$.b","rule":"text"}]})"}});
  for (const char* choice : {"theirs", "ours", "base", "proposed"}) {
    v1::DecideItem item = Item({Choose(choice, {"/a"})});
    Set(R"({"a":"one fox","b":"one fox"})", *item.mutable_base());
    Set(R"({"a":"two fox","b":"two fox"})", *item.mutable_theirs());
    Set(R"({"a":"no fox runs","b":"no fox runs"})", *item.mutable_ours());
    const v1::DecideResult result = Decide(item);
    std::vector<std::string> rules;
    for (const v1::Decision& decision : result.decisions()) {
      rules.push_back(absl::StrCat(decision.path(), " ", decision.rule()));
    }
    EXPECT_THAT(rules, ::testing::UnorderedElementsAre("/a ask", "/b text")) << choice;
  }
}

TEST_F(ConflictDeskTest, ChoicesThatAreKeptCountUntilOthersAreMade) {
  ASSERT_OK(Tell(Conflict(1)));
  v1::DecideItem item = Item({Choose("ours", {"/a"})});
  EXPECT_EQ(Decide(item).open_size(), 1);
  EXPECT_EQ(Decide(Item({})).open_size(), 2) << "a preview is not kept";
  item.set_keep(true);
  EXPECT_EQ(Decide(item).open_size(), 1);
  EXPECT_EQ(Decide(Item({})).open_size(), 1);
  EXPECT_EQ(Get(1).places(0).decision().chosen(), "ours");
  EXPECT_EQ(Get(1).places(1).decision().chosen(), "");
  v1::DecideItem rest = Item({});
  rest.set_with_fallbacks(true);
  EXPECT_EQ(Decide(rest).merged().data(), R"({"a":2,"b":1,"c":1})");
  EXPECT_EQ(Decide(Item({Choose("base")})).merged().data(), R"({"a":0,"b":0,"c":1})");
}

TEST_F(ConflictDeskTest, WhatTwoChooseAtOnceIsAllChosenForTheSecond) {
  ASSERT_OK(Tell(Conflict(1)));
  const auto choosing = [this](const char* path) {
    v1::DecideRequest request;
    *request.add_items() = Item({Choose("ours", {path})});
    request.mutable_items(0)->set_keep(true);
    return request;
  };
  InterruptedStorage storage(*storage_, [&] {
    const auto first = Ask(&ConflictDesk::Decide, choosing("/b"));
    ASSERT_OK(first);
    EXPECT_EQ(first->results(0).open_size(), 1);
  });
  ConflictDesk desk(storage, merger_, remote_, workers_, clock_, DeskLimits(), {});
  const auto second = Ask(desk, &ConflictDesk::Decide, choosing("/a"));
  ASSERT_OK(second);
  EXPECT_EQ(second->results(0).open_size(), 0) << "else nobody would close it";
  EXPECT_EQ(second->results(0).merged().data(), R"({"a":2,"b":2,"c":1})");
}

TEST_F(ConflictDeskTest, WhatCannotBeDecidedSaysWhy) {
  ASSERT_OK(Tell(Conflict(1)));
  const auto error = [&](const v1::DecideItem& item) {
    const v1::DecideResult result = Decide(item);
    EXPECT_FALSE(result.has_merged());
    return absl::StrCat(result.error().code(), " ", result.error().path());
  };
  EXPECT_EQ(error(Item({Choose("yes", {"/a"})})), "invalid_argument /a");
  EXPECT_EQ(error(Item({Choose("ours", {"/nowhere"})})), "invalid_argument /nowhere");
  EXPECT_EQ(error(Item({Choose("value", {"/a"}, "{")})), "invalid_argument /a");
  v1::DecideItem malformed = Item({});
  malformed.mutable_theirs()->set_data("{");
  EXPECT_EQ(error(malformed), "invalid_argument theirs");
  v1::DecideItem many = Item(std::vector<v1::Choice>(kChoicesMax, Choose("ours", {"/a"})));
  EXPECT_FALSE(Decide(many).has_error());
  *many.add_choices() = Choose("ours");
  EXPECT_EQ(error(many), "too_large choices");
  v1::DecideItem unknown = Item({});
  unknown.set_conflict_id(Id(9));
  EXPECT_EQ(error(unknown), "not_found ");
  ASSERT_OK(Close(Conflict(1)));
  EXPECT_EQ(error(Item({Choose("ours")})), "precondition_failed ");
  EXPECT_EQ(Decide(Item({})).conflict().state(), v1::CONFLICT_STATE_RESOLVED);
}

}  // namespace
}  // namespace bdcsync::conflict
