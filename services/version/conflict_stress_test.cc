// Many clients whose changes ask, and several deciders who are not of one mind, on replicas whose
// log loses calls and answers: each asking operation ends as exactly one conflict, and each
// conflict has exactly one end.
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "libs/base/hash.h"
#include "libs/entity/version_id.h"
#include "libs/rpc/worker_pool.h"
#include "services/version/committer.h"
#include "services/version/conflict_closer.h"
#include "services/version/testing/committer_fixture.h"
#include "services/version/testing/late_event_log.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::Operation;
using event_store::v1::Event;

constexpr int kWriters = 5;
constexpr int kRounds = 25;
constexpr int kDeciders = 3;
constexpr int kEntities = 2;

// One service process of several on the log.
struct Replica {
  Replica(FakeEventLog& log, MergingResolver& merging, FakeDesk& desk, rpc::WorkerPool& threads,
          uint64_t seed, CommitLimits limits)
      : random(seed),
        late(log, threads, /*loss_period=*/17),
        resolver(merging, threads),
        cache(2000),
        facts(desk, observer),
        committer(late, resolver, facts, cache, random, observer, limits),
        closer({late, desk, facts, committer, random, clock, observer}) {}

  SeededRandom random;
  SystemClock clock;
  LateEventLog late;
  LateResolver resolver;
  HeadCache cache;
  CountingObserver observer;
  FactRecorder facts;
  Committer committer;
  ConflictCloser closer;
};

using Replicas = std::vector<std::unique_ptr<Replica>>;

// Ids of conflicts that somebody was told of.
class Known {
 public:
  void Add(const std::string& id) {
    absl::MutexLock lock(&mutex_);
    ids_.push_back(id);
  }
  std::string Any(uint64_t dice) {
    absl::MutexLock lock(&mutex_);
    return ids_.empty() ? "" : ids_[dice % ids_.size()];
  }
  std::vector<std::string> all() {
    absl::MutexLock lock(&mutex_);
    return ids_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> ids_ ABSL_GUARDED_BY(mutex_);
};

// Changes "status" on the base that it knows, so that it asks when somebody else did meanwhile.
class Writer {
 public:
  Writer(Replicas& replicas, Known& known, int number)
      : replicas_(replicas), known_(known), number_(number), random_(number + 7) {}

  void Run() {
    for (int round = 0; round < kRounds; ++round) {
      std::vector<Operation> batch;
      const bool as_client_batch = random_() % 2 == 0;
      const uint64_t size = 1 + random_() % 3;
      for (uint64_t i = 0; i < size; ++i) batch.push_back(Next());
      Commit(std::move(batch), as_client_batch);
    }
  }
  const std::map<std::string, v1::CommitResult>& outcomes() const { return outcomes_; }

 private:
  Operation Next() {
    Operation operation;
    operation.set_op_id(absl::StrCat("w", number_, "-", ++operations_));
    operation.set_request_hash(StableHash64(operation.op_id()));
    operation.mutable_entity()->set_space("s");
    operation.mutable_entity()->set_entity_type("note");
    operation.mutable_entity()->set_entity_id(absl::StrCat(random_() % kEntities));
    operation.set_kind(common::v1::OPERATION_KIND_PATCH);
    operation.set_patch(absl::StrCat(R"({"status":")", operation.op_id(), R"("})"));
    operation.set_base_version(seen_[operation.entity().entity_id()]);
    return operation;
  }

  void Commit(std::vector<Operation> batch, bool as_client_batch) {
    while (!batch.empty()) {
      v1::CommitRequest request;
      for (const Operation& operation : batch) {
        v1::CommitItem& item = *request.add_items();
        *item.mutable_operation() = operation;
        if (as_client_batch) item.set_batch(1);
      }
      v1::CommitResponse response;
      absl::Notification done;
      Replica& replica = *replicas_[random_() % replicas_.size()];
      ASSERT_TRUE(replica.committer.Commit(request, response, [&done] { done.Notify(); }).ok());
      done.WaitForNotification();
      std::vector<Operation> again;
      for (int i = 0; i < response.results_size(); ++i) {
        const v1::CommitResult& result = response.results(i);
        if (result.error().code() == "unavailable") {
          again.push_back(batch[static_cast<size_t>(i)]);
          continue;
        }
        ASSERT_FALSE(result.has_error()) << result.error().message();
        outcomes_[batch[static_cast<size_t>(i)].op_id()] = result;
        if (!result.conflict_id().empty()) {
          known_.Add(result.conflict_id());
        } else if (random_() % 2 == 0) {
          seen_[batch[static_cast<size_t>(i)].entity().entity_id()] = result.version_id();
        }
      }
      batch = std::move(again);
    }
  }

  Replicas& replicas_;
  Known& known_;
  const int number_;
  std::mt19937_64 random_;
  int operations_ = 0;
  std::map<std::string, std::string> seen_;
  std::map<std::string, v1::CommitResult> outcomes_;
};

// Closes any conflict that it hears of, in any way, until it knows what became of it.
class Decider {
 public:
  Decider(Replicas& replicas, Known& known, int number)
      : replica_(*replicas[static_cast<size_t>(number) % replicas.size()]),
        known_(known),
        random_(number + 70) {}

