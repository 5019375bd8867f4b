// The service over a real store: what it answers is what libs/merge says, and is recorded first.
#include "services/conflict/decider.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/base/clock.h"
#include "libs/base/errors.h"
#include "libs/json/random_value.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/remote/resolver_registry.h"
#include "services/conflict/rules_testing.h"
#include "services/conflict/storage/sqlite_resolution_storage.h"

namespace bdcsync::conflict {
namespace {

using testing::HasReason;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// Fails on demand.
class FailingStorage final : public ResolutionStorage {
 public:
  absl::Status Ping() override { return failure; }
  absl::Status Put(const Records& records) override {
    ++puts;
    openings.insert(openings.end(), records.openings.begin(), records.openings.end());
    largest_put = std::max(largest_put.load(), records.resolutions.size());
    if (puts > 1 && recovers) return inner->Put(records);
    return failure.ok() ? inner->Put(records) : failure;
  }
  absl::StatusOr<std::vector<StoredResolution>> List(const ResolutionQuery& query) override {
    if (!failure.ok()) return failure;
    return inner->List(query);
  }
  absl::StatusOr<std::optional<v1::Resolution>> Get(const std::string& space,
                                                    const std::string& op_id) override {
    return inner->Get(space, op_id);
  }
  absl::StatusOr<std::string> MarkUndone(const v1::RecordUndoneRequest& undone) override {
    return inner->MarkUndone(undone);
  }

  std::unique_ptr<ResolutionStorage> inner = *OpenSqliteResolutionStorage(sql::kSqliteMemory);
  absl::Status failure;
  std::vector<v1::Conflict> openings;
  bool recovers = false;
  std::atomic<int> puts{0};
  std::atomic<size_t> largest_put{0};
};

class DeciderTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::ResolveResponse> Resolve(const v1::ResolveRequest& request) {
    absl::StatusOr<v1::ResolveResponse> answer;
    absl::Notification done;
    decider_.Resolve(request, [&](absl::StatusOr<v1::ResolveResponse> response) {
      answer = std::move(response);
      done.Notify();
    });
    done.WaitForNotification();
    return answer;
  }
  absl::StatusOr<v1::ListResolutionsResponse> List(const v1::ListResolutionsRequest& request) {
    absl::StatusOr<v1::ListResolutionsResponse> answer;
    absl::Notification done;
    recorder_.List(request, [&](absl::StatusOr<v1::ListResolutionsResponse> response) {
      answer = std::move(response);
      done.Notify();
    });
    done.WaitForNotification();
    return answer;
  }
  static v1::ListResolutionsRequest InSpace(const std::string& space) {
    v1::ListResolutionsRequest request;
    request.set_space(space);
    return request;
  }
  static v1::ResolveRequest Overlap(const std::string& op_id) {
    v1::ResolveRequest request;
    v1::ResolveItem& item = *request.add_items();
    item.set_op_id(op_id);
    item.mutable_entity()->set_space("s");
    item.mutable_entity()->set_entity_type("note");
    item.mutable_entity()->set_entity_id("a");
    for (auto [side, data] :
         {std::pair(item.mutable_base(), "1"), std::pair(item.mutable_theirs(), "2"),
          std::pair(item.mutable_ours(), "3")}) {
      side->set_exists(true);
      side->set_data(data);
    }
    item.mutable_base()->set_version_id("1-0000000000000001");
    item.mutable_theirs()->set_version_id("2-0000000000000002");
    item.mutable_ours()->set_user_id("ada");
    item.mutable_ours()->set_device_id("phone");
    return request;
  }

