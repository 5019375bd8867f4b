// What a crash leaves is what the files hold: tests copy them while the store is open.

#include "services/event-store/storage/sqlite_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/testing/sqlite_faults.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/event-store/storage/migrations.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

namespace fs = std::filesystem;
using bdcsync::testing::StatusIs;
using ::testing::ElementsAre;

constexpr uint32_t kLogCount = 2;

// A store with its tail at hand.
class Store {
 public:
  absl::Status Open(const std::string& folder, const SqliteTailLimits& limits) {
    const std::string path = absl::StrCat(folder, "/events.db");
    ASSIGN_OR_RETURN(database_, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    ASSIGN_OR_RETURN(journal_, Journal::Open(absl::StrCat(path, "-tail"), random_));
    RETURN_IF_ERROR(database_->DefineFunction(
        "stream_id_of", 2, [](absl::Span<const absl::string_view>) { return std::string(); }));
    RETURN_IF_ERROR(sql::ApplyMigrations(*database_, SqliteMigrations()));
    ASSIGN_OR_RETURN(writer_, SqliteWriter::Create(*database_));
    EventStorageOptions options;
    options.log_count = kLogCount;
    RETURN_IF_ERROR(writer_->OpenStore(options, [] { return uint64_t{5}; }).status());
    ASSIGN_OR_RETURN(reader_, SqliteReader::Create(*database_));
    ASSIGN_OR_RETURN(tail_,
                     SqliteTail::Create(*database_, *writer_, *reader_, journal_.get(), limits));
    return absl::OkStatus();
  }
  SqliteTail& tail() { return *tail_; }
  Journal& journal() { return *journal_; }
  sql::SqliteDatabase& database() { return *database_; }
  int64_t NextPosition(uint32_t log_id) {
    EXPECT_OK(tail_->Restore());
    const absl::StatusOr<LogState> log = reader_->LoadLog(log_id);
    EXPECT_OK(log);
    return log.ok() ? log->next_position : 0;
  }

 private:
  SeededRandom random_{1};
  std::unique_ptr<sql::SqliteDatabase> database_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<SqliteWriter> writer_;
  std::unique_ptr<SqliteReader> reader_;
  std::unique_ptr<SqliteTail> tail_;
};

class SqliteTailTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(SqliteTailLimits()); }
  void Open(const SqliteTailLimits& limits) {
    store_.reset();
    store_.emplace();
    ASSERT_OK(store_->Open(dir_.path(), limits));
  }
  // A write of one event at `position` of a log, which makes a stream of its own, "n<position>".
  LogWrite Write(uint32_t log_id, int64_t position, absl::string_view data = "data") {
    LogWrite write;
    write.log_id = log_id;
    write.epoch = 5;
    write.position = position;
    write.next_position = position + 1;
    write.next_space_id = 2;
    write.time_ms = 1000 + position;
    const std::string& name = names_.emplace_back(absl::StrCat("n", position));
    const StreamId id = StreamIdOf(absl::StrCat("s", log_id), name);
    if (position == 1) write.spaces.push_back({1, log_id == 0 ? "s0" : "s1"});
    write.streams.push_back(
        {id,
         true,
         1,
         name,
         {position, 1, position, static_cast<uint64_t>(position), position, v1::STREAM_KIND_ENTITY},
         position,
         false});
    write.events.push_back(
        {position, 1, position, id, 1, static_cast<uint64_t>(position), false, "meta", data});
    write.operations.push_back({1, id, 1, position});
    return write;
  }
  void Commit(uint32_t log_id, int64_t position) {
    ASSERT_OK_AND_ASSIGN(const std::vector<bool> applied,
                         store_->tail().Commit({Write(log_id, position)}));
    ASSERT_THAT(applied, ElementsAre(true));
  }
  // A read that the disk fails makes SQLite roll back the transaction that it is a part of.
  void FailARead() {
    ASSERT_OK(store_->database().Run("PRAGMA shrink_memory"));  // So that it reads the file.
    faults_.FailReads(1);
    ASSERT_THAT(store_->database().Run("SELECT * FROM snapshots"),
                StatusIs(absl::StatusCode::kUnavailable));
    ASSERT_FALSE(store_->database().in_transaction());
  }
  // Copies the store's files whose names end so.
  void Copy(const std::string& to, std::initializer_list<const char*> endings) {
    for (const char* ending : endings) {
      const std::string name = absl::StrCat("events.db", ending);
      if (!fs::exists(dir_.File(name))) continue;
      fs::copy_file(dir_.File(name), absl::StrCat(to, "/", name),
                    fs::copy_options::overwrite_existing);
    }
  }

  // Changes one byte of the journal that was copied.
  void DamageJournal(int64_t offset) {
    std::fstream file(absl::StrCat(crashed_.path(), "/events.db-tail"),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const int byte = file.get();
    file.seekp(offset);
    file.put(static_cast<char>(byte ^ 1));
  }

  testing::SqliteFaults faults_;
  testing::TempDir dir_;
  testing::TempDir crashed_;
  std::deque<std::string> names_;  // What writes borrow.
  std::optional<Store> store_;
  SeededRandom random_{1};
};

