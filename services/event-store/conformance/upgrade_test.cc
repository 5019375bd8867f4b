// A store that an older version made is read whole after the upgrade, and goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/event-store/limits.h"
#include "services/event-store/storage/migrations.h"
#include "services/event-store/storage/postgres_event_storage.h"
#include "services/event-store/storage/sqlite_event_storage.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

using ::testing::ElementsAre;

constexpr uint32_t kLogCount = 4;
// What version 0001 holds: in log 1 the spaces s and t; a with two revisions and b in s, a in t.
constexpr char kRowsOf0001[] =
    "INSERT INTO store VALUES (1, 4);"
    "INSERT INTO log_heads VALUES (0, 7, 1, 1, 0), (1, 8, 5, 3, 1003), (2, 9, 1, 1, 0), "
    "(3, 6, 1, 1, 0);"
    "INSERT INTO spaces VALUES (1, 1, 3, 's'), (1, 2, 1, 't');"
    "INSERT INTO streams VALUES (1, 1, 1, 1, 1, 'a'), (1, 2, 1, 2, 1, 'b'), (1, 4, 2, 1, 1, 'a');"
    "INSERT INTO stream_heads VALUES (1, 1, 1, 2, 3, 3, 43, false), "
    "(1, 2, 1, 1, 2, 2, 42, true), (1, 4, 2, 1, 1, 4, 44, false);"
    "INSERT INTO events VALUES "
    "(1, 1, 1, 1, 1, 1, 41, 1000, false, 0, 2, '1', '1'),"
    "(1, 2, 1, 2, 2, 1, 42, 1001, true, 0, 2, '2', '2'),"
    "(1, 3, 1, 3, 1, 2, 43, 1002, false, 0, 2, '3', '3'),"
    "(1, 4, 2, 1, 4, 1, 44, 1003, false, 0, 2, '4', '4');"
    "INSERT INTO snapshots VALUES (1, 1, 2, 0, 'kept');";

std::vector<std::string> DataOf(const google::protobuf::RepeatedPtrField<v1::Event>& events) {
  std::vector<std::string> data;
  for (const v1::Event& event : events) {
    data.push_back(absl::StrCat(event.stream().space(), "/", event.stream().name(), "@",
                                event.revision(), "=", event.data()));
  }
  return data;
}

void ExpectWhole(EventStorage& storage) {
  LogRead log;
  log.log_id = 1;
  log.limit = 10;
  log.bytes_max = kPageBytesMax;
  ASSERT_OK_AND_ASSIGN(const v1::ReadLogResponse all, storage.ReadLog(log));
  EXPECT_THAT(DataOf(all.events()), ElementsAre("s/a@1=1", "s/b@1=2", "s/a@2=3", "t/a@1=4"));
  StreamRead stream;
  stream.stream = {1, "s", "a"};
  stream.limit = 10;
  stream.bytes_max = kPageBytesMax;
  ASSERT_OK_AND_ASSIGN(const v1::ReadStreamResponse of_stream, storage.ReadStream(stream));
  EXPECT_THAT(DataOf(of_stream.events()), ElementsAre("s/a@1=1", "s/a@2=3"));
  SpaceRead space;
  space.space = {1, "s"};
  space.latest = true;
  space.limit = 10;
  space.bytes_max = kPageBytesMax;
  ASSERT_OK_AND_ASSIGN(const v1::ReadSpaceResponse latest, storage.ReadSpace(space));
  EXPECT_EQ(latest.head_seq(), 3);
  EXPECT_THAT(DataOf(latest.events()), ElementsAre("s/b@1=2", "s/a@2=3"));
  ASSERT_OK_AND_ASSIGN(const Snapshot snapshot, storage.GetSnapshot({1, "s", "a"}, 0));
  EXPECT_EQ(snapshot.data, "kept");
}

void ExpectGoesOn(EventStorage& storage) {
  LogWrite write;
  write.log_id = 1;
  write.epoch = 8;
  write.position = 5;
  write.next_position = 6;
  write.next_space_id = 3;
  write.time_ms = 1004;
  const StreamId id = StreamIdOf("s", "a");
  write.streams.push_back({id, false, 1, "a", {1, 3, 5, 45, 1, v1::STREAM_KIND_ENTITY}, 4, false});
  write.events.push_back({5, 1, 4, id, 3, 45, false, "5", "5"});
  ASSERT_OK_AND_ASSIGN(const std::vector<bool> applied, storage.Commit({write}));
  EXPECT_THAT(applied, ElementsAre(true));
}

EventStorageOptions Options() {
  EventStorageOptions options;
  options.log_count = kLogCount;
  return options;
}

