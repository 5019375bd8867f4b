// What the desks ask other programs: of a conflict that is decided, and of records that other rules
// are tried on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/rules/script_rules.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/conflict_desk.h"
#include "services/conflict/record_desk.h"
#include "services/conflict/remote/fake_resolver_testing.h"
#include "services/conflict/remote/question.h"
#include "services/conflict/rule_merger.h"
#include "services/conflict/rules_testing.h"
#include "services/conflict/storage/sqlite_analysis_storage.h"
#include "services/conflict/storage/sqlite_desk_storage.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

using ::testing::ElementsAre;

constexpr char kId[] = "0123456789abcdef0123456789abcdef";
constexpr char kRules[] = R"({"rules":[{"path":"$.title","rule":"ask"},
    {"path":"$.price","rule":"remote","resolver":"price","else":"min"},
    {"path":"$.stock","rule":"remote","resolver":"price","else":"ask"}]})";

void Set(const std::string& data, v1::Side& side) {
  side.set_exists(true);
  side.set_data(data);
}

class DesksRemoteTest : public ::testing::Test {
 protected:
  // What `method` answers; the test may answer for the program meanwhile.
  template <typename Desk, typename Request, typename Response>
  struct Asking {
    Asking(Desk& desk, void (Desk::*method)(const Request&, DeskCalls::Answer<Response>),
           const Request& request) {
      (desk.*method)(request, [this](absl::StatusOr<Response> got) {
        answer = std::move(got);
        done.Notify();
      });
    }
    const absl::StatusOr<Response>& Wait() {
      done.WaitForNotification();
      return answer;
    }
    absl::StatusOr<Response> answer;
    absl::Notification done;
  };
  using Deciding = Asking<ConflictDesk, v1::DecideRequest, v1::DecideResponse>;
  using Trying = Asking<RecordDesk, v1::DryRunRequest, v1::DryRunResponse>;

  // A conflict about `path`, which was left to a person.
  void Open(const std::string& path) {
    v1::RecordFactsRequest facts;
    v1::Conflict& conflict = *facts.add_facts()->mutable_conflict();
    conflict.set_conflict_id(kId);
    conflict.mutable_entity()->set_space("s");
    conflict.mutable_entity()->set_entity_type("note");
    conflict.mutable_entity()->set_entity_id("a");
    conflict.set_state(v1::CONFLICT_STATE_OPEN);
    conflict.set_op_id("op");
    v1::OpenPlace& place = *conflict.add_places();
    place.mutable_decision()->set_path(path);
    place.set_fallback("theirs");
    Asking<ConflictDesk, v1::RecordFactsRequest, v1::RecordFactsResponse> told(
        desk_, &ConflictDesk::RecordFacts, facts);
    EXPECT_OK(told.Wait());
  }
  static v1::DecideRequest Decision(const std::string& choice = "") {
    v1::DecideRequest request;
    v1::DecideItem& item = *request.add_items();
    item.set_conflict_id(kId);
    Set(R"({"title":"a","price":10,"stock":1})", *item.mutable_base());
    Set(R"({"title":"b","price":20,"stock":2})", *item.mutable_theirs());
    Set(R"({"title":"c","price":30,"stock":3})", *item.mutable_ours());
    if (!choice.empty()) item.add_choices()->set_choice(choice);
    return request;
  }
  static std::vector<std::string> NotesOf(const v1::DecideResult& result) {
    std::vector<std::string> notes;
    for (const v1::RuleNote& note : result.notes()) {
      notes.push_back(absl::StrCat(note.path(), ": ", note.note()));
    }
    return notes;
  }
  // Of `records` overlaps of prices.
  void Record(int records) {
    std::vector<v1::Resolution> resolutions(static_cast<size_t>(records));
    int number = 0;
    for (v1::Resolution& record : resolutions) {
      record.set_op_id(absl::StrCat("op", ++number));
      record.mutable_entity()->set_space("s");
      record.mutable_entity()->set_entity_type("note");
      record.mutable_entity()->set_entity_id("a");
      record.set_user_id("ada");
      record.set_time_ms(1000);
      v1::Decision& decision = *record.add_decisions();
      decision.set_path("/price");
      decision.set_rule("lww");
      decision.set_kind("edit_edit");
      decision.set_base("10");
      decision.set_theirs("20");
      decision.set_ours("30");
      decision.set_chosen("ours");
    }
    EXPECT_OK(records_->Put({.resolutions = std::move(resolutions)}));
  }
  static v1::DryRunRequest Trial(const std::string& resolver = "price") {
    v1::DryRunRequest request;
    request.set_entity_type("note");
    request.set_space("s");
    request.set_rules(absl::StrCat(R"({"rules":[{"path":"$.price","rule":"remote","resolver":")",
                                   resolver, R"(","else":"theirs"}]})"));
    return request;
  }

  testing::TempDir folder_;
  const std::string path_ = folder_.File("conflict.db");
  std::unique_ptr<ResolutionStorage> records_ = *OpenSqliteResolutionStorage(path_);
  std::unique_ptr<DeskStorage> storage_ = *OpenSqliteDeskStorage(path_);
  std::unique_ptr<AnalysisStorage> analysis_ = *OpenSqliteAnalysisStorage(path_);
  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  rpc::WorkerPool workers_{{.threads = 2}};
  const std::shared_ptr<const ActiveRules> rules_ = RulesOf({{"note", kRules}});
  FakeResolver resolver_;
  std::atomic<size_t> out_of_time_{0};
  const RemoteAccess remote_{.resolver = resolver_,
                             .clock = clock_,
                             .on_out_of_time = [this](size_t places) { out_of_time_ += places; }};
  const RuleMerger merger_{[this] { return rules_; }, clock_, ResolveLimits(), nullptr};
  const rules::LuaCompiler compiler_;
  const absl::flat_hash_set<std::string> known_{"price"};
  const merge::RuleSetContext checks_{&compiler_, &known_};
  ConflictDesk desk_{*storage_,
                     merger_,
                     remote_,
                     workers_,
                     clock_,
                     DeskLimits(),
                     {.on_closed = [](v1::ConflictState) {}}};
  RecordDesk record_desk_{*records_, *analysis_, [this] { return rules_; }, checks_, remote_,
                          workers_,  clock_,     RecordDeskLimits()};
};

