// Several servers of which one is away: what the others hold is read, told and swept all the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/bus/open.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "services/event-store/commit_feed.h"
#include "services/event-store/conformance/hooked_storage.h"
#include "services/event-store/conformance/test_store.h"
#include "services/event-store/storage/open.h"
#include "services/event-store/storage/routed_event_storage.h"
#include "services/event-store/storage/sqlite_event_storage.h"

namespace bdcsync::event_store {
namespace {

using bdcsync::testing::HasReason;

constexpr uint32_t kServers = 2;
constexpr uint32_t kLogs = 4;
constexpr int64_t kFuture = int64_t{1} << 60;

// A server that can be away.
class Server final : public HookedStorage {
 public:
  Server(EventStorage& beneath, const std::atomic<bool>& away)
      : HookedStorage(beneath,
                      [](EventStorage& storage, absl::Span<const LogWrite> writes) {
                        return storage.Commit(writes);
                      }),
        away_(away) {}
  absl::StatusOr<std::vector<v1::Head>> ReadHeads(absl::Span<const StreamName> streams,
                                                  bool with_data) override {
    if (away_) return absl::UnavailableError("away");
    return HookedStorage::ReadHeads(streams, with_data);
  }
  absl::StatusOr<std::vector<SpaceHead>> SpaceHeads(absl::Span<const SpaceName> spaces) override {
    if (away_) return absl::UnavailableError("away");
    return HookedStorage::SpaceHeads(spaces);
  }
  absl::StatusOr<int64_t> SweepOperations(int64_t before_ms, int64_t rows_max) override {
    if (away_) return absl::UnavailableError("away");
    return HookedStorage::SweepOperations(before_ms, rows_max);
  }

 private:
  const std::atomic<bool>& away_;
};

class RoutedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    EventStorageOptions options;
    options.log_count = kLogs;
    std::vector<StorageShard> shards;
    for (uint32_t server = 0; server < kServers; ++server) {
      ASSERT_OK_AND_ASSIGN(beneath_.emplace_back(),
                           OpenSqliteEventStorage(sql::kSqliteMemory, options, random_));
      const LogRange logs{server * kLogs / kServers, (server + 1) * kLogs / kServers};
      shards.push_back({logs, std::make_unique<Server>(*beneath_.back(), away_[server])});
    }
    storage_ = MakeRoutedEventStorage(kLogs, std::move(shards));
    store_ = std::make_unique<TestStore>(*storage_, clock_, sink_, kServers, 64);
    for (uint32_t server = 0; server < kServers; ++server) {
      for (int i = 0; spaces_[server].empty(); ++i) {
        const std::string space = absl::StrCat("s", i);
        if (store_->store().LogOf(space) * kServers / kLogs == server) spaces_[server] = space;
      }
      Append(server, "first");
    }
  }
  void Append(uint32_t server, const std::string& op_id) {
    v1::AppendRequest request;
    v1::AppendItem& item = *request.add_items();
    item = ItemFor(spaces_[server], "a", "data");
    item.set_op_id(op_id);
    ASSERT_OK_AND_ASSIGN(const v1::AppendResponse response, store_->store().AppendAndWait(request));
    ASSERT_TRUE(response.results(0).has_appended());
  }

  // How many operation keys it forgot; -1: it failed.
  int64_t Sweep(int64_t rows_max) {
    return storage_->SweepOperations(kFuture, rows_max).value_or(-1);
  }

  SystemClock clock_;
  SystemRandom random_;
  IgnoringSink sink_;
  std::atomic<bool> away_[kServers] = {false, false};
  std::vector<std::unique_ptr<EventStorage>> beneath_;
  std::unique_ptr<EventStorage> storage_;
  std::unique_ptr<TestStore> store_;
  std::string spaces_[kServers];
};

