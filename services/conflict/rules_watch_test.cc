// Replicas and files: what changes is taken into use by those that watch.
#include "services/conflict/rules_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"
#include "libs/bus/memory_bus.h"
#include "libs/log/logger.h"
#include "libs/rules/script_rules.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/conflict/storage/sqlite_rule_set_storage.h"

namespace bdcsync::conflict {
namespace {

const char* const kLww = R"({"rules":[]})";
const char* const kMax = R"({"rules":[{"path":"$.n","rule":"max"}]})";

// One process: its registry and its watch, on a store and a bus that it shares with others.
class Replica {
 public:
  Replica(RuleSetStorage& storage, bus::Bus& bus, const std::string& file, absl::Duration interval)
      : registry_(storage, compiler_, clock_, {},
                  {.on_read = [this](const absl::Status&, bool) { Looked(); },
                   .on_changed = [&bus] { bus.Publish(kRulesChannel, ""); }}),
        watch_(std::make_unique<RulesWatch>(registry_, bus, file, interval, log::NullLogger())) {}

  absl::Status Start() { return watch_->Start(); }
  RuleSetRegistry& registry() { return registry_; }
  // Waits until a look has found the version; false after a long time.
  bool AwaitVersion(const std::string& type, int64_t version) {
    const auto holds = [&] { return registry_.active()->For(type).version == version; };
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&holds), absl::Seconds(30));
  }

 private:
  // Lets AwaitVersion look again.
  void Looked() { absl::MutexLock lock(&mutex_); }

  rules::LuaCompiler compiler_;
  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  absl::Mutex mutex_;
  RuleSetRegistry registry_;
  std::unique_ptr<RulesWatch> watch_;
};

class RulesWatchTest : public ::testing::Test {
 protected:
  static absl::Status Put(Replica& replica, const std::string& rules) {
    v1::PutRuleSetRequest request;
    request.set_entity_type("note");
    request.set_rules(rules);
    return replica.registry().Put(request).status();
  }
  void Write(const std::string& text) { std::ofstream(file_) << text; }

  bus::MemoryBus bus_{bus::BusOptions()};
  std::unique_ptr<RuleSetStorage> storage_ = *OpenSqliteRuleSetStorage(sql::kSqliteMemory);
  testing::TempDir folder_;
  const std::string file_ = folder_.File("rules.yaml");
};

TEST_F(RulesWatchTest, AnotherReplicaIsToldOverTheBus) {
  Replica one(*storage_, bus_, "", absl::Hours(1));
  Replica two(*storage_, bus_, "", absl::Hours(1));
  ASSERT_OK(one.Start());
  ASSERT_OK(two.Start());
  ASSERT_OK(Put(one, kMax));
  EXPECT_TRUE(two.AwaitVersion("note", 1));
}

TEST_F(RulesWatchTest, WordThatIsMissedIsFoundOnTheInterval) {
  bus::MemoryBus other_bus{bus::BusOptions()};
  Replica one(*storage_, bus_, "", absl::Hours(1));
  Replica two(*storage_, other_bus, "", absl::Milliseconds(10));
  ASSERT_OK(two.Start());
  ASSERT_OK(Put(one, kMax));
  EXPECT_TRUE(two.AwaitVersion("note", 1));
}

TEST_F(RulesWatchTest, TheFileHoldsFromTheStartAndWhenItChanges) {
  Write("note: {rules: []}");
  Replica replica(*storage_, bus_, file_, absl::Milliseconds(10));
  ASSERT_OK(replica.Start());
  EXPECT_EQ(replica.registry().active()->For("note").version, 1);
  Write("note: {rules: [{path: $.n, rule: max}]}");
  EXPECT_TRUE(replica.AwaitVersion("note", 2));
}

TEST_F(RulesWatchTest, AFileWithAMistakeLeavesWhatWasKnown) {
  Write("note: {rules: []}");
  Replica replica(*storage_, bus_, file_, absl::Milliseconds(10));
  ASSERT_OK(replica.Start());
  Write("note: {rules: [7]}");
  ASSERT_OK(Put(replica, kLww));
  EXPECT_EQ(replica.registry().active()->For("note").version, 2);
  Write("note: {rules: [{path: $.n, rule: max}]}");
  EXPECT_TRUE(replica.AwaitVersion("note", 3));
}

TEST_F(RulesWatchTest, AReplicaThatStartsLaterTakesOverNoFileThatIsKnown) {
  Write("note: {rules: []}");
  Replica one(*storage_, bus_, file_, absl::Hours(1));
  ASSERT_OK(one.Start());
  ASSERT_OK(Put(one, kMax));
  Replica two(*storage_, bus_, file_, absl::Hours(1));
  ASSERT_OK(two.Start());
  EXPECT_EQ(two.registry().active()->For("note").version, 2);
}

}  // namespace
}  // namespace bdcsync::conflict
