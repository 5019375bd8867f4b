#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/testing/status_matchers.h"
#include "services/event-store/conformance/event_store_conformance.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {

using bdcsync::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

v1::ReadSpaceRequest SpaceRequest(const std::string& space, v1::SpaceReadMode mode, int limit) {
  v1::ReadSpaceRequest request;
  request.set_space(space);
  request.set_mode(mode);
  request.set_limit(limit);
  return request;
}

v1::AppendItem Tombstone(const std::string& space, const std::string& stream) {
  v1::AppendItem item = ItemFor(space, stream, "");
  item.set_tombstone(true);
  return item;
}

}  // namespace

TEST_P(EventStoreConformance, PagesOfASpaceJoinWithoutHolesWhateverTheirSize) {
  const std::vector<v1::AppendItem> items(12, ItemFor("s", "a", "0123456789"));
  Append(items);
  for (const int limit : {1, 5, 11, 12, 13, 0}) {
    for (const int64_t bytes_max : {1, 25, 119, 120, 121, 0}) {
      v1::ReadSpaceRequest request = SpaceRequest("s", v1::SPACE_READ_MODE_ALL, limit);
      request.set_bytes_max(bytes_max);
      int64_t seq = 0;
      while (true) {
        ASSERT_OK_AND_ASSIGN(const v1::ReadSpaceResponse page, client().ReadSpace(request));
        for (const v1::Event& event : page.events()) EXPECT_EQ(event.seq(), ++seq);
        EXPECT_EQ(page.next_seq(), seq);
        EXPECT_EQ(page.head_seq(), 12);
        if (page.next_seq() >= page.head_seq()) break;
        ASSERT_GT(page.events_size(), 0);
        request.set_after_seq(page.next_seq());
      }
      EXPECT_EQ(seq, 12);
    }
  }
}

TEST_P(EventStoreConformance, TheLatestOfEachStreamIsReadInOrderOfSeq) {
  Append({ItemFor("s", "a", "1"), ItemFor("s", "b", "2"), ItemFor("s", "a", "3"),
          ItemFor("s", "c", "4"), Tombstone("s", "b")});
  v1::ReadSpaceRequest request = SpaceRequest("s", v1::SPACE_READ_MODE_LATEST, 10);
  const auto read = [&] {
    const absl::StatusOr<v1::ReadSpaceResponse> page = client().ReadSpace(request);
    EXPECT_OK(page);
    EXPECT_EQ(page->next_seq(), 5);
    return Names({page->events().begin(), page->events().end()});
  };
  EXPECT_THAT(read(), ElementsAre("a@2", "c@1", "b@2"));
  request.set_without_tombstones(true);
  EXPECT_THAT(read(), ElementsAre("a@2", "c@1"));
  request.set_after_seq(3);
  EXPECT_THAT(read(), ElementsAre("c@1"));
  request.set_after_seq(4);
  EXPECT_THAT(read(), IsEmpty());
}

// PostgreSQL finds the latest by ranges of 1,024 seqs.
TEST_P(EventStoreConformance, TheLatestIsReadInOrderAcrossManySeqsInPages) {
  constexpr int kEvents = 2500;
  constexpr int kStreams = 1700;  // The latest of each: seqs 801 to 2500.
  constexpr int kBatch = 500;
  for (int begin = 0; begin < kEvents; begin += kBatch) {
    std::vector<v1::AppendItem> items;
    for (int i = begin; i < begin + kBatch; ++i) {
      items.push_back(ItemFor("s", absl::StrCat("n", i % kStreams), "1"));
    }
    Append(items);
  }
  for (const int64_t after : {0, 800, 801, 1022, 1023, 1024, 1025, 2047, 2048, 2499, 2500}) {
    v1::ReadSpaceRequest request = SpaceRequest("s", v1::SPACE_READ_MODE_LATEST, 300);
    request.set_after_seq(after);
    int64_t seq = std::max<int64_t>(after, kEvents - kStreams);
    while (true) {
      ASSERT_OK_AND_ASSIGN(const v1::ReadSpaceResponse page, client().ReadSpace(request));
      EXPECT_EQ(page.head_seq(), kEvents);
      for (const v1::Event& event : page.events()) EXPECT_EQ(event.seq(), ++seq);
      if (page.next_seq() >= page.head_seq()) break;
      ASSERT_GT(page.next_seq(), request.after_seq());
      request.set_after_seq(page.next_seq());
    }
    EXPECT_EQ(seq, kEvents) << "after " << after;
  }
}