  void Run(const std::atomic<bool>& writing) {
    int after = 0;
    while (writing || after++ < kRounds) {
      const std::string id = known_.Any(random_());
      if (id.empty()) {
        std::this_thread::yield();
        continue;
      }
      Close(id);
    }
  }
  // The states that it was told to have made, by conflict.
  const std::map<std::string, std::set<std::string>>& ends() const { return ends_; }

 private:
  void Close(const std::string& id) {
    v1::CloseConflictsRequest request;
    v1::CloseItem& item = *request.add_items();
    item.set_conflict_id(id);
    const uint64_t dice = random_() % 5;
    item.set_cause(dice < 2    ? v1::CLOSE_CAUSE_DECIDED
                   : dice == 2 ? v1::CLOSE_CAUSE_DEADLINE
                   : dice == 3 ? v1::CLOSE_CAUSE_CANCELLED
                               : v1::CLOSE_CAUSE_CHECK);
    if (dice < 2) item.add_choices()->set_choice(dice == 0 ? "ours" : "theirs");
    v1::CloseResult result;
    do {
      absl::Notification done;
      bool answered = false;
      replica_.closer.Close(request, [&](absl::StatusOr<v1::CloseConflictsResponse> answer) {
        answered = answer.ok();
        if (answered) result = answer->results(0);
        done.Notify();
      });
      done.WaitForNotification();
      if (!answered) result.mutable_error()->set_code("unavailable");
    } while (result.error().code() == "unavailable");
    const bool closed = result.conflict().state() >= conflict::v1::CONFLICT_STATE_RESOLVED;
    if (result.has_error()) {
      EXPECT_EQ(result.error().code(), "precondition_failed") << result.error().message();
      EXPECT_TRUE(closed);
    }
    if (!closed) return;
    ends_[id].insert(absl::StrCat(result.conflict().state(), "/",
                                  result.conflict().closing_version_id(), "/",
                                  result.conflict().closed_ms()));
  }

  Replica& replica_;
  Known& known_;
  std::mt19937_64 random_;
  std::map<std::string, std::set<std::string>> ends_;
};

v1::VersionMeta MetaOf(const Event& event) {
  v1::VersionMeta meta;
  meta.ParseFromString(event.meta());
  return meta;
}

class ConflictStress : public ::testing::Test {
 protected:
  void SetUp() override {
    merging_.UseRules(R"({"rules":[{"path":"$.status","rule":"ask"}]})");
    for (int entity = 0; entity < kEntities; ++entity) {
      event_store::v1::AppendRequest request;
      event_store::v1::AppendItem& item = *request.add_items();
      item.mutable_stream()->set_space("s");
      item.mutable_stream()->set_name(absl::StrCat("note:main:", entity));
      item.set_event_id(7);
      item.set_data(R"({"status":"new"})");
      log_.AppendElsewhere(std::move(request));
    }
  }

  void Run() {
    CommitLimits limits;
    limits.batch_items_max = 16;
    limits.lost_races_max = 1000;
    rpc::WorkerPool threads({.threads = 4, .queued_max = 10000});
    Replicas replicas;
    for (int i = 0; i < kDeciders; ++i) {
      replicas.push_back(
          std::make_unique<Replica>(log_, merging_, desk_, threads, 100 + i, limits));
    }
    std::vector<Writer> writers;
    for (int i = 0; i < kWriters; ++i) writers.emplace_back(replicas, known_, i);
    std::vector<Decider> deciders;
    for (int i = 0; i < kDeciders; ++i) deciders.emplace_back(replicas, known_, i);
    std::atomic<bool> writing{true};
    std::vector<std::thread> deciding;
    for (Decider& decider : deciders) {
      deciding.emplace_back([&decider, &writing] { decider.Run(writing); });
    }
    std::vector<std::thread> running;
    for (Writer& writer : writers) running.emplace_back([&writer] { writer.Run(); });
    for (std::thread& thread : running) thread.join();
    writing = false;
    for (std::thread& thread : deciding) thread.join();
    for (const Writer& writer : writers) {
      outcomes_.insert(writer.outcomes().begin(), writer.outcomes().end());
    }
    for (const Decider& decider : deciders) {
      for (const auto& [id, ends] : decider.ends()) ends_[id].insert(ends.begin(), ends.end());
    }
  }

  // What the worker does: has each compared with the log, since an answer that was lost left
  // conflict with one that it takes for opening.
  void Check() {
    SeededRandom random(1);
    SystemClock clock;
    HeadCache cache(2000);
    CountingObserver observer;
    FactRecorder facts(desk_, observer);
    Committer committer(log_, merging_, facts, cache, random, observer, {});
    ConflictCloser closer({log_, desk_, facts, committer, random, clock, observer});
    for (const std::string& id : known_.all()) {
      v1::CloseConflictsRequest request;
      request.add_items()->set_conflict_id(id);
      request.mutable_items(0)->set_cause(v1::CLOSE_CAUSE_CHECK);
      closer.Close(std::move(request), [](absl::StatusOr<v1::CloseConflictsResponse> answer) {
        ASSERT_TRUE(answer.ok());
        EXPECT_FALSE(answer->results(0).has_error()) << answer->results(0).error().message();
      });
    }
  }

