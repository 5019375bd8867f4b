#include "services/event-store/storage/commit_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "libs/testing/status_matchers.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

using bdcsync::testing::StatusIs;
using ::testing::SizeIs;

// Every field has a value of its own.
LogWrite FullWrite() {
  LogWrite write;
  write.log_id = 1;
  write.epoch = 0xfedcba9876543210u;
  write.position = 3;
  write.next_position = 5;
  write.next_space_id = 6;
  write.time_ms = 7;
  write.spaces = {{8, "space"}, {9, ""}};
  const StreamId id = StreamIdOf("space", "stream");
  write.streams = {
      {id, true, 10, "stream", {11, 12, 13, 14, 15, v1::STREAM_KIND_ENTITY}, 16, true}};
  write.events = {{17, 18, 19, id, 20, 21, true, "meta", absl::string_view("da\0ta", 5)}};
  write.operations = {{22, id, 23, 24}};
  return write;
}

TEST(CommitRecordTest, EveryFieldComesBack) {
  const std::string record = EncodeCommit({FullWrite()}, {true});
  ASSERT_OK_AND_ASSIGN(const std::vector<LogWrite> writes, DecodeCommit(record));
  ASSERT_THAT(writes, SizeIs(1));
  const LogWrite& write = writes[0];
  EXPECT_EQ(write.log_id, 1u);
  EXPECT_EQ(write.epoch, 0xfedcba9876543210u);
  EXPECT_EQ(write.next_position, 5);
  EXPECT_EQ(write.time_ms, 7);
  EXPECT_EQ(write.spaces.at(0).name, "space");
  EXPECT_EQ(write.streams.at(0).state.kind, v1::STREAM_KIND_ENTITY);
  EXPECT_EQ(write.streams.at(0).seq, 16);
  EXPECT_EQ(write.events.at(0).data.size(), 5u);
  EXPECT_EQ(write.operations.at(0).position, 24);
  // The rest: encoded again it is the same.
  EXPECT_EQ(EncodeCommit(writes, {true}), record);
}

TEST(CommitRecordTest, OnlyAppliedWritesAreKept) {
  LogWrite other = FullWrite();
  other.log_id = 2;
  const std::string record = EncodeCommit({FullWrite(), other}, {false, true});
  ASSERT_OK_AND_ASSIGN(const std::vector<LogWrite> writes, DecodeCommit(record));
  ASSERT_THAT(writes, SizeIs(1));
  EXPECT_EQ(writes[0].log_id, 2u);
}

TEST(CommitRecordTest, ARecordThatIsShorterOrLongerIsRefused) {
  const std::string record = EncodeCommit({FullWrite()}, {true});
  for (std::size_t size = 0; size < record.size(); ++size) {
    EXPECT_THAT(DecodeCommit(absl::string_view(record).substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
  EXPECT_THAT(DecodeCommit(record + "x"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(CommitRecordTest, WhatIsNeitherTrueNorFalseIsRefused) {
  std::string record = EncodeCommit({FullWrite()}, {true});
  const std::size_t tombstone = record.find("meta") - sizeof(uint32_t) - 1;
  ASSERT_EQ(record[tombstone], 1);
  record[tombstone] = 2;
  EXPECT_THAT(DecodeCommit(record), StatusIs(absl::StatusCode::kDataLoss));
}

// Bytes of the released format, which later versions must read: change the format's number instead.
TEST(CommitRecordTest, TheFormatIsFixed) {
  LogWrite write;
  write.log_id = 1;
  write.epoch = 2;
  write.position = 3;
  write.next_position = 4;
  write.next_space_id = 5;
  write.time_ms = 6;
  write.spaces = {{7, "s"}};
  const std::string expected(
      "\1\0\0\0"
      "\1\0\0\0"
      "\1\0\0\0"
      "\2\0\0\0\0\0\0\0"
      "\3\0\0\0\0\0\0\0"
      "\4\0\0\0\0\0\0\0"
      "\5\0\0\0\0\0\0\0"
      "\6\0\0\0\0\0\0\0"
      "\1\0\0\0"
      "\7\0\0\0\0\0\0\0"
      "\1\0\0\0"
      "s"
      "\0\0\0\0"
      "\0\0\0\0"
      "\0\0\0\0",
      8 + 4 + 5 * 8 + 4 + 8 + 4 + 1 + 12);
  EXPECT_EQ(EncodeCommit({write}, {true}), expected);
}

}  // namespace
}  // namespace bdcsync::event_store