TEST_P(EventStoreConformance, AChangeBetweenPagesOfStateIsSeenExactlyOnce) {
  Append({ItemFor("s", "a", "1"), ItemFor("s", "b", "2"), ItemFor("s", "c", "3")});
  v1::ReadSpaceRequest request = SpaceRequest("s", v1::SPACE_READ_MODE_LATEST, 2);
  ASSERT_OK_AND_ASSIGN(v1::ReadSpaceResponse page, client().ReadSpace(request));
  EXPECT_THAT(Names({page.events().begin(), page.events().end()}), ElementsAre("a@1", "b@1"));
  Append(ItemFor("s", "a", "4"));
  request.set_after_seq(page.next_seq());
  request.set_limit(10);
  ASSERT_OK_AND_ASSIGN(page, client().ReadSpace(request));
  EXPECT_THAT(Names({page.events().begin(), page.events().end()}), ElementsAre("c@1", "a@2"));
  EXPECT_EQ(page.next_seq(), page.head_seq());
}

TEST_P(EventStoreConformance, ASpaceIsReadByKindOfStream) {
  v1::AppendItem conflict = ItemFor("s", "x", "2");
  conflict.set_kind(v1::STREAM_KIND_CONFLICT);
  Append({ItemFor("s", "a", "1"), conflict, ItemFor("s", "b", "3")});
  for (const v1::SpaceReadMode mode : {v1::SPACE_READ_MODE_ALL, v1::SPACE_READ_MODE_LATEST}) {
    v1::ReadSpaceRequest request = SpaceRequest("s", mode, 10);
    request.set_kind(v1::STREAM_KIND_CONFLICT);
    ASSERT_OK_AND_ASSIGN(v1::ReadSpaceResponse page, client().ReadSpace(request));
    EXPECT_THAT(Names({page.events().begin(), page.events().end()}), ElementsAre("x@1"));
    EXPECT_EQ(page.events(0).kind(), v1::STREAM_KIND_CONFLICT);
    EXPECT_EQ(page.next_seq(), 3) << "all was considered";
  }
}

TEST_P(EventStoreConformance, ASpaceWithoutEventsIsEmptyAndHasAnEpoch) {
  ASSERT_OK_AND_ASSIGN(const v1::ReadSpaceResponse page,
                       client().ReadSpace(SpaceRequest("none", v1::SPACE_READ_MODE_ALL, 0)));
  EXPECT_EQ(page.events_size(), 0);
  EXPECT_EQ(page.head_seq(), 0);
  EXPECT_NE(page.epoch(), 0u);
  v1::GetSpaceHeadsRequest request;
  request.add_spaces("none");
  ASSERT_OK_AND_ASSIGN(const v1::GetSpaceHeadsResponse heads, client().GetSpaceHeads(request));
  EXPECT_EQ(heads.heads(0).seq(), 0);
  EXPECT_EQ(heads.heads(0).epoch(), page.epoch());
}

TEST_P(EventStoreConformance, HeadsOfStreamsAndSpacesAreReadInOrder) {
  Append({ItemFor("s", "a", "1"), ItemFor("s", "a", "2"), ItemFor("t", "b", "3")});
  v1::ReadHeadsRequest streams;
  for (const auto& [space, name] :
       std::vector<std::pair<std::string, std::string>>{{"t", "b"}, {"s", "none"}, {"s", "a"}}) {
    v1::StreamKey& key = *streams.add_streams();
    key.set_space(space);
    key.set_name(name);
  }
  ASSERT_OK_AND_ASSIGN(const v1::ReadHeadsResponse heads, client().ReadHeads(streams));
  ASSERT_EQ(heads.heads_size(), 3);
  EXPECT_EQ(heads.heads(0).event().data(), "3");
  EXPECT_FALSE(heads.heads(1).has_event());
  EXPECT_EQ(heads.heads(2).event().data(), "2");
  EXPECT_EQ(heads.heads(2).event().first_seq(), 1);
  v1::GetSpaceHeadsRequest spaces;
  spaces.add_spaces("t");
  spaces.add_spaces("s");
  ASSERT_OK_AND_ASSIGN(const v1::GetSpaceHeadsResponse seqs, client().GetSpaceHeads(spaces));
  EXPECT_EQ(seqs.heads(0).seq(), 1);
  EXPECT_EQ(seqs.heads(1).seq(), 2);
}