  // Reads the whole log: what was opened and closed, and which op_id made which version.
  void ReadLog() {
    for (const std::string& name : log_.StreamNames("s")) {
      const std::vector<Event> events = log_.Stream("s", name);
      if (absl::StartsWith(name, "!conflicts:")) {
        ReadFacts(events);
      } else {
        ReadVersions(events, absl::StrContains(name, ":conflict/"));
      }
    }
  }
  void ReadFacts(const std::vector<Event>& events) {
    std::set<std::string> open;
    for (const Event& event : events) {
      v1::ConflictFact fact;
      ASSERT_TRUE(fact.ParseFromString(event.meta()));
      const std::string& id = fact.conflict().conflict_id();
      if (fact.conflict().state() == conflict::v1::CONFLICT_STATE_OPEN) {
        EXPECT_TRUE(opened_.insert(id).second) << id << " was opened twice";
        open.insert(id);
      } else {
        EXPECT_EQ(open.erase(id), 1u) << id << " was closed, but not open";
        closed_[id] = fact.conflict();
      }
      v1::OpenConflicts list;
      list.ParseFromString(event.data());
      std::set<std::string> listed;
      for (const auto& conflict : list.conflicts()) listed.insert(conflict.conflict_id());
      EXPECT_EQ(listed, open);
      EXPECT_EQ(event.tombstone(), open.empty());
      EXPECT_LE(open.size(), static_cast<size_t>(kOpenConflictsMax));
    }
  }
  void ReadVersions(const std::vector<Event>& events, bool is_branch) {
    std::string previous;
    for (size_t i = 0; i < events.size(); ++i) {
      const v1::VersionMeta meta = MetaOf(events[i]);
      const std::string version = entity::MakeVersionId(events[i].revision(), events[i].event_id());
      if (i > 0) {
        EXPECT_EQ(meta.parents(0), previous);
      }
      previous = version;
      const bool is_seal = is_branch && IsSeal(meta);
      if (is_seal) {
        EXPECT_EQ(i + 1, events.size()) << "written behind its end";
        EXPECT_TRUE(sealed_.insert(meta.conflict_id()).second);
      } else if (!meta.op_id().empty()) {
        EXPECT_TRUE(made_.emplace(meta.op_id(), version).second) << meta.op_id() << " twice";
      }
    }
  }

  FakeEventLog log_;
  MergingResolver merging_;
  FakeDesk desk_{merging_};
  Known known_;
  std::map<std::string, v1::CommitResult> outcomes_;
  std::map<std::string, std::set<std::string>> ends_;
  std::set<std::string> opened_;
  std::map<std::string, conflict::v1::Conflict> closed_;
  std::set<std::string> sealed_;
  std::map<std::string, std::string> made_;
};

TEST_F(ConflictStress, EachAskingOperationIsOneConflictAndEachConflictHasOneEnd) {
  Run();
  Check();
  ReadLog();
  std::set<std::string> told;
  for (const auto& [op_id, result] : outcomes_) {
    EXPECT_EQ(made_[op_id], result.version_id()) << op_id;
    if (!result.conflict_id().empty()) told.insert(result.conflict_id());
  }
  EXPECT_EQ(told, opened_) << "opened, but not told, or told, but not opened";
  EXPECT_GT(opened_.size(), 10u);
  EXPECT_GT(closed_.size(), 5u);
  std::set<std::string> closed_ids;
  for (const auto& [id, conflict] : closed_) {
    closed_ids.insert(id);
    const bool merged = conflict.state() == conflict::v1::CONFLICT_STATE_RESOLVED ||
                        conflict.state() == conflict::v1::CONFLICT_STATE_EXPIRED;
    const auto merge = made_.find("close-" + id);
    EXPECT_EQ(merge != made_.end(), merged) << id;
    if (merge != made_.end()) {
      EXPECT_EQ(merge->second, conflict.closing_version_id());
    }
    EXPECT_EQ(desk_.Record(id).state(), conflict.state()) << "conflict was told otherwise";
  }
  EXPECT_EQ(sealed_, closed_ids);
  for (const auto& [id, ends] : ends_) {
    EXPECT_EQ(closed_ids.count(id), 1u) << "told to be closed";
    EXPECT_EQ(ends.size(), 1u) << "deciders were told different ends of " << id << ": "
                               << ::testing::PrintToString(ends);
  }
  for (const std::string& id : opened_) {
    if (closed_ids.count(id) == 0) {
      EXPECT_EQ(desk_.Record(id).state(), conflict::v1::CONFLICT_STATE_OPEN);
    }
  }
}

}  // namespace
}  // namespace bdcsync::version::testing