TEST_F(DesksRemoteTest, ADecisionHoldsWhatTheProgramAnswers) {
  Open("/title");
  Deciding deciding(desk_, &ConflictDesk::Decide, Decision("ours"));
  FakeResolver::Asked asked = resolver_.Take();
  EXPECT_EQ(asked.name, "price");
  EXPECT_THAT(asked.paths(), ElementsAre("op/price", "op/stock"));
  EXPECT_EQ(asked.places[0].meeting->entity.branch(), "main");
  EXPECT_TRUE(asked.places[0].meeting->has_documents);
  asked.answered({ValueOf("25"), ValueOf("7")});
  ASSERT_OK(deciding.Wait());
  const v1::DecideResult& result = deciding.answer->results(0);
  EXPECT_EQ(result.merged().data(), R"({"title":"c","price":25,"stock":7})");
  EXPECT_EQ(result.proposed().data(), R"({"title":"c","price":25,"stock":7})");
  EXPECT_THAT(NotesOf(result), ElementsAre());
}

TEST_F(DesksRemoteTest, WhereItFailsTheElseStandsInAndTheAnswerSaysSo) {
  Open("/title");
  resolver_.AnswerAtOnce(Nothing(NoAnswer::kBreakerOpen));
  Deciding deciding(desk_, &ConflictDesk::Decide, Decision());
  ASSERT_OK(deciding.Wait());
  const v1::DecideResult& result = deciding.answer->results(0);
  EXPECT_EQ(result.merged().data(), R"({"title":"b","price":20,"stock":2})");
  EXPECT_THAT(NotesOf(result), ElementsAre("/price: remote price: breaker_open",
                                           "/stock: remote price: breaker_open"));
  // What its `else` leaves open now can be chosen, though it was not open before.
  v1::DecideRequest request = Decision();
  for (const char* path : {"/title", "/stock"}) {
    v1::Choice& choice = *request.mutable_items(0)->add_choices();
    choice.set_choice("ours");
    choice.add_paths(path);
  }
  Deciding chosen(desk_, &ConflictDesk::Decide, request);
  ASSERT_OK(chosen.Wait());
  EXPECT_EQ(chosen.answer->results(0).merged().data(), R"({"title":"c","price":20,"stock":3})");
}

TEST_F(DesksRemoteTest, NobodyIsAskedAboutWhatWasLeftToAPerson) {
  Open("/stock");
  Deciding deciding(desk_, &ConflictDesk::Decide, Decision("ours"));
  FakeResolver::Asked asked = resolver_.Take();
  EXPECT_THAT(asked.paths(), ElementsAre("op/price"));
  asked.AnswerAll(ValueOf("25"));
  ASSERT_OK(deciding.Wait());
  const v1::DecideResult& result = deciding.answer->results(0);
  EXPECT_EQ(result.merged().data(), R"({"title":"c","price":25,"stock":3})");
  EXPECT_THAT(NotesOf(result), ElementsAre("/stock: remote price: left to a person"));
}