TEST_P(EventStoreConformance, OperationsAreFoundWithWhatTheyMade) {
  v1::AppendItem item = ItemFor("s", "a", "made");
  item.set_op_id("0f8fad5b-d9cb-469f-a165-70867728950e");
  item.set_request_hash(99);
  const v1::AppendResult first = Append(item);
  Restart();
  v1::GetOperationsRequest request;
  for (const std::string& op_id : {std::string("none"), item.op_id()}) {
    v1::OperationKey& key = *request.add_operations();
    key.set_space("s");
    key.set_op_id(op_id);
  }
  ASSERT_OK_AND_ASSIGN(const v1::GetOperationsResponse found, client().GetOperations(request));
  EXPECT_FALSE(found.operations(0).has_event());
  EXPECT_EQ(found.operations(1).event().data(), "made");
  EXPECT_EQ(found.operations(1).request_hash(), 99u);
  EXPECT_EQ(found.operations(1).epoch(), first.appended().epoch());
}

TEST_P(EventStoreConformance, AStreamIsReadBackwardFromItsHead) {
  Append(std::vector<v1::AppendItem>(5, ItemFor("s", "a", "x")));
  v1::ReadStreamRequest request;
  request.mutable_stream()->set_space("s");
  request.mutable_stream()->set_name("a");
  request.set_backward(true);
  request.set_limit(2);
  ASSERT_OK_AND_ASSIGN(const v1::ReadStreamResponse page, client().ReadStream(request));
  EXPECT_THAT(Names({page.events().begin(), page.events().end()}), ElementsAre("a@5", "a@4"));
  EXPECT_EQ(page.head_revision(), 5);
}

TEST_P(EventStoreConformance, EveryEventOfEverySpaceIsInItsLogOnce) {
  for (int i = 0; i < 40; ++i) Append(ItemFor(absl::StrCat("space", i), "a", "x"));
  ASSERT_OK_AND_ASSIGN(const v1::GetStoreInfoResponse info, client().GetStoreInfo());
  EXPECT_EQ(info.log_count(), kLogCount);
  int64_t events = 0;
  for (const v1::LogInfo& log : info.logs()) {
    v1::ReadLogRequest request;
    request.set_log_id(log.log_id());
    ASSERT_OK_AND_ASSIGN(const v1::ReadLogResponse page, client().ReadLog(request));
    int64_t position = 0;
    for (const v1::Event& event : page.events()) EXPECT_EQ(event.position(), ++position);
    EXPECT_EQ(position + 1, log.next_position());
    EXPECT_EQ(page.epoch(), log.epoch());
    events += position;
  }
  EXPECT_EQ(events, 40);
  v1::ReadLogRequest beyond;
  beyond.set_log_id(kLogCount);
  EXPECT_THAT(client().ReadLog(beyond), HasReason(Reason::kNotFound));
}

TEST_P(EventStoreConformance, SnapshotsAreKept) {
  Append(std::vector<v1::AppendItem>(2, ItemFor("s", "a", "x")));
  v1::PutSnapshotRequest put;
  put.mutable_stream()->set_space("s");
  put.mutable_stream()->set_name("a");
  put.set_revision(2);
  put.set_data("state");
  ASSERT_OK(client().PutSnapshot(put));
  Restart();
  v1::GetSnapshotRequest get;
  *get.mutable_stream() = put.stream();
  ASSERT_OK_AND_ASSIGN(const v1::GetSnapshotResponse found, client().GetSnapshot(get));
  EXPECT_EQ(found.data(), "state");
  get.set_revision_max(1);
  EXPECT_THAT(client().GetSnapshot(get), HasReason(Reason::kNotFound));
}

TEST_P(EventStoreConformance, ReadsBeyondTheirLimitsAreRefused) {
  EXPECT_OK(client().ReadSpace(SpaceRequest("s", v1::SPACE_READ_MODE_ALL, kReadSpaceLimitMax)));
  EXPECT_THAT(
      client().ReadSpace(SpaceRequest("s", v1::SPACE_READ_MODE_ALL, kReadSpaceLimitMax + 1)),
      HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(client().ReadSpace(SpaceRequest("", v1::SPACE_READ_MODE_ALL, 1)),
              HasReason(Reason::kInvalidArgument));
  v1::GetSpaceHeadsRequest heads;
  for (int i = 0; i < kSpaceHeadsMax; ++i) heads.add_spaces("s");
  EXPECT_OK(client().GetSpaceHeads(heads));
  heads.add_spaces("s");
  EXPECT_THAT(client().GetSpaceHeads(heads), HasReason(Reason::kTooLarge));
}

}  // namespace bdcsync::event_store
