#include "services/event-store/log_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

constexpr uint32_t kLog = 3;

class LogCacheTest : public ::testing::Test {
 protected:
  LogCacheTest() { cache_.PutLog({.log_id = kLog, .epoch = 1}); }

  LogCache cache_{LogCacheLimits()};
  const StreamId stream_ = StreamIdOf("space", "stream");
  const OperationName operation_{kLog, "space", {'k'}};
};

TEST_F(LogCacheTest, WhatWasPutIsFound) {
  cache_.PutSpace({kLog, "space"}, {.space_id = 4, .seq = 9});
  cache_.PutStream(kLog, stream_, {.first_position = 1, .revision = 2, .position = 8});
  cache_.PutOperation(operation_, {.position = 8, .request_hash = 77});
  ASSERT_NE(cache_.FindSpace({kLog, "space"}), nullptr);
  EXPECT_EQ(cache_.FindSpace({kLog, "space"})->seq, 9);
  ASSERT_NE(cache_.FindStream(kLog, stream_), nullptr);
  EXPECT_EQ(cache_.FindStream(kLog, stream_)->position, 8);
  EXPECT_EQ(cache_.FindOperation(operation_).request_hash, 77u);
}

TEST_F(LogCacheTest, NamesOfAnotherLogOrSpaceAreNotFound) {
  cache_.PutSpace({kLog, "space"}, {.space_id = 4, .seq = 9});
  cache_.PutStream(kLog, stream_, {.first_position = 1});
  cache_.PutOperation(operation_, {.position = 8});
  EXPECT_EQ(cache_.FindSpace({kLog + 1, "space"}), nullptr);
  EXPECT_EQ(cache_.FindStream(kLog + 1, stream_), nullptr);
  EXPECT_EQ(cache_.FindOperation({kLog, "other", operation_.key}).position, 0);
}

TEST_F(LogCacheTest, AnOperationIsOfItsEpoch) {
  cache_.PutOperation(operation_, {.position = 8});
  cache_.PutLog({.log_id = kLog, .epoch = 2});
  EXPECT_EQ(cache_.FindOperation(operation_).position, 0);
}

TEST_F(LogCacheTest, ForgettingALogForgetsAllOfItAndNothingElse) {
  cache_.PutLog({.log_id = kLog + 1, .epoch = 1});
  for (const uint32_t log_id : {kLog, kLog + 1}) {
    const std::string space(1, static_cast<char>('a' + log_id));
    cache_.PutSpace({log_id, space}, {.space_id = 1});
    cache_.PutStream(log_id, StreamIdOf(space, "s"), {.first_position = 1});
    cache_.PutOperation({log_id, space, {}}, {.position = 1});
  }
  cache_.Forget(kLog);
  EXPECT_EQ(cache_.FindSpace({kLog, "d"}), nullptr);
  EXPECT_EQ(cache_.FindStream(kLog, StreamIdOf("d", "s")), nullptr);
  EXPECT_EQ(cache_.FindOperation({kLog, "d", {}}).position, 0);
  EXPECT_NE(cache_.FindSpace({kLog + 1, "e"}), nullptr);
  EXPECT_NE(cache_.FindStream(kLog + 1, StreamIdOf("e", "s")), nullptr);
  EXPECT_EQ(cache_.FindOperation({kLog + 1, "e", {}}).position, 1);
}

TEST_F(LogCacheTest, AnEventOfAnotherWriterMovesOnlyWhatIsRemembered) {
  v1::Event event;
  event.set_log_id(kLog);
  event.mutable_stream()->set_space("space");
  event.mutable_stream()->set_name("stream");
  event.set_seq(12);
  event.set_position(20);
  event.set_revision(3);
  cache_.Apply(event);
  EXPECT_EQ(cache_.FindStream(kLog, stream_), nullptr);
  EXPECT_EQ(cache_.FindSpace({kLog, "space"}), nullptr);

  cache_.PutSpace({kLog, "space"}, {.space_id = 4, .seq = 9});
  cache_.PutStream(kLog, stream_, {.first_position = 1, .revision = 2, .position = 8});
  cache_.Apply(event);
  EXPECT_EQ(cache_.FindSpace({kLog, "space"})->seq, 12);
  EXPECT_EQ(cache_.FindStream(kLog, stream_)->revision, 3);
  EXPECT_EQ(cache_.FindStream(kLog, stream_)->first_position, 1);
  event.set_position(7);
  event.set_revision(1);
  cache_.Apply(event);
  EXPECT_EQ(cache_.FindStream(kLog, stream_)->revision, 3) << "an older event changes nothing";
}

}  // namespace
}  // namespace bdcsync::event_store