  ManualClock clock_{kNow};
  FailingStorage storage_;
  std::atomic<int> told_{0};
  std::atomic<int> scripts_{0};
  rpc::WorkerPool workers_{{.threads = 2, .queued_max = 64}};
  Recorder recorder_{storage_, workers_, clock_, {}, [](size_t, absl::Duration) {}};
  std::shared_ptr<const ActiveRules> rules_ = std::make_shared<const ActiveRules>();
  ResolverRegistry nobody_{[](size_t) {}};
  const RemoteAccess remote_{.resolver = nobody_, .clock = clock_};
  Decider decider_{recorder_,
                   workers_,
                   remote_,
                   clock_,
                   [this] { return rules_; },
                   {},
                   {.on_resolved = [this](const v1::ResolveResult&) { ++told_; },
                    .on_script = [this](absl::string_view, const absl::Status&) { ++scripts_; }}};
};

TEST_F(DeciderTest, EveryDecisionIsOnRecordWhenItIsAnswered) {
  ASSERT_OK_AND_ASSIGN(const v1::ResolveResponse response, Resolve(Overlap("op")));
  EXPECT_EQ(response.results(0).merged().data(), "3");
  EXPECT_EQ(told_, 1);
  ASSERT_OK_AND_ASSIGN(const v1::ListResolutionsResponse page, List(InSpace("s")));
  ASSERT_EQ(page.resolutions_size(), 1);
  const v1::Resolution& record = page.resolutions(0);
  EXPECT_EQ(record.op_id(), "op");
  EXPECT_EQ(record.entity().branch(), "main");
  EXPECT_EQ(record.base_version_id(), "1-0000000000000001");
  EXPECT_EQ(record.theirs_version_id(), "2-0000000000000002");
  EXPECT_EQ(record.user_id(), "ada");
  EXPECT_EQ(record.device_id(), "phone");
  EXPECT_EQ(record.time_ms(), absl::ToUnixMillis(kNow));
  EXPECT_EQ(record.decisions(0).theirs(), "2") << "the value that lost";
}

TEST_F(DeciderTest, DecisionsAreRecordedAlsoWhenTheAnswerIsWithoutThem) {
  v1::ResolveRequest request = Overlap("op");
  request.set_without_decisions(true);
  ASSERT_OK_AND_ASSIGN(const v1::ResolveResponse response, Resolve(request));
  EXPECT_EQ(response.results(0).merged().data(), "3");
  EXPECT_EQ(response.results(0).decisions_size(), 0);
  ASSERT_OK_AND_ASSIGN(const v1::ListResolutionsResponse page, List(InSpace("s")));
  EXPECT_EQ(page.resolutions(0).decisions_size(), 1);
}

TEST_F(DeciderTest, MeetingsWithScriptsAreDecidedOnAWorker) {
  rules_ = RulesOf({{"note", R"({"rules":[{"path":"$","rule":"script","script":"return 7"}]})"}});
  ASSERT_OK_AND_ASSIGN(const v1::ResolveResponse response, Resolve(Overlap("op")));
  EXPECT_EQ(response.results(0).merged().data(), "7");
  EXPECT_EQ(scripts_, 1);
  ASSERT_OK_AND_ASSIGN(const v1::ListResolutionsResponse page, List(InSpace("s")));
  EXPECT_EQ(page.resolutions(0).decisions(0).result(), "7");
  decider_.Drain(absl::InfiniteFuture());
  workers_.Stop();
  EXPECT_THAT(Resolve(Overlap("op")), HasReason(Reason::kUnavailable)) << "no worker";
}

TEST_F(DeciderTest, WhenTheTimeForScriptsIsUpTheElseDecides) {
  rules_ = RulesOf({{"note", R"({"rules":[{"path":"$","rule":"script","script":"return 7"}]})"}});
  Decider hasty(recorder_, workers_, remote_, clock_, [this] { return rules_; },
                {.script_time_max = absl::ZeroDuration()},
                {.on_resolved = [](const v1::ResolveResult&) {}, .on_script = nullptr});
  absl::Notification done;
  const v1::ResolveRequest request = Overlap("op");
  hasty.Resolve(request, [&done](absl::StatusOr<v1::ResolveResponse> response) {
    EXPECT_EQ(response->results(0).merged().data(), "3");
    done.Notify();
  });
  done.WaitForNotification();
}

TEST_F(DeciderTest, AConflictIsKeptBeforeItIsAnsweredAndHasNoRecord) {
  rules_ = RulesOf({{"note", R"({"rules":[],"else":"ask"})"}}, 4);
  ASSERT_OK_AND_ASSIGN(const v1::ResolveResponse response, Resolve(Overlap("op")));
  EXPECT_EQ(response.results(0).merged().data(), "2");
  ASSERT_EQ(storage_.openings.size(), 1u);
  EXPECT_EQ(storage_.openings[0].SerializeAsString(),
            response.results(0).conflict().SerializeAsString());
  EXPECT_EQ(storage_.openings[0].opened_ms(), absl::ToUnixMillis(kNow));
  ASSERT_OK_AND_ASSIGN(const v1::ListResolutionsResponse page, List(InSpace("s")));
  EXPECT_EQ(page.resolutions_size(), 0);
}

TEST_F(DeciderTest, WithoutARecordThereIsNoAnswer) {
  storage_.failure = absl::UnavailableError("down");
  EXPECT_THAT(Resolve(Overlap("op")), HasReason(Reason::kUnavailable));
  EXPECT_THAT(List(InSpace("s")), HasReason(Reason::kUnavailable));
  storage_.failure = absl::OkStatus();
  EXPECT_OK(Resolve(Overlap("op")));
}

TEST_F(DeciderTest, AnAbortedTransactionIsTriedAgain) {
  storage_.failure = absl::AbortedError("deadlock");
  storage_.recovers = true;
  EXPECT_OK(Resolve(Overlap("op")));
  EXPECT_EQ(storage_.puts, 2);
}

TEST_F(DeciderTest, RefusedItemsAreNotRecorded) {
  v1::ResolveRequest request = Overlap("op");
  request.mutable_items(0)->mutable_ours()->set_data("{");
  ASSERT_OK_AND_ASSIGN(const v1::ResolveResponse response, Resolve(request));
  EXPECT_TRUE(response.results(0).has_error());
  ASSERT_OK_AND_ASSIGN(const v1::ListResolutionsResponse page, List(InSpace("s")));
  EXPECT_EQ(page.resolutions_size(), 0);
}

TEST_F(DeciderTest, TheNumberOfItemsIsHeldToTheLimit) {
  v1::ResolveRequest request;
  EXPECT_OK(Resolve(request));
  for (int i = 0; i < kResolveItemsMax; ++i) {
    *request.add_items() = Overlap(absl::StrCat("op", i)).items(0);
  }
  EXPECT_OK(Resolve(request));
  *request.add_items() = Overlap("one more").items(0);
  EXPECT_THAT(Resolve(request), HasReason(Reason::kInvalidArgument));
}

TEST_F(DeciderTest, ListsPageByPage) {
  for (int i = 0; i < 5; ++i) ASSERT_OK(Resolve(Overlap(absl::StrCat(i))));
  v1::ListResolutionsRequest request = InSpace("s");
  request.set_limit(2);
  std::string ops;
  int pages = 0;
  do {
    ASSERT_OK_AND_ASSIGN(const v1::ListResolutionsResponse page, List(request));
    for (const v1::Resolution& record : page.resolutions()) ops += record.op_id();
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty() && pages < 10);
  EXPECT_EQ(ops, "43210");
}

TEST_F(DeciderTest, APageOfLargeRecordsIsNoLargerThanAnAnswerMayBe) {
  Records records;
  for (int i = 0; i < 12; ++i) {
    v1::Resolution& record = records.resolutions.emplace_back();
    record.mutable_entity()->set_space("s");
    record.set_op_id(absl::StrCat(i));
    record.set_time_ms(1000 + i);
    // The last one is larger than a page by itself.
    record.add_decisions()->set_ours(std::string(i == 11 ? 5 << 20 : 1 << 20, 'x'));
  }
  ASSERT_OK(storage_.inner->Put(records));
  v1::ListResolutionsRequest request = InSpace("s");
  std::vector<std::string> pages;
  do {
    ASSERT_OK_AND_ASSIGN(const v1::ListResolutionsResponse page, List(request));
    std::string& ops = pages.emplace_back();
    for (const v1::Resolution& record : page.resolutions())
      absl::StrAppend(&ops, record.op_id(), " ");
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && pages.size() < 20);
  EXPECT_THAT(pages, ::testing::ElementsAre("11 ", "10 9 8 ", "7 6 5 ", "4 3 2 ", "1 0 "));
}

TEST_F(DeciderTest, MalformedListsAreRefused) {
  EXPECT_THAT(List(InSpace("")), HasReason(Reason::kInvalidArgument));
  v1::ListResolutionsRequest request = InSpace("s");
  request.set_page_token("x");
  EXPECT_EQ(PathOf(List(request).status()), "page_token");
  request = InSpace("s");
  request.set_entity_id("a");
  EXPECT_EQ(PathOf(List(request).status()), "entity_type");
  request = InSpace("s");
  for (const int limit : {-1, kListPageMax + 1}) {
    request.set_limit(limit);
    EXPECT_EQ(PathOf(List(request).status()), "limit");
  }
  request.set_limit(kListPageMax);
  EXPECT_OK(List(request));
}

TEST_F(DeciderTest, CallersAtOnceShareTransactionsAndLoseNothing) {
  constexpr int kCallers = 4;
  constexpr int kCalls = 100;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([this, caller] {
      for (int i = 0; i < kCalls; ++i) EXPECT_OK(Resolve(Overlap(absl::StrCat(caller, "-", i))));
    });
  }
  for (std::thread& caller : callers) caller.join();
  recorder_.Drain(absl::InfiniteFuture());
  ASSERT_OK_AND_ASSIGN(const auto all, storage_.inner->List({.space = "s", .limit = 1000}));
  EXPECT_EQ(all.size(), size_t{kCallers * kCalls});
  EXPECT_LE(storage_.puts, kCallers * kCalls);
}

