#include "services/event-store/conformance/event_storage_conformance.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {

using bdcsync::testing::HasReason;
using bdcsync::testing::StatusIs;
using ::testing::ElementsAre;

void EventStorageConformance::SetUp() {
  if (GetParam().needs_postgres) BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(backend_, GetParam().make());
  EventStorageOptions options;
  options.log_count = kLogCount;
  ASSERT_OK_AND_ASSIGN(storage_, backend_->Open(options));
}

void EventStorageConformance::Reopen() {
  if (!backend_->durable()) return;
  storage_.reset();
  EventStorageOptions options;
  options.log_count = kLogCount;
  ASSERT_OK_AND_ASSIGN(storage_, backend_->Open(options));
}

LogState EventStorageConformance::Log(uint32_t log_id) {
  const absl::StatusOr<std::vector<LogState>> logs = storage_->LoadLogs({log_id});
  EXPECT_OK(logs);
  return logs.ok() ? logs->at(0) : LogState();
}

// Space and stream of a log have as many events as the log, since nothing else is written to it.
LogWrite EventStorageConformance::WriteOn(const LogState& log, int count) {
  static const std::string kSpaces[] = {"s0", "s1", "s2", "s3"};
  LogWrite write;
  write.log_id = log.log_id;
  write.epoch = log.epoch;
  write.position = log.next_position;
  write.next_position = log.next_position + count;
  write.next_space_id = 2;
  write.time_ms = 1000 + log.next_position;
  const int64_t last = write.next_position - 1;
  const bool is_new = log.next_position == 1;
  const StreamId stream_id = StreamIdOf(kSpaces[log.log_id], "a");
  const StreamState state{
      1, last, last, static_cast<uint64_t>(last) << 60, 1, v1::STREAM_KIND_ENTITY};
  if (is_new) write.spaces.push_back({1, kSpaces[log.log_id]});
  write.streams.push_back({stream_id, is_new, 1, "a", state, last, false});
  for (int64_t position = write.position; position <= last; ++position) {
    write.events.push_back({position, 1, position, stream_id, position,
                            static_cast<uint64_t>(position) << 60, false, "meta", "data"});
  }
  return write;
}

namespace {

std::vector<int64_t> Positions(const google::protobuf::RepeatedPtrField<v1::Event>& events) {
  std::vector<int64_t> positions;
  for (const v1::Event& event : events) positions.push_back(event.position());
  return positions;
}

LogRead WholeLog(uint32_t log_id) {
  LogRead read;
  read.log_id = log_id;
  read.limit = 100;
  read.bytes_max = kPageBytesMax;
  return read;
}

OperationKey Key(char c) {
  OperationKey key;
  key.fill(c);
  return key;
}

}  // namespace

TEST_P(EventStorageConformance, ANewStoreHasAllLogsWithEpochsAndNothingInThem) {
  ASSERT_OK_AND_ASSIGN(const std::vector<LogState> logs, storage().LoadLogs({}));
  ASSERT_EQ(logs.size(), kLogCount);
  for (uint32_t i = 0; i < kLogCount; ++i) {
    EXPECT_EQ(logs[i].log_id, i);
    EXPECT_EQ(logs[i].next_position, 1);
    EXPECT_EQ(logs[i].next_space_id, 1);
    EXPECT_NE(logs[i].epoch, 0u);
  }
  EXPECT_NE(logs[0].epoch, logs[1].epoch);
}

TEST_P(EventStorageConformance, EpochsSurviveReopening) {
  if (!backend().durable()) GTEST_SKIP() << "keeps nothing";
  const uint64_t epoch = Log(1).epoch;
  Reopen();
  EXPECT_EQ(Log(1).epoch, epoch);
}

TEST_P(EventStorageConformance, AnotherNumberOfLogsIsRefusedAndToldWhatToDo) {
  if (!backend().durable()) GTEST_SKIP() << "keeps nothing";
  storage_.reset();
  EventStorageOptions options;
  options.log_count = kLogCount + 1;
  const auto reopened = backend().Open(options);
  EXPECT_THAT(reopened, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(reopened.status().message()), ::testing::HasSubstr("set the key to 4"));
}

