#include "services/event-store/storage/sqlite_event_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/testing/sqlite_faults.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/event-store/limits.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

using bdcsync::testing::StatusIs;

constexpr int64_t kCommitsBeforeTheKill = 300;

class SqliteEventStorageTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<EventStorage>> Open() {
    EventStorageOptions options;
    options.log_count = 1;
    return OpenSqliteEventStorage(path_, options, random_);
  }
  // Appends the next revision to the one stream of the store.
  static absl::Status CommitNext(EventStorage& storage) {
    ASSIGN_OR_RETURN(const std::vector<LogState> logs, storage.LoadLogs({}));
    LogWrite write;
    write.epoch = logs[0].epoch;
    write.position = logs[0].next_position;
    write.next_position = write.position + 1;
    write.next_space_id = 2;
    write.time_ms = 1;
    const int64_t position = write.position;
    if (position == 1) write.spaces.push_back({1, "s"});
    const StreamId id = StreamIdOf("s", "a");
    write.streams.push_back(
        {id,
         position == 1,
         1,
         "a",
         {1, position, position, static_cast<uint64_t>(position), 1, v1::STREAM_KIND_ENTITY},
         position,
         false});
    write.events.push_back({position, 1, position, id, position, static_cast<uint64_t>(position),
                            false, "meta", "data"});
    return storage.Commit({write}).status();
  }
  static int64_t EventsRead(EventStorage& storage) {
    StreamRead read;
    read.stream = {0, "s", "a"};
    read.limit = kReadStreamLimitMax;
    read.bytes_max = kPageBytesMax;
    const absl::StatusOr<v1::ReadStreamResponse> page = storage.ReadStream(read);
    EXPECT_OK(page);
    return page.ok() ? page->events_size() : 0;
  }

  testing::TempDir dir_;
  const std::string path_ = dir_.File("events.db");
  SeededRandom random_{1};
};

TEST_F(SqliteEventStorageTest, AReadSeesEachCommitAsSoonAsItIsAnswered) {
  ASSERT_OK_AND_ASSIGN(const auto storage, Open());
  for (int64_t i = 1; i <= 10; ++i) {
    ASSERT_OK(CommitNext(*storage));
    EXPECT_EQ(EventsRead(*storage), i);
  }
}

TEST_F(SqliteEventStorageTest, AFullDiskRefusesCommitsAndNoReads) {
  testing::SqliteFaults faults;
  ASSERT_OK_AND_ASSIGN(const auto storage, Open());
  ASSERT_OK(CommitNext(*storage));
  EXPECT_EQ(EventsRead(*storage), 1);
  ASSERT_OK(CommitNext(*storage));
  faults.SetLogFull(true);
  for (int tries = 0; tries < 3; ++tries) {
    EXPECT_EQ(EventsRead(*storage), 2);
    EXPECT_THAT(CommitNext(*storage), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(storage->CheckWritable(), StatusIs(absl::StatusCode::kUnavailable));
  }
  faults.SetLogFull(false);
  EXPECT_OK(storage->PutSnapshot({0, "s", "a"}, 1, "data"));  // Before the settler tries again.
  EXPECT_OK(storage->CheckWritable());
  EXPECT_OK(CommitNext(*storage));
  EXPECT_EQ(EventsRead(*storage), 3);
}

TEST_F(SqliteEventStorageTest, AStoreThatWasClosedIsOneFile) {
  {
    ASSERT_OK_AND_ASSIGN(const auto storage, Open());
    ASSERT_OK(CommitNext(*storage));
  }
  for (const auto& file : std::filesystem::directory_iterator(dir_.path())) {
    EXPECT_EQ(file.path().string(), path_);
  }
  ASSERT_OK_AND_ASSIGN(const auto storage, Open());
  EXPECT_EQ(EventsRead(*storage), 1);
}

TEST_F(SqliteEventStorageTest, AStoreThatIsOpenIsRefusedToAnother) {
  ASSERT_OK_AND_ASSIGN(const auto storage, Open());
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SqliteEventStorageTest, WhatWasAnsweredBeforeAKillIsThereAfterIt) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t writer = ::fork();
  ASSERT_GE(writer, 0);
  if (writer == 0) {
    const auto storage = Open();
    while (storage.ok() && CommitNext(**storage).ok() && ::write(pipe_ends[1], "x", 1) == 1) {
    }
    ::_exit(1);
  }
  ::close(pipe_ends[1]);
  int64_t answered = 0;
  char byte = 0;
  while (answered < kCommitsBeforeTheKill && ::read(pipe_ends[0], &byte, 1) == 1) ++answered;
  ::kill(writer, SIGKILL);
  while (::read(pipe_ends[0], &byte, 1) == 1) ++answered;
  ::close(pipe_ends[0]);
  ASSERT_EQ(::waitpid(writer, nullptr, 0), writer);
  ASSERT_GE(answered, kCommitsBeforeTheKill);
  ASSERT_OK_AND_ASSIGN(const auto storage, Open());
  EXPECT_GE(EventsRead(*storage), answered);
  EXPECT_LE(EventsRead(*storage), answered + 1);  // One may have been on its way.
  ASSERT_OK(CommitNext(*storage));
}

}  // namespace
}  // namespace bdcsync::event_store