// Random documents through the service against the library it stands on.
TEST_F(DeciderTest, AnswersWhatTheMergeLibraryAnswers) {
  constexpr uint64_t kCases = 300;
  constexpr int kItems = 8;
  for (uint64_t seed = 1; seed <= kCases; ++seed) {
    json::RandomValue random(seed);
    v1::ResolveRequest request;
    std::vector<std::string> expected;
    for (int i = 0; i < kItems; ++i) {
      const std::optional<json::Value> base = random.Make(3);
      std::optional<json::Value> theirs = random.Edit(*base, 1 + random.Below(4));
      std::optional<json::Value> ours = random.Edit(*base, 1 + random.Below(4));
      if (random.Below(10) == 0) theirs = std::nullopt;
      if (random.Below(10) == 0) ours = std::nullopt;
      v1::ResolveItem& item = *request.add_items();
      item = Overlap(absl::StrCat(seed, "-", i)).items(0);
      for (auto [side, value] : {std::pair(item.mutable_base(), &base),
                                 std::pair(item.mutable_theirs(), &std::as_const(theirs)),
                                 std::pair(item.mutable_ours(), &std::as_const(ours))}) {
        side->set_exists(value->has_value());
        side->set_data(*value ? json::Serialize(**value) : "");
      }
      const auto merged = merge::Merge(base, theirs, ours).value();
      expected.push_back(merged.value ? json::Serialize(*merged.value) : "deleted");
    }
    ASSERT_OK_AND_ASSIGN(const v1::ResolveResponse response, Resolve(request));
    for (int i = 0; i < kItems; ++i) {
      const v1::Side& merged = response.results(i).merged();
      ASSERT_EQ(merged.exists() ? merged.data() : "deleted", expected[i]) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace bdcsync::conflict