TEST_F(SqliteTailTest, CommitsThatOnlyTheJournalHoldsAreThereAfterACrash) {
  Commit(0, 1);
  Commit(1, 1);
  Commit(0, 2);
  ASSERT_TRUE(store_->tail().hidden());
  Copy(crashed_.path(), {"", "-wal", "-tail"});
  Store after;
  ASSERT_OK(after.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 3);
  EXPECT_EQ(after.NextPosition(1), 2);
  EXPECT_EQ(after.journal().records(), 0);
}

TEST_F(SqliteTailTest, WhatHasJustBegunIsNotSettledForItsAge) {
  SqliteTailLimits limits;
  limits.events_max = 2;
  Open(limits);
  ASSERT_OK(store_->tail().SettleAged());  // Of the start.
  Commit(0, 1);
  Commit(0, 2);
  ASSERT_EQ(store_->journal().records(), 0) << "the tail was full";
  Commit(0, 3);
  ASSERT_OK(store_->tail().SettleAged());
  EXPECT_EQ(store_->journal().records(), 1);
  ASSERT_OK(store_->tail().SettleAged());
  EXPECT_EQ(store_->journal().records(), 0);
}

TEST_F(SqliteTailTest, CommitsThatWerePublishedAndNotFlushedAreThereAfterAPowerCut) {
  Commit(0, 1);
  ASSERT_OK(store_->tail().Settle());
  Copy(crashed_.path(), {"", "-wal"});
  Commit(0, 2);
  ASSERT_OK(store_->tail().Publish());
  Commit(0, 3);
  Copy(crashed_.path(), {"-tail"});
  Store after;
  ASSERT_OK(after.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 4);
}

TEST_F(SqliteTailTest, WhatTheJournalHoldsAndTheFilesTooIsAppliedOnce) {
  Commit(0, 1);
  Commit(0, 2);
  ASSERT_OK(store_->tail().Publish());
  Commit(0, 3);
  Copy(crashed_.path(), {"", "-wal", "-tail"});
  Store after;
  ASSERT_OK(after.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 4);
}

TEST_F(SqliteTailTest, ACommitWhoseRecordIsTornNeverWas) {
  Commit(0, 1);
  Commit(0, 2);
  Copy(crashed_.path(), {"", "-wal", "-tail"});
  DamageJournal(store_->journal().bytes() / 2 + 100);
  Store after;
  ASSERT_OK(after.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 2);
  const auto torn = after.tail().Take().torn;
  ASSERT_TRUE(torn.has_value());
  EXPECT_EQ(torn->path, absl::StrCat(crashed_.path(), "/events.db-tail"));
  EXPECT_EQ(torn->offset, store_->journal().bytes() / 2);
  EXPECT_GT(torn->bytes, 0);
  EXPECT_FALSE(after.tail().Take().torn.has_value());
  EXPECT_OK(after.tail().Commit({Write(0, 2)}));
}

