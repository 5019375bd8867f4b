// The service as others meet it: over gRPC, between an event-store and a conflict on fakes.
#include "services/version/module.h"

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "bdcsync/version/v1/version.grpc.pb.h"
#include "libs/app/app.h"
#include "libs/app/context.h"
#include "libs/base/status.h"
#include "libs/metrics/registry.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/unary.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/version/commit_limits.h"
#include "services/version/event_log_client.h"
#include "services/version/reader.h"
#include "services/version/resolver_client.h"
#include "services/version/testing/fake_services.h"

namespace bdcsync::version {
namespace {

using ::bdcsync::testing::HasReason;
using ::bdcsync::testing::StatusIs;
using Stub = v1::VersionService::StubInterface;

// A port of this machine that nobody can listen on for long: the test's own has no privilege there.
constexpr char kNobody[] = "127.0.0.1:1";
constexpr absl::Duration kTimeout = absl::Seconds(20);
constexpr auto kCommit = [](auto& end, auto... call) { return end.Commit(std::move(call)...); };

class ModuleTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::pair<std::string, std::string>>& settings = {}) {
    app::Modules modules =
        app::MakeModules(version::testing::MakeFakeEventStore(log_),
                         version::testing::MakeFakeConflict(resolver_, desk_), MakeModule());
    ASSERT_OK_AND_ASSIGN(config::Values values, app::TestValues(modules, folder_.path(), settings));
    ASSERT_OK_AND_ASSIGN(app_, app::App::Start(std::move(modules), std::move(values)));
    stub_ = v1::VersionService::NewStub(app_->channel());
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    return rpc::Call<Stub>(*stub_, method, request, rpc::CallOptions{.timeout = kTimeout});
  }
  v1::CommitItem Item(common::v1::OperationKind kind, const std::string& text) {
    v1::CommitItem item;
    common::v1::Operation& operation = *item.mutable_operation();
    operation.set_op_id(absl::StrCat("op", ++operations_));
    operation.set_kind(kind);
    *operation.mutable_entity() = Key();
    (kind == common::v1::OPERATION_KIND_PATCH ? *operation.mutable_patch()
                                              : *operation.mutable_data()) = text;
    return item;
  }
  static common::v1::EntityKey Key() {
    common::v1::EntityKey key;
    key.set_space("s");
    key.set_entity_type("note");
    key.set_entity_id("a");
    return key;
  }
  absl::StatusOr<v1::CommitResult> Commit(const v1::CommitItem& item) {
    v1::CommitRequest request;
    *request.add_items() = item;
    ASSIGN_OR_RETURN(const v1::CommitResponse response, Call(&Stub::Commit, request));
    return response.results(0);
  }
  double Metric(const std::string& line_start) {
    const std::string all = app_->context().metrics().Render();
    const size_t at = all.find("\n" + line_start + " ");
    return at == std::string::npos ? -1 : std::stod(all.substr(at + line_start.size() + 2));
  }

  bdcsync::testing::TempDir folder_;
  version::testing::FakeEventLog log_;
  version::testing::MergingResolver resolver_;
  version::testing::FakeDesk desk_{resolver_};
  std::unique_ptr<app::App> app_;
  std::unique_ptr<Stub> stub_;
  int operations_ = 0;
};

TEST_F(ModuleTest, AnEntityLivesOverTheWire) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const v1::CommitItem create = Item(common::v1::OPERATION_KIND_CREATE, R"({"x":1,"y":1})");
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult base, Commit(create));
  EXPECT_EQ(base.outcome(), common::v1::OUTCOME_APPLIED);
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult again, Commit(create));
  EXPECT_EQ(again.outcome(), common::v1::OUTCOME_DUPLICATE);
  EXPECT_EQ(again.version_id(), base.version_id());
  ASSERT_OK(Commit(Item(common::v1::OPERATION_KIND_PATCH, R"({"x":2})")));
  v1::CommitItem late = Item(common::v1::OPERATION_KIND_PATCH, R"({"y":2})");
  late.mutable_operation()->set_base_version(base.version_id());
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult merged, Commit(late));
  EXPECT_EQ(merged.outcome(), common::v1::OUTCOME_MERGED);
  EXPECT_EQ(merged.data(), R"({"x":2,"y":2})");

  v1::GetEntitiesRequest get;
  *get.add_queries()->mutable_entity() = Key();
  ASSERT_OK_AND_ASSIGN(const auto entities, Call(&Stub::GetEntities, get));
  EXPECT_EQ(entities.entities(0).data(), R"({"x":2,"y":2})");
  v1::GetHistoryRequest history;
  *history.mutable_entity() = Key();
  ASSERT_OK_AND_ASSIGN(const auto versions, Call(&Stub::GetHistory, history));
  EXPECT_EQ(versions.versions_size(), 3);
  v1::DiffRequest diff;
  *diff.mutable_entity() = Key();
  diff.set_from_version_id(base.version_id());
  ASSERT_OK_AND_ASSIGN(const auto changes, Call(&Stub::Diff, diff));
  EXPECT_EQ(changes.changes(), R"([{"op":"replace","path":"/x","value":2},)"
                               R"({"op":"replace","path":"/y","value":2}])");
}