TEST_P(EventStorageConformance, ANumberOfLogsThatIsNotSaidIsTheStores) {
  if (!backend().durable()) GTEST_SKIP() << "keeps nothing";
  const uint64_t epoch = Log(1).epoch;
  storage_.reset();
  ASSERT_OK_AND_ASSIGN(storage_, backend().Open({}));
  EXPECT_EQ(storage().log_count(), kLogCount);
  EXPECT_EQ(Log(1).epoch, epoch);
}

TEST_P(EventStorageConformance, ANewStoreHasAsManyLogsAsArePracticalIfNothingIsSaid) {
  ASSERT_OK_AND_ASSIGN(const auto another, GetParam().make());
  ASSERT_OK_AND_ASSIGN(const auto storage, another->Open({}));
  EXPECT_EQ(storage->log_count(), another->new_logs());
  ASSERT_OK_AND_ASSIGN(const auto logs, storage->LoadLogs({}));
  EXPECT_EQ(logs.size(), another->new_logs());
}

TEST_P(EventStorageConformance, WhatWasCommittedIsReadBackWhole) {
  LogWrite write = Write(2, 1);
  write.events[0].meta = absl::string_view("\0m\xff", 3);
  const std::string data = "\\x{\"a\": \"\xc3\xa4\"}";
  write.events[0].data = data;
  ASSERT_OK_AND_ASSIGN(const std::vector<bool> applied, storage().Commit({write}));
  EXPECT_THAT(applied, ElementsAre(true));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const v1::ReadLogResponse page, storage().ReadLog(WholeLog(2)));
  ASSERT_EQ(page.events_size(), 1);
  const v1::Event& event = page.events(0);
  EXPECT_EQ(event.log_id(), 2u);
  EXPECT_EQ(event.position(), 1);
  EXPECT_EQ(event.stream().space(), "s2");
  EXPECT_EQ(event.stream().name(), "a");
  EXPECT_EQ(event.kind(), v1::STREAM_KIND_ENTITY);
  EXPECT_EQ(event.seq(), 1);
  EXPECT_EQ(event.revision(), 1);
  EXPECT_EQ(event.event_id(), uint64_t{1} << 60);
  EXPECT_EQ(event.time_ms(), 1001);
  EXPECT_EQ(event.first_seq(), 1);
  EXPECT_EQ(event.meta(), std::string("\0m\xff", 3));
  EXPECT_EQ(event.data(), data);
  EXPECT_FALSE(event.tombstone());
  EXPECT_EQ(page.head_position(), 1);
  EXPECT_EQ(page.epoch(), Log(2).epoch);
  EXPECT_EQ(Log(2).time_ms, 1001);
}

TEST_P(EventStorageConformance, LargeDataComesBackAsItWas) {
  const std::string compressible(100000, 'x');
  LogWrite write = Write(0, 1);
  write.events[0].data = compressible;
  ASSERT_OK(storage().Commit({write}));
  ASSERT_OK_AND_ASSIGN(const v1::ReadLogResponse page, storage().ReadLog(WholeLog(0)));
  ASSERT_EQ(page.events_size(), 1);
  EXPECT_EQ(page.events(0).data(), compressible);
}

TEST_P(EventStorageConformance, OfTwoWritersOnOneHeadExactlyOneWins) {
  const LogWrite first = Write(0, 2);
  const LogWrite second = Write(0, 3);
  ASSERT_OK_AND_ASSIGN(const std::vector<bool> won, storage().Commit({first}));
  EXPECT_THAT(won, ElementsAre(true));
  ASSERT_OK_AND_ASSIGN(const std::vector<bool> lost, storage().Commit({second}));
  EXPECT_THAT(lost, ElementsAre(false));
  Reopen();  // The loser must leave no trace, even on disk.
  ASSERT_OK_AND_ASSIGN(const v1::ReadLogResponse page, storage().ReadLog(WholeLog(0)));
  EXPECT_THAT(Positions(page.events()), ElementsAre(1, 2));
  ASSERT_OK_AND_ASSIGN(const auto heads, storage().SpaceHeads({{0, "s0"}}));
  EXPECT_EQ(heads[0].seq, 2);
}