TEST_F(SqliteTailTest, ACommitThatIsMissingBeforeAnotherKeepsTheStoreClosed) {
  Commit(0, 1);
  Commit(1, 1);                          // Of another log: it could be brought back by itself.
  for (const int64_t byte : {0, 100}) {  // Of the header, or of the record.
    Copy(crashed_.path(), {"", "-wal", "-tail"});
    DamageJournal(byte);
    Store after;
    EXPECT_THAT(after.Open(crashed_.path(), SqliteTailLimits()),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(SqliteTailTest, ADamagedJournalOfCommitsThatAreInTheFilesIsNoLoss) {
  Commit(0, 1);
  Commit(0, 2);
  Commit(0, 3);
  ASSERT_OK(store_->tail().Settle());
  Copy(crashed_.path(), {"", "-wal", "-tail"});
  DamageJournal(100);
  Store after;
  ASSERT_OK(after.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 4);
}

TEST_F(SqliteTailTest, AnOlderCopyOfTheStoreDoesNotGoOnWithItsJournal) {
  Commit(0, 1);
  ASSERT_OK(store_->tail().Settle());
  Copy(crashed_.path(), {"", "-wal"});
  Commit(0, 2);
  ASSERT_OK(store_->tail().Settle());
  Commit(0, 3);
  Copy(crashed_.path(), {"-tail"});
  Store after;
  EXPECT_THAT(after.Open(crashed_.path(), SqliteTailLimits()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SqliteTailTest, ARefusedCommitLeavesNoTraceAndThoseBeforeItStay) {
  Commit(0, 1);
  LogWrite taken = Write(0, 2);
  taken.operations[0].key = Write(0, 1).operations[0].key;
  EXPECT_THAT(store_->tail().Commit({Write(1, 1), taken}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(store_->NextPosition(0), 2);
  EXPECT_EQ(store_->NextPosition(1), 1);
  EXPECT_EQ(store_->journal().records(), 0);  // Settled, so that the next costs less.
  Commit(0, 2);
  Commit(1, 1);
}

TEST_F(SqliteTailTest, ACommitFollowsOneThatWasRefusedWithoutAReadBetweenThem) {
  Commit(0, 1);
  LogWrite taken = Write(0, 2);
  taken.operations[0].key = Write(0, 1).operations[0].key;
  EXPECT_THAT(store_->tail().Commit({taken}), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_TRUE(store_->tail().hidden());
  Commit(0, 2);
  EXPECT_EQ(store_->NextPosition(0), 3);
}

TEST_F(SqliteTailTest, ACrashAfterARefusedCommitFindsWhatWasAnsweredBefore) {
  Commit(0, 1);
  LogWrite taken = Write(0, 2);
  taken.operations[0].key = Write(0, 1).operations[0].key;
  EXPECT_THAT(store_->tail().Commit({taken}), StatusIs(absl::StatusCode::kAlreadyExists));
  Copy(crashed_.path(), {"", "-wal", "-tail"});
  Store after;
  ASSERT_OK(after.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 2);
}

TEST_F(SqliteTailTest, ACommitThatLostItsRaceIsNotInTheJournal) {
  Commit(0, 1);
  ASSERT_OK_AND_ASSIGN(const std::vector<bool> applied, store_->tail().Commit({Write(0, 1)}));
  EXPECT_THAT(applied, ElementsAre(false));
  EXPECT_EQ(store_->journal().records(), 1);
  EXPECT_EQ(store_->tail().Take().events, 1);
}

TEST_F(SqliteTailTest, AFullDiskLosesNothingThatWasAnswered) {
  Commit(0, 1);
  ASSERT_OK(store_->tail().Publish());
  Commit(0, 2);
  ASSERT_OK(store_->database().Run("PRAGMA max_page_count = 1"));  // The least there may be.
  std::string large(1 << 20, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(random_.Bits64());
  EXPECT_THAT(store_->tail().Commit({Write(0, 3, large)}),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(store_->database().in_transaction());  // SQLite has dropped the second commit too.
  ASSERT_OK(store_->database().Run("PRAGMA max_page_count = 1000000"));
  EXPECT_EQ(store_->NextPosition(0), 3);
  Commit(0, 3);
  ASSERT_OK(store_->tail().Settle());
  EXPECT_EQ(store_->NextPosition(0), 4);
}

TEST_F(SqliteTailTest, WhatAFullDiskKeepsOutOfTheFilesCanBeRead) {
  Commit(0, 1);
  faults_.SetLogFull(true);
  for (int tries = 0; tries < 3; ++tries) {
    EXPECT_THAT(store_->tail().Settle(), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_TRUE(store_->tail().hidden());
    EXPECT_EQ(store_->NextPosition(0), 2);
    EXPECT_TRUE(store_->database().in_transaction());
    EXPECT_EQ(store_->tail().Commit({Write(0, 2)}).status(), store_->tail().blocked());
  }
  Copy(crashed_.path(), {"", "-wal", "-tail"});
  faults_.SetLogFull(false);
  ASSERT_OK(store_->tail().Settle());
  EXPECT_OK(store_->tail().blocked());
  Commit(0, 2);
  EXPECT_EQ(store_->NextPosition(0), 3);
  Store after;
  ASSERT_OK(after.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 2);
}

TEST_F(SqliteTailTest, WhatAFullDiskKeepsOutMayBeLargerThanTheCache) {
  std::string large(1 << 20, 'x');
  for (char& byte : large) byte = static_cast<char>(random_.Bits64());
  for (int64_t position = 1; position <= 4; ++position) {
    ASSERT_OK(store_->tail().Commit({Write(0, position, large)}).status());
  }
  faults_.SetLogFull(true);
  EXPECT_THAT(store_->tail().Settle(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(store_->NextPosition(0), 5);
  EXPECT_TRUE(store_->database().in_transaction());
}

TEST_F(SqliteTailTest, WhatAFailedReadRolledBackIsThereForTheNextRead) {
  Commit(0, 1);
  FailARead();
  EXPECT_TRUE(store_->tail().hidden());
  EXPECT_EQ(store_->NextPosition(0), 2);
}

TEST_F(SqliteTailTest, WhatAFailedReadRolledBackIsThereForTheNextCommit) {
  Commit(0, 1);
  FailARead();
  Commit(0, 2);
  EXPECT_EQ(store_->NextPosition(0), 3);
}

TEST_F(SqliteTailTest, TheJournalIsNotForgottenWithWhatAFailedReadRolledBack) {
  Commit(0, 1);
  FailARead();
  ASSERT_OK(store_->tail().Settle());
  Commit(1, 1);
  Copy(crashed_.path(), {"", "-wal", "-tail"});
  Store after;
  ASSERT_OK(after.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 2);
}

TEST_F(SqliteTailTest, AfterAFlushThatFailedNothingIsAnsweredUntilANewStartFindsItAll) {
  Commit(0, 1);
  faults_.FailLogFlushes(1);
  EXPECT_THAT(store_->tail().Settle(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(store_->tail().Settle(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(store_->tail().Commit({Write(0, 2)}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(store_->journal().records(), 1);
  Open(SqliteTailLimits());
  EXPECT_EQ(store_->NextPosition(0), 2);
  Commit(0, 2);
}

TEST_F(SqliteTailTest, AFlushThatFailedAfterOtherWorkIsNotForgottenEither) {
  faults_.FailLogFlushes(1);
  EXPECT_THAT(store_->tail().RunSettled([] { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(store_->tail().Commit({Write(0, 1)}), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(SqliteTailTest, WhatTheLogHoldsSinceAFlushThatFailedIsWrittenAnewAtTheNextStart) {
  Commit(0, 1);
  faults_.FailLogFlushes(1);
  ASSERT_THAT(store_->tail().Settle(), StatusIs(absl::StatusCode::kUnavailable));
  Copy(crashed_.path(), {"", "-wal", "-tail"});
  Store started;
  ASSERT_OK(started.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(started.journal().records(), 0);
  // Without the log, of which the disk may have nothing.
  const testing::TempDir power_cut;
  fs::copy_file(crashed_.File("events.db"), power_cut.File("events.db"));
  Store after;
  ASSERT_OK(after.Open(power_cut.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 2);
}

TEST_F(SqliteTailTest, TheJournalBeginsAgainAtTheLimitOfEventsAndNotBefore) {
  SqliteTailLimits limits;
  limits.events_max = 3;
  Open(limits);
  Commit(0, 1);
  Commit(0, 2);
  EXPECT_EQ(store_->journal().records(), 2);
  Commit(0, 3);
  EXPECT_EQ(store_->journal().records(), 0);
  EXPECT_FALSE(store_->tail().hidden());
  Commit(0, 4);
  EXPECT_EQ(store_->journal().records(), 1);
}

TEST_F(SqliteTailTest, TheJournalBeginsAgainAtTheLimitOfBytesAndNotBefore) {
  SqliteTailLimits limits;
  limits.journal_bytes_max = 2 * 4096;
  Open(limits);
  Commit(0, 1);
  EXPECT_EQ(store_->journal().records(), 1);
  Commit(0, 2);
  EXPECT_EQ(store_->journal().records(), 0);
}

TEST_F(SqliteTailTest, TheTailTellsHowMuchThereIsAndWhatWasDoneSince) {
  SqliteTailLimits limits;
  limits.events_max = 2;
  Open(limits);
  Commit(0, 1);
  EventStorage::Tail tail = store_->tail().Take();
  EXPECT_EQ(tail.events, 1);
  EXPECT_EQ(tail.journal_bytes, 4096);
  EXPECT_EQ(tail.flushes_full + tail.flushes_other + tail.restores, 0);
  Commit(0, 2);  // Meets the limit.
  tail = store_->tail().Take();
  EXPECT_EQ(tail.events, 0);
  EXPECT_EQ(tail.journal_bytes, 0);
  EXPECT_GT(tail.log_bytes, 0);
  EXPECT_EQ(tail.flushes_full, 1);
  Commit(0, 3);
  FailARead();
  EXPECT_EQ(store_->NextPosition(0), 4);
  tail = store_->tail().Take();
  EXPECT_EQ(tail.flushes_full, 0);
  EXPECT_EQ(tail.flushes_other, 1);
  EXPECT_EQ(tail.restores, 1);
}

TEST_F(SqliteTailTest, OtherWorkIsDoneAfterAllCommitsAndIsOnDisk) {
  Commit(0, 1);
  ASSERT_OK(store_->tail().RunSettled(
      [&] { return store_->database().Run("UPDATE log_heads SET epoch = 6 WHERE log_id = 0"); }));
  EXPECT_EQ(store_->journal().records(), 0);
  Copy(crashed_.path(), {"", "-wal", "-tail"});
  Store after;
  ASSERT_OK(after.Open(crashed_.path(), SqliteTailLimits()));
  EXPECT_EQ(after.NextPosition(0), 2);
}

}  // namespace
}  // namespace bdcsync::event_store
