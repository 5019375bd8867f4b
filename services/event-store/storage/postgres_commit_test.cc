#include "services/event-store/storage/postgres_commit.h"

#include <gtest/gtest.h>

#include <string>

namespace bdcsync::event_store {
namespace {

// Two events of a new stream; the second has an operation.
LogWrite MakeWrite() {
  LogWrite write;
  write.events.resize(2);
  write.events[0].position = 5;
  write.events[1].position = 6;
  LogWrite::Stream& stream = write.streams.emplace_back();
  stream.is_new = true;
  stream.name = "a";
  stream.state.first_position = 5;
  stream.state.position = 6;
  write.operations.emplace_back().position = 6;
  return write;
}

// As many parameters as the statement has, or the server refuses it.
void ExpectParametersOf(const PostgresCommit& commit) {
  const std::string text = commit.statement.text;
  const std::size_t count = commit.params.wire().size();
  EXPECT_NE(text.find("$" + std::to_string(count) + "::"), std::string::npos) << text;
  EXPECT_EQ(text.find("$" + std::to_string(count + 1) + "::"), std::string::npos) << text;
}

TEST(PostgresCommitTest, WhatIsLeftOutOfABatchIsLeftOutOfTheStatement) {
  DataCodec codec;
  LogWrite write = MakeWrite();
  const PostgresCommit all = MakeCommit({write}, codec);
  EXPECT_TRUE(all.complete);
  ExpectParametersOf(all);
  write.operations.clear();
  write.streams.clear();
  const PostgresCommit bare = MakeCommit({write}, codec);
  EXPECT_TRUE(bare.complete);
  ExpectParametersOf(bare);
  EXPECT_LT(bare.params.wire().size(), all.params.wire().size());
}

TEST(PostgresCommitTest, ASingleEventIsWrittenWithoutATableBetween) {
  DataCodec codec;
  LogWrite write = MakeWrite();
  write.events.erase(write.events.begin());
  write.streams[0].state.first_position = 6;
  for (const bool is_new : {true, false}) {
    write.streams[0].is_new = is_new;
    const PostgresCommit single = MakeCommit({write}, codec);
    EXPECT_TRUE(single.complete);
    ExpectParametersOf(single);
    const std::string text = single.statement.text;
    EXPECT_EQ(text.find("unnest"), std::string::npos) << text;
    EXPECT_EQ(text.find("incoming"), std::string::npos) << text;
  }
}

TEST(PostgresCommitTest, AWholeBatchHasTheNameThatItIsGivenAndASingleEventNone) {
  DataCodec codec;
  PostgresCommit batch = MakeCommit({MakeWrite()}, codec, "name");
  EXPECT_TRUE(batch.named);
  ExpectParametersOf(batch);
  EXPECT_EQ(batch.params.wire()[0], "");
  EXPECT_EQ(batch.params.wire()[1], "name");
  SetBehind(batch, "another");
  EXPECT_EQ(batch.params.wire()[0], "another");
  LogWrite single = MakeWrite();
  single.events.erase(single.events.begin());
  const PostgresCommit one = MakeCommit({single}, codec, "name");
  EXPECT_FALSE(one.named);
  ExpectParametersOf(one);
}

TEST(PostgresCommitTest, AStreamOrAnOperationThatNoEventCarriesIsSeen) {
  DataCodec codec;
  LogWrite stream = MakeWrite();
  stream.streams[0].state.position = 7;
  EXPECT_FALSE(MakeCommit({stream}, codec).complete);
  LogWrite operation = MakeWrite();
  operation.operations[0].position = 4;
  EXPECT_FALSE(MakeCommit({operation}, codec).complete);
  LogWrite order = MakeWrite();
  order.operations.insert(order.operations.begin(), order.operations[0]);
  order.operations[1].position = 5;
  EXPECT_FALSE(MakeCommit({MakeWrite(), order}, codec).complete);
}

}  // namespace
}  // namespace bdcsync::event_store