TEST_F(DesksRemoteTest, WhenTheTimeIsUpTheElseDecides) {
  Open("/title");
  v1::DecideRequest request = Decision();
  Deciding late(desk_, &ConflictDesk::Decide, request);
  FakeResolver::Asked asked = resolver_.Take();
  clock_.Advance(remote_.wait_max);
  asked.answered({ValueOf("25"), Nothing(NoAnswer::kDeadline)});  // What has come counts.
  ASSERT_OK(late.Wait());
  EXPECT_EQ(late.answer->results(0).merged().data(), R"({"title":"b","price":25,"stock":2})");
}

TEST_F(DesksRemoteTest, TheDeskDrainsWhenTheProgramHasAnswered) {
  Open("/title");
  Deciding deciding(desk_, &ConflictDesk::Decide, Decision());
  FakeResolver::Asked asked = resolver_.Take();
  desk_.Drain(absl::InfinitePast());
  EXPECT_FALSE(deciding.done.HasBeenNotified());
  asked.AnswerAll(Nothing(NoAnswer::kUnavailable));
  desk_.Drain(absl::InfiniteFuture());
  EXPECT_TRUE(deciding.done.HasBeenNotified());
}

TEST_F(DesksRemoteTest, ADryRunAsksAndRecordsNothing) {
  Record(1);
  Trying trying(record_desk_, &RecordDesk::DryRun, Trial());
  FakeResolver::Asked asked = resolver_.Take();
  EXPECT_THAT(asked.paths(), ElementsAre("op1/price"));
  EXPECT_EQ(asked.places[0].theirs, "20");
  EXPECT_EQ(asked.places[0].meeting->ours.user_id(), "ada");
  QuestionLimits limits;
  limits.documents_bytes_max = 1 << 20;
  const std::vector<const RemotePlace*> places{&asked.places[0]};
  EXPECT_FALSE(MakeQuestion("price", places, limits).meetings(0).with_documents())
      << "a record has none";
  asked.AnswerAll(ValueOf("25"));
  ASSERT_OK(trying.Wait());
  EXPECT_EQ(trying.answer->changed(), 1);
  EXPECT_EQ(trying.answer->remote(), 1);
  EXPECT_EQ(trying.answer->stood_in(), 0);
  EXPECT_EQ(trying.answer->changes(0).tried().rule(), "remote");
  EXPECT_EQ(trying.answer->changes(0).tried().result(), "25");
  EXPECT_EQ(trying.answer->changes(0).note(), "");
  ASSERT_OK_AND_ASSIGN(const auto stored, records_->List({.space = "s", .limit = 10}));
  EXPECT_EQ(stored.size(), 1u);
}

TEST_F(DesksRemoteTest, ADryRunSaysWhereTheElseStoodIn) {
  Record(2);
  resolver_.AnswerAtOnce(Nothing(NoAnswer::kDeclined));
  Trying trying(record_desk_, &RecordDesk::DryRun, Trial());
  ASSERT_OK(trying.Wait());
  EXPECT_EQ(trying.answer->stood_in(), 2);
  ASSERT_EQ(trying.answer->changes_size(), 2);
  EXPECT_EQ(trying.answer->changes(0).tried().rule(), "theirs");
  EXPECT_EQ(trying.answer->changes(0).note(), "remote price: declined");
}

TEST_F(DesksRemoteTest, ADryRunAsksAboutAFewPlacesAtOnce) {
  const int records = 2 * static_cast<int>(kDryRunAskedAtOnce) + 1;
  Record(records);
  Trying trying(record_desk_, &RecordDesk::DryRun, Trial());
  for (const size_t places : {kDryRunAskedAtOnce, kDryRunAskedAtOnce, size_t{1}}) {
    FakeResolver::Asked asked = resolver_.Take();
    EXPECT_EQ(asked.places.size(), places);
    EXPECT_EQ(resolver_.held(), 0u);
    asked.AnswerAll(ValueOf("25"));
  }
  ASSERT_OK(trying.Wait());
  EXPECT_EQ(trying.answer->changed(), records);
  EXPECT_EQ(trying.answer->remote(), records);
}

TEST_F(DesksRemoteTest, ADryRunThatIsOutOfTimeAsksNoMore) {
  Record(static_cast<int>(kDryRunAskedAtOnce) + 3);
  Trying trying(record_desk_, &RecordDesk::DryRun, Trial());
  FakeResolver::Asked asked = resolver_.Take();
  clock_.Advance(RecordDeskLimits().dry_run_time_max);
  asked.AnswerAll(ValueOf("25"));
  ASSERT_OK(trying.Wait());
  EXPECT_EQ(trying.answer->stood_in(), 3);
  EXPECT_EQ(out_of_time_, 3u);
}

TEST_F(DesksRemoteTest, ADryRunRefusesAProgramThatNobodyKnows) {
  Record(1);
  Trying trying(record_desk_, &RecordDesk::DryRun, Trial("nobody"));
  EXPECT_EQ(PathOf(trying.Wait().status()), "/rules/0/resolver");
}

}  // namespace
}  // namespace bdcsync::conflict