TEST_P(EventStorageConformance, EachLogOfABatchWinsOrLosesOnItsOwn) {
  const LogWrite stale = Write(1, 1);
  ASSERT_OK(storage().Commit({Write(1, 1)}));
  const std::vector<LogWrite> batch = {Write(0, 1), stale, Write(3, 2)};
  ASSERT_OK_AND_ASSIGN(const std::vector<bool> applied, storage().Commit(batch));
  EXPECT_THAT(applied, ElementsAre(true, false, true));
  EXPECT_EQ(Log(0).next_position, 2);
  EXPECT_EQ(Log(1).next_position, 2);
  EXPECT_EQ(Log(3).next_position, 3);
}

TEST_P(EventStorageConformance, AWriteOfAnotherEpochLoses) {
  LogWrite write = Write(0, 1);
  write.epoch += 1;
  ASSERT_OK_AND_ASSIGN(const std::vector<bool> applied, storage().Commit({write}));
  EXPECT_THAT(applied, ElementsAre(false));
  EXPECT_EQ(Log(0).next_position, 1);
}

TEST_P(EventStorageConformance, AnOperationKeyIsTakenOnce) {
  LogWrite first = Write(0, 1);
  first.operations.push_back({1, Key('k'), 42, 1});
  ASSERT_OK(storage().Commit({first}));
  LogWrite again = Write(0, 1);
  again.operations.push_back({1, Key('k'), 42, 2});
  EXPECT_THAT(storage().Commit({Write(1, 1), again}), StatusIs(absl::StatusCode::kAlreadyExists));
  Reopen();
  EXPECT_EQ(Log(0).next_position, 2) << "nothing of a refused commit may stay";
  EXPECT_EQ(Log(1).next_position, 1) << "nothing of a refused commit may stay";
  LookupRequest lookup;
  lookup.operations = {{0, "s0", Key('k')}, {0, "s0", Key('l')}, {1, "s1", Key('k')}};
  ASSERT_OK_AND_ASSIGN(const LookupResult found, storage().Lookup(lookup));
  EXPECT_EQ(found.operations[0].position, 1);
  EXPECT_EQ(found.operations[0].request_hash, 42u);
  EXPECT_EQ(found.operations[1].position, 0);
  EXPECT_EQ(found.operations[2].position, 0);
}

// Else what was applied would be planned again, and appended twice.
TEST_P(EventStorageConformance, WhoIsToldOfATakenKeyHasNothingApplied) {
  LogWrite first = Write(0, 1);
  first.operations.push_back({1, Key('k'), 42, 1});
  ASSERT_OK(storage().Commit({first}));
  LogWrite again = Write(0, 1);
  again.operations.push_back({1, Key('k'), 42, 2});
  const absl::StatusOr<std::vector<bool>> applied = storage().Commit({again, Write(2, 1)});
  if (applied.ok()) {
    EXPECT_THAT(*applied, ElementsAre(false, true));
    EXPECT_EQ(Log(2).next_position, 2);
  } else {
    EXPECT_THAT(applied, StatusIs(absl::StatusCode::kAlreadyExists));
    EXPECT_EQ(Log(2).next_position, 1);
  }
  EXPECT_EQ(Log(0).next_position, 2);
}