TEST(UpgradeTest, ASqliteStoreOf0001IsReadWholeAndGoesOn) {
  const testing::TempDir folder;
  const std::string path = absl::StrCat(folder.path(), "/log.db");
  {
    ASSERT_OK_AND_ASSIGN(auto database, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    ASSERT_OK(sql::ApplyMigrations(*database, SqliteMigrations().subspan(0, 1)));
    ASSERT_OK(database->Run(kRowsOf0001));
  }
  SystemRandom random;
  ASSERT_OK_AND_ASSIGN(const auto storage, OpenSqliteEventStorage(path, Options(), random));
  ExpectWhole(*storage);
  ExpectGoesOn(*storage);
}

TEST(UpgradeTest, ASqliteStoreOf0002KeepsItsOperationKeysAndForgetsTheOldestFirst) {
  const testing::TempDir folder;
  const std::string path = absl::StrCat(folder.path(), "/log.db");
  {
    ASSERT_OK_AND_ASSIGN(auto database, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    ASSERT_OK(
        database->DefineFunction("stream_id_of", 2, [](absl::Span<const absl::string_view> names) {
          const StreamId id = StreamIdOf(names[0], names[1]);
          return std::string(id.data(), id.size());
        }));
    ASSERT_OK(sql::ApplyMigrations(*database, SqliteMigrations().subspan(0, 1)));
    ASSERT_OK(database->Run(kRowsOf0001));
    ASSERT_OK(sql::ApplyMigrations(*database, SqliteMigrations().subspan(0, 2)));
    ASSERT_OK(
        database->Run("INSERT INTO operation_keys VALUES "
                      "(1, 1, x'61616161616161616161616161616161', 71, 3, 1002), "
                      "(1, 2, x'62626262626262626262626262626262', 72, 4, 1003), "
                      "(1, 1, x'63636363636363636363636363636363', 73, 1, 1000)"));
  }
  SystemRandom random;
  ASSERT_OK_AND_ASSIGN(const auto storage, OpenSqliteEventStorage(path, Options(), random));
  ExpectWhole(*storage);
  LookupRequest lookup;
  for (const auto& [space, byte] : {std::pair("s", 'a'), {"t", 'b'}, {"s", 'c'}, {"s", 'b'}}) {
    OperationName& name = lookup.operations.emplace_back();
    name.log_id = 1;
    name.space = space;
    name.key.fill(byte);
  }
  const auto positions = [&] {
    std::vector<int64_t> found;
    const absl::StatusOr<LookupResult> result = storage->Lookup(lookup);
    EXPECT_OK(result);
    if (!result.ok()) return found;
    for (const OperationState& operation : result->operations) found.push_back(operation.position);
    return found;
  };
  EXPECT_THAT(positions(), ElementsAre(3, 4, 1, 0));
  ASSERT_OK_AND_ASSIGN(const int64_t swept, storage->SweepOperations(1003, 1));
  EXPECT_EQ(swept, 1);
  EXPECT_THAT(positions(), ElementsAre(3, 4, 0, 0));
}

TEST(UpgradeTest, APostgresStoreOf0001IsReadWholeAndGoesOn) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  const SystemClock clock;
  {
    sql::PostgresOptions options;
    options.url = database->url();
    options.schema = "event_store";
    sql::PostgresPool pool(options, clock);
    ASSERT_OK(sql::ApplyMigrations(pool, PostgresMigrations().subspan(0, 1)));
    ASSERT_OK(pool.Run(absl::StrCat(
        "BEGIN; CREATE TABLE events_p0 PARTITION OF events FOR VALUES FROM (0) TO (8000000);",
        kRowsOf0001, "COMMIT")));
  }
  SystemRandom random;
  PostgresEventStorageOptions postgres;
  postgres.url = database->url();
  ASSERT_OK_AND_ASSIGN(const auto storage,
                       OpenPostgresEventStorage(postgres, Options(), clock, random));
  ExpectWhole(*storage);
  ExpectGoesOn(*storage);
}

TEST(UpgradeTest, APostgresStoreOf0003KeepsItsOperationKeys) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  const SystemClock clock;
  {
    sql::PostgresOptions options;
    options.url = database->url();
    options.schema = "event_store";
    sql::PostgresPool pool(options, clock);
    ASSERT_OK(sql::ApplyMigrations(pool, PostgresMigrations().subspan(0, 1)));
    ASSERT_OK(pool.Run(absl::StrCat(
        "BEGIN; CREATE TABLE events_p0 PARTITION OF events FOR VALUES FROM (0) TO (8000000);",
        kRowsOf0001, "COMMIT")));
    ASSERT_OK(sql::ApplyMigrations(pool, PostgresMigrations().subspan(0, 3)));
    ASSERT_OK(
        pool.Run("INSERT INTO operation_keys VALUES "
                 "(1, 1, '61616161-6161-6161-6161-616161616161', 71, 3, 1002), "
                 "(1, 2, '61616161-6161-6161-6161-616161616161', 72, 4, 1003)"));
  }
  SystemRandom random;
  PostgresEventStorageOptions postgres;
  postgres.url = database->url();
  ASSERT_OK_AND_ASSIGN(const auto storage,
                       OpenPostgresEventStorage(postgres, Options(), clock, random));
  LookupRequest lookup;
  for (const char* space : {"s", "t"}) {
    OperationName& name = lookup.operations.emplace_back();
    name.log_id = 1;
    name.space = space;
    name.key.fill('a');
  }
  ASSERT_OK_AND_ASSIGN(const LookupResult found, storage->Lookup(lookup));
  EXPECT_EQ(found.operations[0].position, 3);
  EXPECT_EQ(found.operations[0].request_hash, 71u);
  EXPECT_EQ(found.operations[1].position, 4);
  ASSERT_OK_AND_ASSIGN(const int64_t swept, storage->SweepOperations(1003, 10));
  EXPECT_EQ(swept, 1);
}

}  // namespace
}  // namespace bdcsync::event_store