TEST_F(RoutedTest, WhoAsksForAPartGetsTheHeadsThatThereAre) {
  v1::ReadHeadsRequest streams;
  v1::GetSpaceHeadsRequest spaces;
  for (const std::string& space : spaces_) {
    streams.add_streams()->set_space(space);
    streams.mutable_streams()->rbegin()->set_name("a");
    spaces.add_spaces(space);
  }
  EventStore& store = store_->store();
  for (uint32_t server = 0; server < kServers; ++server) {
    away_[server] = true;
    streams.set_partial(false);
    spaces.set_partial(false);
    EXPECT_THAT(store.ReadHeads(streams), HasReason(Reason::kUnavailable));
    EXPECT_THAT(store.GetSpaceHeads(spaces), HasReason(Reason::kUnavailable));
    streams.set_partial(true);
    spaces.set_partial(true);
    ASSERT_OK_AND_ASSIGN(const v1::ReadHeadsResponse heads, store.ReadHeads(streams));
    ASSERT_OK_AND_ASSIGN(const v1::GetSpaceHeadsResponse seqs, store.GetSpaceHeads(spaces));
    const int here = static_cast<int>(1 - server);
    EXPECT_EQ(heads.heads(here).event().data(), "data");
    EXPECT_FALSE(heads.heads(here).unavailable());
    EXPECT_TRUE(heads.heads(1 - here).unavailable());
    EXPECT_FALSE(heads.heads(1 - here).has_event());
    EXPECT_NE(seqs.heads(here).epoch(), 0u);
    EXPECT_EQ(seqs.heads(here).seq(), 1);
    EXPECT_EQ(seqs.heads(1 - here).epoch(), 0u);
    away_[server] = false;
  }
  away_[0] = away_[1] = true;
  EXPECT_THAT(store.ReadHeads(streams), HasReason(Reason::kUnavailable));
  EXPECT_THAT(store.GetSpaceHeads(spaces), HasReason(Reason::kUnavailable));
}

TEST_F(RoutedTest, AHeadCheckWakesThoseWhoFollowWhatIsThere) {
  ASSERT_OK_AND_ASSIGN(const auto bus, bus::OpenBus("memory:", bus::BusOptions()));
  CommitFeed feed(*storage_, *bus);
  std::atomic<int> woken[kServers] = {0, 0};
  std::vector<std::unique_ptr<CommitFeed::Listener>> listeners;
  for (uint32_t server = 0; server < kServers; ++server) {
    listeners.push_back(feed.Listen({store_->store().LogOf(spaces_[server]), spaces_[server]},
                                    [&woken, server] { ++woken[server]; }));
    while (woken[server] == 0) std::this_thread::yield();  // The bus lets messages in.
    woken[server] = 0;
    listeners[server]->Reached(server == 0 ? 1 : 0);
  }
  away_[0] = true;
  EXPECT_OK(feed.CheckHeads());
  EXPECT_EQ(woken[0], 0);
  EXPECT_EQ(woken[1], 1);
}

TEST_F(RoutedTest, ASweepGoesOnWhereAServerIsAway) {
  for (uint32_t server = 0; server < kServers; ++server) {
    for (uint32_t each = 0; each < kServers; ++each) Append(each, absl::StrCat("round ", server));
    away_[server] = true;
    EXPECT_GT(Sweep(10), 0) << server;
    EXPECT_EQ(Sweep(10), -1) << "nothing is left where an answer comes from";
    away_[server] = false;
    EXPECT_GT(Sweep(10), 0);
  }
}

TEST_F(RoutedTest, SweepsTakeTurnsWhereThereIsMoreThanTheyMayTake) {
  for (uint32_t server = 0; server < kServers; ++server) Append(server, "second");
  EXPECT_EQ(Sweep(1), 1);
  EXPECT_EQ(Sweep(1), 1);
  for (const auto& server : beneath_) EXPECT_EQ(server->SweepOperations(kFuture, 10).value(), 1);
}

TEST(RangesOfLogs, NameEveryLogOnceAndNoMoreThanAStoreHas) {
  const auto check = [](const std::vector<std::string>& ranges) {
    OpenOptions options;
    for (const std::string& range : ranges) options.log_dsns[range] = "postgresql://host/database";
    return CheckOpenOptions(options).ok();
  };
  const std::string last = absl::StrCat(kLogCountMax - 1);
  EXPECT_TRUE(check({"0"}));
  EXPECT_TRUE(check({"0-3", "4", "5-9"}));
  EXPECT_TRUE(check({absl::StrCat("0-", last)}));
  EXPECT_FALSE(check({absl::StrCat("0-", last), absl::StrCat(kLogCountMax)}));
  EXPECT_FALSE(check({"0-4294967294"}));
  EXPECT_FALSE(check({"0-4294967295"}));
  EXPECT_FALSE(check({"1-3"}));
  EXPECT_FALSE(check({"0-3", "5"}));
  EXPECT_FALSE(check({"0-3", "3-4"}));
  EXPECT_FALSE(check({"0-3", "5-4"}));
  for (const char* range : {"", "-", "0-", "-1", "0-1-2", "a", "0-b"}) {
    EXPECT_FALSE(check({range})) << range;
  }
}

}  // namespace
}  // namespace bdcsync::event_store