// PostgreSQL takes all that a commit says of a stream or an operation from the row of one event.
TEST_P(EventStorageConformance, AWriteMayMakeAndMoveStreamsAndRememberSomeOfItsOperations) {
  ASSERT_OK(storage().Commit({Write(0, 1)}));
  LogWrite write = Write(0, 6);
  write.streams.clear();
  write.events.clear();
  const auto add = [&](const char* name, int64_t position, int64_t revision, bool tombstone) {
    write.events.push_back({position, 1, position, StreamIdOf("s0", name), revision,
                            static_cast<uint64_t>(position), tombstone, "meta", name});
  };
  const auto leave = [&](const char* name, bool is_new, int64_t first, int64_t revision,
                         int64_t last, bool tombstone) {
    write.streams.push_back({StreamIdOf("s0", name),
                             is_new,
                             1,
                             name,
                             {first, revision, last, static_cast<uint64_t>(last), first,
                              is_new ? v1::STREAM_KIND_BRANCH : v1::STREAM_KIND_ENTITY},
                             last,
                             tombstone});
  };
  add("grown", 2, 1, false);
  add("single", 3, 1, true);
  add("a", 4, 2, false);
  add("grown", 5, 2, false);
  add("a", 6, 3, true);
  add("other", 7, 1, false);
  leave("single", true, 3, 1, 3, true);
  leave("grown", true, 2, 2, 5, false);
  leave("a", false, 1, 3, 6, true);
  leave("other", true, 7, 1, 7, false);
  write.operations = {{1, Key('g'), 21, 2}, {1, Key('s'), 22, 6}};
  ASSERT_OK_AND_ASSIGN(const std::vector<bool> applied, storage().Commit({write}));
  EXPECT_THAT(applied, ElementsAre(true));
  Reopen();
  LookupRequest lookup;
  lookup.streams = {{0, "s0", "grown"}, {0, "s0", "single"}, {0, "s0", "a"}, {0, "s0", "other"}};
  lookup.operations = {{0, "s0", Key('g')}, {0, "s0", Key('s')}, {0, "s0", OperationKey{}}};
  ASSERT_OK_AND_ASSIGN(const LookupResult found, storage().Lookup(lookup));
  std::vector<std::string> streams;
  for (const StreamState& stream : found.streams) {
    streams.push_back(absl::StrCat(stream.first_position, " ", stream.revision, " ",
                                   stream.position, " ", stream.event_id, " ", stream.first_seq,
                                   " ", v1::StreamKind_Name(stream.kind)));
  }
  EXPECT_THAT(streams, ElementsAre("2 2 5 5 2 STREAM_KIND_BRANCH", "3 1 3 3 3 STREAM_KIND_BRANCH",
                                   "1 3 6 6 1 STREAM_KIND_ENTITY", "7 1 7 7 7 STREAM_KIND_BRANCH"));
  EXPECT_EQ(found.operations[0].position, 2);
  EXPECT_EQ(found.operations[0].request_hash, 21u);
  EXPECT_EQ(found.operations[1].position, 6);
  EXPECT_EQ(found.operations[2].position, 0);
  ASSERT_OK_AND_ASSIGN(const auto heads, storage().ReadHeads(lookup.streams, /*with_data=*/true));
  EXPECT_FALSE(heads[0].event().tombstone());
  EXPECT_TRUE(heads[1].event().tombstone());
  EXPECT_TRUE(heads[2].event().tombstone());
  EXPECT_EQ(heads[3].event().data(), "other");
  SpaceRead read;
  read.space = {0, "s0"};
  read.latest = true;
  read.with_tombstones = false;
  read.limit = 10;
  read.bytes_max = kPageBytesMax;
  ASSERT_OK_AND_ASSIGN(const v1::ReadSpaceResponse latest, storage().ReadSpace(read));
  EXPECT_THAT(Positions(latest.events()), ElementsAre(5, 7));
}

