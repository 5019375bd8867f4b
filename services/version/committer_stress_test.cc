// Many clients, several replicas, one log that loses calls and answers: what must hold after any
// interleaving. Each client repeats what was sent back until it knows the outcome.
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/base/hash.h"
#include "libs/entity/version_id.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/json/value.h"
#include "libs/rpc/worker_pool.h"
#include "services/version/committer.h"
#include "services/version/testing/committer_fixture.h"
#include "services/version/testing/fake_event_log.h"
#include "services/version/testing/late_event_log.h"
#include "services/version/testing/merging_resolver.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::Operation;
using event_store::v1::Event;

constexpr int kClients = 8;
constexpr int kRoundsPerClient = 60;
constexpr int kBatchMax = 5;
constexpr int kEntities = 3;

struct Outcome {
  Operation operation;
  v1::CommitResult result;
};

// One service process of several on the log.
struct Replica {
  Replica(FakeEventLog& log, MergingResolver& merging, rpc::WorkerPool& threads, uint64_t seed,
          CommitLimits limits)
      : random(seed),
        late(log, threads, /*loss_period=*/23),
        resolver(merging, threads),
        cache(2000),  // Small: heads come and go.
        desk(merging),
        facts(desk, observer),
        committer(late, resolver, facts, cache, random, observer, limits) {}

  SeededRandom random;
  LateEventLog late;
  LateResolver resolver;
  HeadCache cache;
  CountingObserver observer;
  FakeDesk desk;
  FactRecorder facts;
  Committer committer;
};

// A client that speaks to any replica.
class Client {
 public:
  Client(std::vector<std::unique_ptr<Replica>>& replicas, int number)
      : replicas_(replicas), number_(number), random_(static_cast<uint64_t>(number) + 99) {}

  void Run() {
    for (int round = 0; round < kRoundsPerClient; ++round) {
      std::vector<Operation> batch;
      const int size = 1 + Below(kBatchMax);
      for (int i = 0; i < size; ++i) batch.push_back(Random());
      Commit(batch, Below(3) == 0);
    }
  }
  const std::vector<Outcome>& outcomes() const { return outcomes_; }

 private:
  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }

  Operation Random() {
    const std::string op_id = absl::StrCat("c", number_, "-", ++operations_);
    const std::string key = absl::StrCat("{\"", op_id, "\":1}");
    Operation operation;
    operation.set_op_id(op_id);
    operation.set_request_hash(StableHash64(op_id));
    operation.mutable_entity()->set_space(absl::StrCat("s", Below(2)));
    operation.mutable_entity()->set_entity_id(absl::StrCat(Below(kEntities)));
    // Things of type "set" only ever gain keys; things of type "any" see everything.
    const bool only_gains = Below(2) == 0;
    operation.mutable_entity()->set_entity_type(only_gains ? "set" : "any");
    const int dice = only_gains ? 2 : Below(6);
    operation.set_kind(dice == 0   ? common::v1::OPERATION_KIND_CREATE
                       : dice == 1 ? common::v1::OPERATION_KIND_DELETE
                       : dice <= 4 ? common::v1::OPERATION_KIND_PATCH
                                   : common::v1::OPERATION_KIND_UPDATE);
    if (operation.kind() == common::v1::OPERATION_KIND_PATCH) {
      operation.set_patch(key);
    } else if (operation.kind() != common::v1::OPERATION_KIND_DELETE) {
      operation.set_data(key);
    }
    const std::string name =
        absl::StrCat(operation.entity().space(), operation.entity().entity_type(),
                     operation.entity().entity_id());
    if (Below(2) == 0) operation.set_base_version(seen_[name]);
    return operation;
  }

  // Repeats what was sent back until every outcome is known.
  void Commit(std::vector<Operation> batch, bool as_client_batch) {
    while (!batch.empty()) {
      v1::CommitRequest request;
      for (const Operation& operation : batch) {
        v1::CommitItem& item = *request.add_items();
        *item.mutable_operation() = operation;
        item.mutable_actor()->set_user_id(absl::StrCat(number_));
        if (as_client_batch) item.set_batch(1);
      }
      v1::CommitResponse response;
      absl::Notification done;
      Replica& replica = *replicas_[Below(static_cast<int>(replicas_.size()))];
      ASSERT_TRUE(replica.committer.Commit(request, response, [&done] { done.Notify(); }).ok());
      done.WaitForNotification();
      std::vector<Operation> again;
      for (int i = 0; i < response.results_size(); ++i) {
        if (response.results(i).error().code() == "unavailable") {
          again.push_back(batch[i]);
        } else {
          Keep(batch[i], response.results(i));
        }
      }
      batch = std::move(again);
    }
  }

  void Keep(const Operation& operation, const v1::CommitResult& result) {
    outcomes_.push_back({operation, result});
    if (result.has_error()) return;
    seen_[absl::StrCat(operation.entity().space(), operation.entity().entity_type(),
                       operation.entity().entity_id())] = result.version_id();
  }

  std::vector<std::unique_ptr<Replica>>& replicas_;
  const int number_;
  std::mt19937_64 random_;
  int operations_ = 0;
  std::map<std::string, std::string> seen_;
  std::vector<Outcome> outcomes_;
};