TEST_F(ModuleTest, RefusalsKeepTheirReasonOverTheWire) {
  ASSERT_NO_FATAL_FAILURE(Start({{"version.data_bytes_max", "1KiB"}}));
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult refused,
                       Commit(Item(common::v1::OPERATION_KIND_PATCH, "{}")));
  EXPECT_EQ(refused.error().code(), "not_found");
  ASSERT_OK_AND_ASSIGN(
      const v1::CommitResult large,
      Commit(Item(common::v1::OPERATION_KIND_CREATE, "\"" + std::string(1024, 'x') + "\"")));
  EXPECT_EQ(large.error().code(), "too_large");
  v1::CommitRequest many;
  for (size_t i = 0; i <= kCommitItemsMax; ++i) many.add_items();
  EXPECT_THAT(Call(&Stub::Commit, many), HasReason(Reason::kInvalidArgument));
  v1::GetHistoryRequest history;
  *history.mutable_entity() = Key();
  EXPECT_THAT(Call(&Stub::GetHistory, history), HasReason(Reason::kNotFound));
  v1::DiffRequest diff;
  EXPECT_THAT(Call(&Stub::Diff, diff), HasReason(Reason::kInvalidArgument));
  v1::GetEntitiesRequest reads;
  for (int i = 0; i <= kEntityQueriesMax; ++i) reads.add_queries();
  EXPECT_THAT(Call(&Stub::GetEntities, reads), HasReason(Reason::kInvalidArgument));
}

TEST_F(ModuleTest, WhileTheLogIsAwayOperationsAreSentBackAndReadinessSaysSo) {
  ASSERT_NO_FATAL_FAILURE(Start());
  while (!app_->Readiness().ok()) std::this_thread::yield();  // The test's own time limit ends it.
  log_.FailWith(absl::UnavailableError("away"));
  const v1::CommitItem create = Item(common::v1::OPERATION_KIND_CREATE, "1");
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult away, Commit(create));
  EXPECT_EQ(away.error().code(), "unavailable");
  EXPECT_TRUE(away.error().retryable());
  while (app_->Readiness().ok()) std::this_thread::yield();
  log_.FailWith(absl::OkStatus());
  while (!app_->Readiness().ok()) std::this_thread::yield();
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult back, Commit(create));
  EXPECT_EQ(back.outcome(), common::v1::OUTCOME_APPLIED);
}

TEST_F(ModuleTest, OperationsAreCountedByKindAndOutcome) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK(Commit(Item(common::v1::OPERATION_KIND_CREATE, "1")));
  ASSERT_OK(Commit(Item(common::v1::OPERATION_KIND_CREATE, "1")));
  ASSERT_OK(Commit(Item(common::v1::OPERATION_KIND_UPDATE, "2")));
  const std::string operations = "bdcsync_version_operations_total";
  EXPECT_EQ(Metric(operations + "{kind=\"create\",outcome=\"applied\"}"), 1);
  EXPECT_EQ(Metric(operations + "{kind=\"create\",outcome=\"rejected\"}"), 1);
  EXPECT_EQ(Metric(operations + "{kind=\"update\",outcome=\"applied\"}"), 1);
  EXPECT_EQ(Metric("bdcsync_version_batch_items_count"), 3);
  EXPECT_GT(Metric("bdcsync_version_head_cache_hits_total"), 0);
  EXPECT_GT(Metric("bdcsync_version_head_cache_bytes"), 0);
}