TEST_P(EventStorageConformance, AStreamNameIsTakenOnce) {
  ASSERT_OK(storage().Commit({Write(0, 1)}));
  LogWrite write = Write(0, 1);
  write.streams[0].is_new = true;
  EXPECT_THAT(storage().Commit({write}), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_P(EventStorageConformance, AKnownStreamThatIsNotThereFailsTheCommit) {
  LogWrite write = Write(0, 1);
  write.streams[0].is_new = false;
  EXPECT_THAT(storage().Commit({write}), StatusIs(absl::StatusCode::kInternal));
}

// The first event of a stream is found in another way than those that follow.
TEST_P(EventStorageConformance, AStreamIsReadWholeFromEitherEndAndInPages) {
  ASSERT_OK(storage().Commit({Write(0, 1)}));
  ASSERT_OK(storage().Commit({Write(0, 3)}));
  const auto revisions = [this](int64_t from, bool backward, int limit) {
    StreamRead read;
    read.stream = {0, "s0", "a"};
    read.from_revision = from;
    read.backward = backward;
    read.limit = limit;
    read.bytes_max = kPageBytesMax;
    const absl::StatusOr<v1::ReadStreamResponse> page = storage().ReadStream(read);
    EXPECT_OK(page);
    std::vector<int64_t> found;
    if (!page.ok()) return found;
    EXPECT_EQ(page->head_revision(), 4);
    for (const v1::Event& event : page->events()) found.push_back(event.revision());
    return found;
  };
  EXPECT_THAT(revisions(0, false, 10), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(revisions(1, false, 1), ElementsAre(1));
  EXPECT_THAT(revisions(1, false, 2), ElementsAre(1, 2));
  EXPECT_THAT(revisions(2, false, 10), ElementsAre(2, 3, 4));
  EXPECT_THAT(revisions(5, false, 10), ElementsAre());
  EXPECT_THAT(revisions(0, true, 10), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(revisions(0, true, 3), ElementsAre(4, 3, 2));
  EXPECT_THAT(revisions(2, true, 10), ElementsAre(2, 1));
  EXPECT_THAT(revisions(1, true, 10), ElementsAre(1));
}

TEST_P(EventStorageConformance, OldOperationKeysAreSweptSomeAtATime) {
  LogWrite write = Write(0, 3);
  for (char c = 'a'; c < 'd'; ++c) write.operations.push_back({1, Key(c), 1, c - 'a' + 1});
  ASSERT_OK(storage().Commit({write}));
  ASSERT_OK_AND_ASSIGN(const int64_t none, storage().SweepOperations(write.time_ms, 10));
  EXPECT_EQ(none, 0);
  ASSERT_OK_AND_ASSIGN(const int64_t two, storage().SweepOperations(write.time_ms + 1, 2));
  EXPECT_EQ(two, 2);
  ASSERT_OK_AND_ASSIGN(const int64_t one, storage().SweepOperations(write.time_ms + 1, 2));
  EXPECT_EQ(one, 1);
}

// Times of a log never go back: one that was written while the clock was ahead keeps its keys until
// the clock is there again.
TEST_P(EventStorageConformance, KeysFromAClockThatWasAheadHoldUpNoOthers) {
  constexpr int64_t kAhead = int64_t{1} << 50;
  constexpr int kKeys = 7;
  const auto commit = [&](uint32_t log_id, int64_t time_ms) {
    LogWrite write = Write(log_id, kKeys);
    write.time_ms = time_ms;
    for (int i = 0; i < kKeys; ++i) {
      write.operations.push_back({1, Key(static_cast<char>('a' + i)), 1, write.position + i});
    }
    ASSERT_OK(storage().Commit({write}));
  };
  const auto sweep = [&](int64_t before_ms) {
    int64_t swept = 0;
    for (int call = 0; call < kKeys + 1; ++call) {
      swept += storage().SweepOperations(before_ms, 3).value_or(-1000);
    }
    return swept;
  };
  commit(0, kAhead);
  commit(1, 1000);
  commit(2, 2000);
  EXPECT_EQ(sweep(1001), kKeys);
  EXPECT_EQ(sweep(2001), kKeys);
  commit(3, 3000);
  EXPECT_EQ(sweep(3000), 0);
  EXPECT_EQ(sweep(3001), kKeys);
  EXPECT_EQ(sweep(kAhead), 0);
  EXPECT_EQ(sweep(kAhead + 1), kKeys);
}

TEST_P(EventStorageConformance, LookupTellsTheStateOfNamesAndOfUnknownNames) {
  ASSERT_OK(storage().Commit({Write(0, 3)}));
  LookupRequest lookup;
  lookup.spaces = {{0, "s0"}, {0, "none"}, {1, "s0"}};
  lookup.streams = {{0, "s0", "a"}, {0, "s0", "b"}, {0, "none", "a"}};
  ASSERT_OK_AND_ASSIGN(const LookupResult found, storage().Lookup(lookup));
  EXPECT_EQ(found.spaces[0].space_id, 1);
  EXPECT_EQ(found.spaces[0].seq, 3);
  EXPECT_EQ(found.spaces[1].space_id, 0);
  EXPECT_EQ(found.spaces[2].space_id, 0);
  EXPECT_EQ(found.streams[0].first_position, 1);
  EXPECT_EQ(found.streams[0].revision, 3);
  EXPECT_EQ(found.streams[0].position, 3);
  EXPECT_EQ(found.streams[0].event_id, uint64_t{3} << 60);
  EXPECT_EQ(found.streams[0].first_seq, 1);
  EXPECT_EQ(found.streams[0].kind, v1::STREAM_KIND_ENTITY);
  EXPECT_EQ(found.streams[1].first_position, 0);
  EXPECT_EQ(found.streams[2].first_position, 0);
}

TEST_P(EventStorageConformance, HeadsAreReadInTheOrderAskedFor) {
  ASSERT_OK(storage().Commit({Write(0, 2), Write(1, 1)}));
  const std::vector<StreamName> names = {
      {1, "s1", "a"}, {1, "s1", "none"}, {0, "s0", "a"}, {1, "s1", "a"}};
  ASSERT_OK_AND_ASSIGN(const auto heads, storage().ReadHeads(names, /*with_data=*/true));
  ASSERT_EQ(heads.size(), 4u);
  EXPECT_EQ(heads[0].event().stream().space(), "s1");
  EXPECT_FALSE(heads[1].has_event());
  EXPECT_EQ(heads[2].event().revision(), 2);
  EXPECT_EQ(heads[2].event().data(), "data");
  EXPECT_EQ(heads[3].event().position(), 1);
  ASSERT_OK_AND_ASSIGN(const auto bare, storage().ReadHeads(names, /*with_data=*/false));
  EXPECT_EQ(bare[2].event().data(), "");
  EXPECT_EQ(bare[2].event().meta(), "meta");
}

TEST_P(EventStorageConformance, HeadsThatAreTooLargeTogetherAreRefused) {
  const std::string large(kEventDataBytesMax, 'x');
  for (const uint32_t log_id : {0u, 2u}) {  // Where there are two servers, one on each.
    LogWrite write = Write(log_id, 1);
    write.events[0].data = large;
    ASSERT_OK(storage().Commit({write}));
  }
  const std::vector<StreamName> both = {{0, "s0", "a"}, {2, "s2", "a"}};
  EXPECT_THAT(storage().ReadHeads(both, true), HasReason(Reason::kTooLarge));
  EXPECT_OK(storage().ReadHeads(absl::MakeConstSpan(both).subspan(0, 1), true));
  ASSERT_OK_AND_ASSIGN(const auto bare, storage().ReadHeads(both, false));
  EXPECT_EQ(bare[1].event().position(), 1) << "data that is left out does not count";
}

TEST_P(EventStorageConformance, EventsAreReadByPlace) {
  ASSERT_OK(storage().Commit({Write(0, 3), Write(1, 2)}));
  ASSERT_OK_AND_ASSIGN(const auto events, storage().ReadEvents({{1, 2}, {0, 3}, {0, 4}, {0, 1}}));
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].event().stream().space(), "s1");
  EXPECT_EQ(events[1].event().position(), 3);
  EXPECT_FALSE(events[2].has_event());
  EXPECT_EQ(events[3].event().position(), 1);
}

TEST_P(EventStorageConformance, AStreamIsReadInBothDirectionsAndUpToATime) {
  for (int i = 0; i < 5; ++i) ASSERT_OK(storage().Commit({Write(0, 1)}));  // Times 1001..1005.
  StreamRead read;
  read.stream = {0, "s0", "a"};
  read.limit = 2;
  read.bytes_max = kPageBytesMax;
  ASSERT_OK_AND_ASSIGN(v1::ReadStreamResponse page, storage().ReadStream(read));
  EXPECT_THAT(Positions(page.events()), ElementsAre(1, 2));
  EXPECT_EQ(page.head_revision(), 5);
  read.from_revision = 4;
  ASSERT_OK_AND_ASSIGN(page, storage().ReadStream(read));
  EXPECT_THAT(Positions(page.events()), ElementsAre(4, 5));
  read.backward = true;
  ASSERT_OK_AND_ASSIGN(page, storage().ReadStream(read));
  EXPECT_THAT(Positions(page.events()), ElementsAre(4, 3));
  read.from_revision = 0;
  ASSERT_OK_AND_ASSIGN(page, storage().ReadStream(read));
  EXPECT_THAT(Positions(page.events()), ElementsAre(5, 4));
  read.until_time_ms = 1003;
  ASSERT_OK_AND_ASSIGN(page, storage().ReadStream(read));
  EXPECT_THAT(Positions(page.events()), ElementsAre(3, 2));
  read.until_time_ms = 1000;
  ASSERT_OK_AND_ASSIGN(page, storage().ReadStream(read));
  EXPECT_THAT(Positions(page.events()), ElementsAre());
  read.stream.stream = "none";
  ASSERT_OK_AND_ASSIGN(page, storage().ReadStream(read));
  EXPECT_EQ(page.head_revision(), 0);
}

TEST_P(EventStorageConformance, PagesStopAtTheirBytesButHoldOneEvent) {
  ASSERT_OK(storage().Commit({Write(0, 4)}));  // 8 bytes of data and meta each.
  LogRead read = WholeLog(0);
  for (const auto& [bytes_max, events] : std::vector<std::pair<int64_t, int>>{
           {1, 1}, {8, 1}, {15, 1}, {16, 2}, {17, 2}, {31, 3}, {32, 4}, {33, 4}}) {
    read.bytes_max = bytes_max;
    ASSERT_OK_AND_ASSIGN(const v1::ReadLogResponse page, storage().ReadLog(read));
    EXPECT_EQ(page.events_size(), events) << bytes_max;
    EXPECT_EQ(page.head_position(), 4);
  }
}

TEST_P(EventStorageConformance, PagesOfASpaceMeet) {
  constexpr int kEvents = 5;
  for (int i = 0; i < kEvents; ++i) {
    LogWrite write = Write(0, 1);
    ASSERT_OK(storage().Commit({write}));
  }
  SpaceRead read;
  read.space = {0, "s0"};
  read.bytes_max = kPageBytesMax;
  for (read.limit = 1; read.limit <= kEvents + 1; ++read.limit) {
    std::vector<int64_t> seqs;
    for (read.after_seq = 0; read.after_seq < kEvents;) {
      ASSERT_OK_AND_ASSIGN(const v1::ReadSpaceResponse page, storage().ReadSpace(read));
      for (const v1::Event& event : page.events()) seqs.push_back(event.seq());
      ASSERT_GT(page.next_seq(), read.after_seq);
      read.after_seq = page.next_seq();
    }
    EXPECT_THAT(seqs, ElementsAre(1, 2, 3, 4, 5)) << read.limit;
  }
}

TEST_P(EventStorageConformance, OfPagesWithoutDataOnlyTheRestCounts) {
  ASSERT_OK(storage().Commit({Write(0, 4)}));  // 4 bytes of data and 4 of meta each.
  LogRead log = WholeLog(0);
  log.with_data = false;
  StreamRead stream;
  stream.stream = {0, "s0", "a"};
  stream.limit = 10;
  stream.with_data = false;
  SpaceRead space;
  space.space = {0, "s0"};
  space.limit = 10;
  space.with_data = false;
  for (const auto& [bytes_max, events] :
       std::vector<std::pair<int64_t, int>>{{7, 1}, {8, 2}, {9, 2}, {15, 3}, {16, 4}}) {
    log.bytes_max = stream.bytes_max = space.bytes_max = bytes_max;
    ASSERT_OK_AND_ASSIGN(const v1::ReadLogResponse of_log, storage().ReadLog(log));
    EXPECT_EQ(of_log.events_size(), events) << bytes_max;
    for (const bool backward : {false, true}) {
      stream.backward = backward;
      ASSERT_OK_AND_ASSIGN(const v1::ReadStreamResponse page, storage().ReadStream(stream));
      EXPECT_EQ(page.events_size(), events) << bytes_max;
    }
    ASSERT_OK_AND_ASSIGN(const v1::ReadSpaceResponse of_space, storage().ReadSpace(space));
    EXPECT_EQ(of_space.events_size(), events) << bytes_max;
    EXPECT_EQ(of_space.next_seq(), events);
  }
}

TEST_P(EventStorageConformance, ALogIsReadFromAfterAPosition) {
  ASSERT_OK(storage().Commit({Write(0, 4), Write(1, 1)}));
  LogRead read = WholeLog(0);
  read.after_position = 2;
  ASSERT_OK_AND_ASSIGN(v1::ReadLogResponse page, storage().ReadLog(read));
  EXPECT_THAT(Positions(page.events()), ElementsAre(3, 4));
  read.limit = 1;
  ASSERT_OK_AND_ASSIGN(page, storage().ReadLog(read));
  EXPECT_THAT(Positions(page.events()), ElementsAre(3));
  read.after_position = 4;
  ASSERT_OK_AND_ASSIGN(page, storage().ReadLog(read));
  EXPECT_THAT(Positions(page.events()), ElementsAre());
  EXPECT_EQ(page.head_position(), 4);
}

TEST_P(EventStorageConformance, TheEpochIsReplacedOnlyIfTheHeadIsAsExpected) {
  ASSERT_OK(storage().Commit({Write(0, 1)}));
  const LogState log = Log(0);
  LogState other = log;
  other.next_position = 1;
  EXPECT_THAT(storage().ReplaceEpoch(other, 99), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Log(0).epoch, log.epoch);
  ASSERT_OK(storage().ReplaceEpoch(log, uint64_t{1} << 63));
  EXPECT_EQ(Log(0).epoch, uint64_t{1} << 63);
}

TEST_P(EventStorageConformance, ALaterSnapshotReplacesAnEarlierOneAndNeverTheOtherWayRound) {
  ASSERT_OK(storage().Commit({Write(0, 3)}));
  const StreamName stream{0, "s0", "a"};
  EXPECT_THAT(storage().GetSnapshot(stream, 0), StatusIs(absl::StatusCode::kNotFound));
  const std::string large(kCompressibleBytes, 's');
  ASSERT_OK(storage().PutSnapshot(stream, 2, large));
  ASSERT_OK(storage().PutSnapshot(stream, 1, "one"));
  Reopen();
  ASSERT_OK_AND_ASSIGN(Snapshot snapshot, storage().GetSnapshot(stream, 0));
  EXPECT_EQ(snapshot.revision, 2);
  EXPECT_EQ(snapshot.data, large);
  EXPECT_THAT(storage().GetSnapshot(stream, 1), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK(storage().PutSnapshot(stream, 3, "three"));
  ASSERT_OK_AND_ASSIGN(snapshot, storage().GetSnapshot(stream, 3));
  EXPECT_EQ(snapshot.data, "three");
  EXPECT_THAT(storage().PutSnapshot({0, "s0", "none"}, 1, "x"),
              StatusIs(absl::StatusCode::kNotFound));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EventStorageConformance);

}  // namespace bdcsync::event_store