class Stress : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int space = 0; space < 2; ++space) {
      for (int entity = 0; entity < kEntities; ++entity) Seed(space, entity);
    }
  }

  void RunClients(int replica_count) {
    CommitLimits limits;
    limits.batch_items_max = 16;
    limits.lost_races_max = 1000;
    rpc::WorkerPool threads({.threads = 4, .queued_max = 10000});
    std::vector<std::unique_ptr<Replica>> replicas;
    for (int i = 0; i < replica_count; ++i) {
      replicas.push_back(std::make_unique<Replica>(log_, merging_, threads, 100 + i, limits));
    }
    std::vector<Client> clients;
    for (int i = 0; i < kClients; ++i) clients.emplace_back(replicas, i);
    std::vector<std::thread> running;
    for (Client& client : clients) running.emplace_back([&client] { client.Run(); });
    for (std::thread& thread : running) thread.join();
    for (const Client& client : clients) {
      outcomes_.insert(outcomes_.end(), client.outcomes().begin(), client.outcomes().end());
    }
  }

  // The "set" things live from the start.
  void Seed(int space, int entity) {
    event_store::v1::AppendRequest request;
    event_store::v1::AppendItem& item = *request.add_items();
    item.mutable_stream()->set_space(absl::StrCat("s", space));
    item.mutable_stream()->set_name(absl::StrCat("set:main:", entity));
    item.set_event_id(7);
    item.set_data("{}");
    log_.AppendElsewhere(std::move(request));
  }

  FakeEventLog log_;
  MergingResolver merging_;
  std::vector<Outcome> outcomes_;
};

std::set<std::string> KeysOf(const std::string& data) {
  const auto value = json::Parse(data);
  std::set<std::string> keys;
  for (const json::Member& member : value->object()) keys.insert(member.key);
  return keys;
}

// What every stream must look like, and which op_id made which version.
void CheckStream(const std::vector<Event>& events, std::map<std::string, std::string>& made) {
  std::string previous;
  for (size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    EXPECT_EQ(event.revision(), static_cast<int64_t>(i) + 1);
    const std::string version = entity::MakeVersionId(event.revision(), event.event_id());
    v1::VersionMeta meta;
    ASSERT_TRUE(meta.ParseFromString(event.meta()));
    if (!meta.op_id().empty()) {
      ASSERT_FALSE(meta.parents().empty() && i > 0);
      if (i > 0) {
        EXPECT_EQ(meta.parents(0), previous) << "a version not made from the one before it";
      }
      EXPECT_TRUE(made.emplace(meta.op_id(), version).second) << meta.op_id() << " twice";
      if (meta.outcome() == common::v1::OUTCOME_APPLIED && i > 0 && !event.tombstone() &&
          meta.operation() == common::v1::OPERATION_KIND_PATCH) {
        std::set<std::string> expected = KeysOf(events[i - 1].data());
        expected.insert(meta.op_id());
        EXPECT_EQ(KeysOf(event.data()), expected);
      }
    }
    previous = version;
  }
}

TEST_F(Stress, EveryOutcomeIsTrueAndEveryChangeIsThereOnce) {
  RunClients(/*replica_count=*/3);
  std::map<std::string, std::string> made;
  for (const std::string space : {"s0", "s1"}) {
    for (const std::string& name : log_.StreamNames(space)) {
      CheckStream(log_.Stream(space, name), made);
    }
  }
  size_t applied = 0;
  std::map<std::string, std::set<std::string>> gained;
  for (const Outcome& outcome : outcomes_) {
    const std::string& op_id = outcome.operation.op_id();
    if (outcome.result.has_error()) {
      EXPECT_EQ(made.count(op_id), 0u) << "refused, but stored: " << op_id;
      continue;
    }
    ++applied;
    EXPECT_EQ(made[op_id], outcome.result.version_id());
    if (outcome.operation.entity().entity_type() == "set") {
      gained[absl::StrCat(outcome.operation.entity().space(), "/",
                          outcome.operation.entity().entity_id())]
          .insert(op_id);
    }
  }
  EXPECT_EQ(made.size(), applied) << "stored, but not told";
  EXPECT_EQ(outcomes_.size(), [&] {
    std::set<std::string> ids;
    for (const Outcome& outcome : outcomes_) ids.insert(outcome.operation.op_id());
    return ids.size();
  }()) << "one outcome for each operation";
  for (const auto& [place, keys] : gained) {
    const size_t slash = place.find('/');
    const auto events = log_.Stream(place.substr(0, slash), "set:main:" + place.substr(slash + 1));
    EXPECT_EQ(KeysOf(events.back().data()), keys) << "a change was lost or made up in " << place;
  }
  EXPECT_GT(merging_.calls(), 0);
}

TEST_F(Stress, OneReplicaKeepsTheSamePromises) {
  RunClients(/*replica_count=*/1);
  std::map<std::string, std::string> made;
  for (const std::string space : {"s0", "s1"}) {
    for (const std::string& name : log_.StreamNames(space)) {
      CheckStream(log_.Stream(space, name), made);
    }
  }
  for (const Outcome& outcome : outcomes_) {
    const auto version = made.find(outcome.operation.op_id());
    EXPECT_EQ(version != made.end(), !outcome.result.has_error());
    if (version == made.end()) continue;
    EXPECT_EQ(version->second, outcome.result.version_id());
  }
}

}  // namespace
}  // namespace bdcsync::version::testing