TEST_F(ModuleTest, AConflictLivesOverTheWire) {
  resolver_.UseRules(R"({"rules":[{"path":"$.x","rule":"ask"}]})");
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult base,
                       Commit(Item(common::v1::OPERATION_KIND_CREATE, R"({"x":1})")));
  ASSERT_OK(Commit(Item(common::v1::OPERATION_KIND_PATCH, R"({"x":2})")));
  v1::CommitItem late = Item(common::v1::OPERATION_KIND_PATCH, R"({"x":3})");
  late.mutable_operation()->set_base_version(base.version_id());
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult kept, Commit(late));
  EXPECT_EQ(kept.outcome(), common::v1::OUTCOME_CONFLICT);
  EXPECT_EQ(desk_.Record(kept.conflict_id()).state(), conflict::v1::CONFLICT_STATE_OPEN);

  v1::ViewConflictsRequest view;
  view.add_items()->set_conflict_id(kept.conflict_id());
  view.mutable_items(0)->add_choices()->set_choice("ours");
  ASSERT_OK_AND_ASSIGN(const auto views, Call(&Stub::ViewConflicts, view));
  EXPECT_EQ(views.views(0).preview().data(), R"({"x":3})");

  v1::CloseConflictsRequest close;
  close.add_items()->set_conflict_id(kept.conflict_id());
  close.mutable_items(0)->set_cause(v1::CLOSE_CAUSE_DECIDED);
  close.mutable_items(0)->add_choices()->set_choice("ours");
  ASSERT_OK_AND_ASSIGN(const auto closed, Call(&Stub::CloseConflicts, close));
  EXPECT_EQ(closed.results(0).revision(), 3) << closed.results(0).error().message();
  EXPECT_EQ(Metric("bdcsync_version_conflicts_opened_total"), 1);
  EXPECT_EQ(Metric("bdcsync_version_conflicts_closed_total{state=\"resolved\"}"), 1);

  desk_.PlanFor(conflict::v1::Side());
  v1::UndoResolutionRequest undo;
  undo.set_space("s");
  undo.set_op_id("close-" + kept.conflict_id());
  ASSERT_OK_AND_ASSIGN(const auto undone, Call(&Stub::UndoResolution, undo));
  EXPECT_EQ(undone.revision(), 4);
  EXPECT_EQ(desk_.undone().size(), 1u);
  undo.set_op_id("never");
  EXPECT_THAT(Call(&Stub::UndoResolution, undo), HasReason(Reason::kNotFound));
}

TEST_F(ModuleTest, WithConflictTooSlowToBeToldTheAnswerComesAllTheSame) {
  resolver_.UseRules(R"({"rules":[{"path":"$.x","rule":"ask"}]})");
  ASSERT_NO_FATAL_FAILURE(Start({{"version.record_facts_timeout", "1ms"}}));
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult base,
                       Commit(Item(common::v1::OPERATION_KIND_CREATE, R"({"x":1})")));
  ASSERT_OK(Commit(Item(common::v1::OPERATION_KIND_PATCH, R"({"x":2})")));
  v1::CommitItem late = Item(common::v1::OPERATION_KIND_PATCH, R"({"x":3})");
  late.mutable_operation()->set_base_version(base.version_id());
  desk_.HoldFacts();
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult kept, Commit(late));
  desk_.ReleaseFacts();
  EXPECT_EQ(kept.outcome(), common::v1::OUTCOME_CONFLICT);
  EXPECT_EQ(Metric("bdcsync_version_conflict_facts_lost_total"), 1);
}

TEST_F(ModuleTest, WhatIsInFlightIsAnsweredBeforeItStops) {
  ASSERT_NO_FATAL_FAILURE(Start());
  absl::Notification arrived;
  absl::Notification draining;
  log_.BeforeNextAppend([&] {
    arrived.Notify();
    draining.WaitForNotification();
  });
  absl::StatusOr<v1::CommitResult> result;
  std::thread caller([&] { result = Commit(Item(common::v1::OPERATION_KIND_CREATE, "1")); });
  arrived.WaitForNotification();
  std::thread stopper([&] { app_->Drain(absl::InfiniteFuture()); });
  while (app_->Readiness().ok()) std::this_thread::yield();
  draining.Notify();
  caller.join();
  stopper.join();
  ASSERT_OK(result);
  EXPECT_EQ(result->outcome(), common::v1::OUTCOME_APPLIED);
  app_.reset();
}

TEST_F(ModuleTest, RequestIdAndDeadlineAreHandedOnToEventStoreAndConflict) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(const v1::CommitResult base,
                       Commit(Item(common::v1::OPERATION_KIND_CREATE, R"({"x":1})")));
  ASSERT_OK(Commit(Item(common::v1::OPERATION_KIND_PATCH, R"({"x":2})")));
  v1::CommitItem late = Item(common::v1::OPERATION_KIND_PATCH, R"({"y":2})");
  late.mutable_operation()->set_base_version(base.version_id());
  v1::CommitRequest request;
  *request.add_items() = late;
  // Shorter than version's own timeouts, and rounded up on the wire by at most 1 % at each hop.
  const rpc::CallOptions options{.timeout = absl::Seconds(4), .request_id = "r-17"};
  const absl::Duration not_after = SystemClock().Monotonic() + absl::Seconds(4.1);
  ASSERT_OK(rpc::Call<Stub>(*stub_, &Stub::Commit, request, options));
  for (const CallTrace& trace : {log_.last_caller(), resolver_.last_caller()}) {
    EXPECT_EQ(trace.request_id, "r-17");
    EXPECT_LE(trace.not_after, not_after);
  }

  v1::GetHistoryRequest history;
  *history.mutable_entity() = Key();
  ASSERT_OK(rpc::Call<Stub>(*stub_, &Stub::GetHistory, history,
                            {.timeout = absl::Seconds(4), .request_id = "r-18"}));
  EXPECT_EQ(log_.last_caller().request_id, "r-18");
  EXPECT_LE(log_.last_caller().not_after, not_after);
}

TEST_F(ModuleTest, ABatchOfSeveralCallsTakesTheLatestDeadline) {
  ASSERT_NO_FATAL_FAILURE(Start({{"version.batches_in_flight_max", "1"}}));
  absl::Notification arrived;
  absl::Notification queued;
  log_.BeforeNextAppend([&] {
    arrived.Notify();
    queued.WaitForNotification();
  });
  const rpc::Client<v1::VersionService> client(app_->context().server().InProcess());
  const auto commit = [&](absl::Duration timeout, const std::string& id, absl::Notification& done) {
    v1::CommitRequest request;
    *request.add_items() = Item(common::v1::OPERATION_KIND_UPDATE, "1");
    client.Start(kCommit, std::move(request), {.timeout = timeout, .request_id = id},
                 rpc::Done<v1::CommitResponse>([&done](absl::StatusOr<v1::CommitResponse> answer) {
                   EXPECT_OK(answer);
                   done.Notify();
                 }));
  };
  absl::Notification first;
  absl::Notification second;
  absl::Notification third;
  // A call within the process may go as far as the log on its caller's thread, which waits there.
  std::thread caller([&] { commit(kTimeout, "first", first); });
  arrived.WaitForNotification();
  commit(absl::Seconds(8), "second", second);
  commit(absl::Seconds(5), "third", third);
  while (Metric("bdcsync_version_queue_items") < 2) std::this_thread::yield();
  const absl::Duration now = SystemClock().Monotonic();
  queued.Notify();
  caller.join();
  for (absl::Notification* done : {&first, &second, &third}) done->WaitForNotification();
  EXPECT_THAT(log_.last_caller().request_id, ::testing::StartsWith("batch-"));
  EXPECT_GT(log_.last_caller().not_after, now + absl::Seconds(5.5));
  EXPECT_LT(log_.last_caller().not_after, now + absl::Seconds(8.5));
}

TEST_F(ModuleTest, ClientsGoOnToTheNextReplica) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK_AND_ASSIGN(const auto nobody, rpc::Dial(kNobody, rpc::ChannelOptions()));
  const std::vector<rpc::Peer> peers = {{.channel = nobody, .direct = nullptr},
                                        app_->context().server().InProcess()};
  EventLogClient log(peers, kTimeout);
  ResolverClient resolver(peers, kTimeout);
  constexpr int kCalls = 8;  // Whichever replica is first.
  for (int i = 0; i < kCalls; ++i) {
    event_store::v1::ReadHeadsRequest heads;
    heads.add_streams()->set_space(absl::StrCat("space", i));
    heads.mutable_streams(0)->set_name("note:main:a");
    absl::Notification read;
    log.ReadHeads(heads, [&](absl::StatusOr<event_store::v1::ReadHeadsResponse> answer) {
      EXPECT_OK(answer);
      read.Notify();
    });
    read.WaitForNotification();
    absl::Notification resolved;
    resolver.Resolve({}, [&](absl::StatusOr<conflict::v1::ResolveResponse> answer) {
      EXPECT_OK(answer);
      resolved.Notify();
    });
    resolved.WaitForNotification();
  }
  EventLogClient alone({peers.front()}, kTimeout);
  absl::Notification failed;
  alone.Ping([&](absl::Status status) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
    failed.Notify();
  });
  failed.WaitForNotification();
}

}  // namespace
}  // namespace bdcsync::version
