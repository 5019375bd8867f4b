#include <set>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "services/event-store/conformance/event_store_conformance.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {

using bdcsync::testing::HasReason;
using ::testing::ElementsAre;

void EventStoreConformance::SetUp() {
  if (GetParam().needs_postgres) BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(host_, GetParam().make());
}

void EventStoreConformance::Restart() {
  if (!host_->durable()) return;
  ASSERT_OK(host_->Restart());
}

std::vector<v1::AppendResult> EventStoreConformance::Append(
    const std::vector<v1::AppendItem>& items) {
  v1::AppendRequest request;
  for (const v1::AppendItem& item : items) *request.add_items() = item;
  const absl::StatusOr<v1::AppendResponse> response = client().Append(request);
  EXPECT_OK(response);
  if (!response.ok()) return std::vector<v1::AppendResult>(items.size());
  EXPECT_EQ(static_cast<std::size_t>(response->results_size()), items.size());
  return std::vector<v1::AppendResult>(response->results().begin(), response->results().end());
}

std::vector<v1::Event> EventStoreConformance::ReadSpace(const std::string& space) {
  v1::ReadSpaceRequest request;
  request.set_space(space);
  request.set_limit(kReadSpaceLimitMax);
  const absl::StatusOr<v1::ReadSpaceResponse> page = client().ReadSpace(request);
  EXPECT_OK(page);
  if (!page.ok()) return {};
  return std::vector<v1::Event>(page->events().begin(), page->events().end());
}

std::vector<std::string> EventStoreConformance::Names(const std::vector<v1::Event>& events) {
  std::vector<std::string> names;
  for (const v1::Event& event : events) {
    names.push_back(absl::StrCat(event.stream().name(), "@", event.revision()));
  }
  return names;
}

namespace {

v1::AppendItem Expecting(v1::AppendItem item, int64_t revision) {
  item.mutable_expected()->set_revision(revision);
  return item;
}
v1::AppendItem ExpectingNone(v1::AppendItem item) {
  item.mutable_expected()->set_none(true);
  return item;
}
v1::AppendItem ExpectingSome(v1::AppendItem item) {
  item.mutable_expected()->set_exists(true);
  return item;
}
v1::AppendItem WithOperation(v1::AppendItem item, const std::string& op_id, uint64_t hash) {
  item.set_op_id(op_id);
  item.set_request_hash(hash);
  return item;
}
v1::AppendItem InGroup(v1::AppendItem item, uint32_t group) {
  item.set_atomic_group(group);
  return item;
}

}  // namespace

TEST_P(EventStoreConformance, EventsGetDensePositionsSeqsAndRevisions) {
  const auto results = Append({ItemFor("s", "a", "1"), ItemFor("s", "b", "2"),
                               ItemFor("s", "a", "3"), ItemFor("t", "a", "4")});
  EXPECT_THAT(results,
              ElementsAre(IsAppendedAt(1), IsAppendedAt(2), IsAppendedAt(3), IsAppendedAt(1)));
  EXPECT_EQ(results[2].appended().revision(), 2);
  EXPECT_EQ(results[2].appended().first_seq(), 1);
  EXPECT_NE(results[2].appended().epoch(), 0u);
  Restart();
  EXPECT_THAT(Append(ItemFor("s", "a", "5")), IsAppendedAt(4));
  EXPECT_THAT(Names(ReadSpace("s")), ElementsAre("a@1", "b@1", "a@2", "a@3"));
  EXPECT_THAT(Names(ReadSpace("t")), ElementsAre("a@1"));
}

TEST_P(EventStoreConformance, ExpectationsAreCheckedAgainstStoredHeads) {
  ASSERT_THAT(Append(ItemFor("s", "a", "1")), IsAppendedAt(1));
  Restart();
  EXPECT_THAT(Append(ExpectingNone(ItemFor("s", "a", "x"))), IsRefusedFor("precondition_failed"));
  EXPECT_THAT(Append(ExpectingSome(ItemFor("s", "b", "x"))), IsRefusedFor("precondition_failed"));
  EXPECT_THAT(Append(Expecting(ItemFor("s", "a", "x"), 0)), IsRefusedFor("precondition_failed"));
  EXPECT_THAT(Append(Expecting(ItemFor("s", "a", "x"), 2)), IsRefusedFor("precondition_failed"));
  EXPECT_THAT(Append(Expecting(ItemFor("s", "b", "x"), 1)), IsRefusedFor("precondition_failed"));
  EXPECT_THAT(Append(Expecting(ItemFor("s", "a", "2"), 1)), IsAppendedAt(2));
  EXPECT_THAT(Append(ExpectingSome(ItemFor("s", "a", "3"))), IsAppendedAt(3));
  EXPECT_THAT(Append(ExpectingNone(ItemFor("s", "b", "4"))), IsAppendedAt(4));
  EXPECT_THAT(Append(Expecting(ItemFor("s", "c", "5"), 0)), IsAppendedAt(5));
}

TEST_P(EventStoreConformance, ExpectationsSeeTheItemsBeforeThemInTheCall) {
  EXPECT_THAT(Append({ExpectingNone(ItemFor("s", "a", "1")), ExpectingNone(ItemFor("s", "a", "x")),
                      Expecting(ItemFor("s", "a", "2"), 1), Expecting(ItemFor("s", "a", "x"), 1)}),
              ElementsAre(IsAppendedAt(1), IsRefusedFor("precondition_failed"), IsAppendedAt(2),
                          IsRefusedFor("precondition_failed")));
}

TEST_P(EventStoreConformance, ARevisionOfAnotherEventIsNotTheOneExpected) {
  v1::AppendItem first = ItemFor("s", "a", "1");
  first.set_event_id(7);
  ASSERT_THAT(Append(first), IsAppendedAt(1));
  Restart();
  v1::AppendItem next = Expecting(ItemFor("s", "a", "2"), 1);
  next.set_event_id(9);
  next.mutable_expected()->set_event_id(8);
  EXPECT_THAT(Append(next), IsRefusedFor("precondition_failed"));
  next.mutable_expected()->set_event_id(7);
  v1::AppendItem after = Expecting(ItemFor("s", "a", "3"), 2);
  after.mutable_expected()->set_event_id(9);
  EXPECT_THAT(Append({next, after}), ElementsAre(IsAppendedAt(2), IsAppendedAt(3)));
}

TEST_P(EventStoreConformance, ARefusalShowsTheHeadWithData) {
  ASSERT_THAT(Append(ItemFor("s", "a", "first")), IsAppendedAt(1));
  const auto results = Append({ItemFor("s", "a", "second"), Expecting(ItemFor("s", "a", "x"), 1),
                               ExpectingSome(ItemFor("s", "none", "x"))});
  EXPECT_EQ(results[1].head().revision(), 2);
  EXPECT_EQ(results[1].head().data(), "second");
  EXPECT_FALSE(results[2].has_head());
}

TEST_P(EventStoreConformance, ARepeatedOperationGetsItsFirstOutcomeAgain) {
  const v1::AppendItem item = WithOperation(Expecting(ItemFor("s", "a", "1"), 0), "op-1", 42);
  const v1::AppendResult first = Append(item);
  ASSERT_THAT(first, IsAppendedAt(1));
  ASSERT_THAT(Append(ItemFor("s", "a", "later")), IsAppendedAt(2));
  for (int round = 0; round < 2; ++round) {
    const v1::AppendResult again = Append(item);
    EXPECT_THAT(again, IsDuplicateOf(first.appended().position()));
    EXPECT_EQ(again.duplicate().data(), "1");
    EXPECT_EQ(again.epoch(), first.appended().epoch());
    Restart();
  }
  EXPECT_THAT(Names(ReadSpace("s")), ElementsAre("a@1", "a@2"));
}

TEST_P(EventStoreConformance, AnotherRequestWithAUsedOperationIsRefused) {
  ASSERT_THAT(Append(WithOperation(ItemFor("s", "a", "1"), "op-1", 42)), IsAppendedAt(1));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(Append(WithOperation(ItemFor("s", "a", "2"), "op-1", 43)),
                IsRefusedFor("operation_id_reused"));
    Restart();
  }
  EXPECT_THAT(Append(WithOperation(ItemFor("t", "a", "3"), "op-1", 44)), IsAppendedAt(1))
      << "op_ids are unique per space only";
}

TEST_P(EventStoreConformance, AnOperationTwiceInOneCallIsAppendedOnce) {
  const v1::AppendItem item = WithOperation(ItemFor("s", "a", "1"), "op-1", 42);
  const v1::AppendItem other = WithOperation(ItemFor("s", "a", "2"), "op-1", 43);
  const auto results = Append({item, item, other, ItemFor("s", "b", "3")});
  ASSERT_THAT(results[0], IsAppendedAt(1));
  EXPECT_THAT(results[1], IsDuplicateOf(results[0].appended().position()));
  EXPECT_THAT(results[2], IsRefusedFor("operation_id_reused"));
  EXPECT_THAT(results[3], IsAppendedAt(2));
}

TEST_P(EventStoreConformance, RepeatedAndNewOperationsMayShareACall) {
  std::vector<v1::AppendItem> items;
  for (int i = 0; i < 20; ++i) {
    items.push_back(WithOperation(ItemFor("s", absl::StrCat("e", i), "x"), absl::StrCat(i), 1));
  }
  const std::vector<v1::AppendItem> half(items.begin(), items.begin() + 10);
  for (const v1::AppendResult& result : Append(half)) ASSERT_TRUE(result.has_appended());
  Restart();
  const auto results = Append(items);
  for (int i = 0; i < 20; ++i) {
    const v1::AppendResult& result = results[static_cast<std::size_t>(i)];
    EXPECT_EQ(result.has_duplicate(), i < 10) << i << " " << result.ShortDebugString();
    EXPECT_EQ(result.has_appended(), i >= 10) << i << " " << result.ShortDebugString();
  }
  EXPECT_EQ(ReadSpace("s").size(), 20u);
}

TEST_P(EventStoreConformance, OneRefusedAmongAThousandStopsNothing) {
  ASSERT_THAT(Append(ItemFor("s", "taken", "")), IsAppendedAt(1));
  std::vector<v1::AppendItem> items;
  for (int i = 0; i < 1000; ++i) items.push_back(ItemFor("s", absl::StrCat("e", i), "x"));
  items[500] = ExpectingNone(ItemFor("s", "taken", "x"));
  int appended = 0;
  for (const v1::AppendResult& result : Append(items)) appended += result.has_appended() ? 1 : 0;
  EXPECT_EQ(appended, 999);
  EXPECT_EQ(ReadSpace("s").size(), 1000u);
}

TEST_P(EventStoreConformance, AGroupAppliesTogetherOrNotAtAll) {
  ASSERT_THAT(Append(ItemFor("s", "taken", "")), IsAppendedAt(1));
  const auto results = Append({
      ItemFor("s", "before", "x"),
      InGroup(ItemFor("s", "a", "x"), 1),
      InGroup(ExpectingNone(ItemFor("s", "taken", "x")), 1),
      InGroup(ItemFor("s", "b", "x"), 1),
      ItemFor("s", "between", "x"),
      InGroup(ItemFor("s", "c", "x"), 2),
      InGroup(Expecting(ItemFor("s", "c", "x"), 1), 2),
      ItemFor("s", "after", "x"),
  });
  EXPECT_THAT(results,
              ElementsAre(IsAppendedAt(2), IsRefusedFor("depends_on_rejected"),
                          IsRefusedFor("precondition_failed"), IsRefusedFor("depends_on_rejected"),
                          IsAppendedAt(3), IsAppendedAt(4), IsAppendedAt(5), IsAppendedAt(6)));
  EXPECT_THAT(Names(ReadSpace("s")),
              ElementsAre("taken@1", "before@1", "between@1", "c@1", "c@2", "after@1"));
}

TEST_P(EventStoreConformance, ARepeatedGroupIsADuplicateAsAWhole) {
  const std::vector<v1::AppendItem> group = {
      InGroup(WithOperation(Expecting(ItemFor("s", "a", "1"), 0), "op-1", 1), 1),
      InGroup(WithOperation(ItemFor("s", "b", "2"), "op-2", 1), 1)};
  ASSERT_THAT(Append(group), ElementsAre(IsAppendedAt(1), IsAppendedAt(2)));
  Restart();
  const auto again = Append(group);
  EXPECT_TRUE(again[0].has_duplicate() && again[1].has_duplicate());
  const auto mixed =
      Append({group[0], InGroup(WithOperation(ItemFor("s", "c", "3"), "op-3", 1), 1)});
  EXPECT_TRUE(mixed[0].has_duplicate());
  EXPECT_THAT(mixed[1], IsRefusedFor("depends_on_rejected"));
  EXPECT_EQ(ReadSpace("s").size(), 2u);
}

TEST_P(EventStoreConformance, GroupsAreOfOneSpaceAndStandTogether) {
  EXPECT_THAT(Append({InGroup(ItemFor("s", "a", "x"), 1), InGroup(ItemFor("t", "a", "x"), 1)}),
              ElementsAre(IsRefusedFor("depends_on_rejected"), IsRefusedFor("invalid_argument")));
  EXPECT_THAT(Append({InGroup(ItemFor("s", "a", "x"), 1), ItemFor("s", "b", "x"),
                      InGroup(ItemFor("s", "c", "x"), 1)}),
              ElementsAre(IsAppendedAt(1), IsAppendedAt(2), IsRefusedFor("invalid_argument")));
}

TEST_P(EventStoreConformance, CallsAroundTheSizeOfABatchAreStoredWhole) {
  EXPECT_TRUE(Append(std::vector<v1::AppendItem>()).empty());
  int64_t stored = 0;
  for (const std::size_t size : {kTestBatchItemsMax - 1, kTestBatchItemsMax, kTestBatchItemsMax + 1,
                                 2 * kTestBatchItemsMax + 1}) {
    std::vector<v1::AppendItem> items(size, ItemFor("s", "a", "x"));
    for (const v1::AppendResult& result : Append(items))
      EXPECT_THAT(result, IsAppendedAt(++stored));
  }
  std::vector<v1::AppendItem> refused(kTestBatchItemsMax, ExpectingNone(ItemFor("s", "a", "x")));
  for (const v1::AppendResult& result : Append(refused)) {
    EXPECT_THAT(result, IsRefusedFor("precondition_failed"));
    EXPECT_EQ(result.head().revision(), stored);
  }
  EXPECT_EQ(static_cast<int64_t>(ReadSpace("s").size()), stored);
}

TEST_P(EventStoreConformance, ACallAtItsLimitIsTakenAndOneItemMoreIsNot) {
  std::vector<v1::AppendItem> items(kAppendItemsMax, ItemFor("s", "a", ""));
  int appended = 0;
  for (const v1::AppendResult& result : Append(items)) appended += result.has_appended() ? 1 : 0;
  EXPECT_EQ(appended, kAppendItemsMax);
  v1::AppendRequest request;
  for (int i = 0; i < kAppendItemsMax + 1; ++i) *request.add_items() = items[0];
  EXPECT_THAT(client().Append(request), HasReason(Reason::kTooLarge));
}

TEST_P(EventStoreConformance, FieldsAtTheirLimitsAreTakenAndBeyondAreRefused) {
  const auto with = [](auto change) {
    v1::AppendItem item = ItemFor("s", "a", "x");
    change(item);
    return item;
  };
  const auto op_id = [](int64_t size) { return std::string(static_cast<std::size_t>(size), 'o'); };
  EXPECT_TRUE(Append(with([&](auto& i) { i.set_op_id(op_id(kOpIdBytesMax)); })).has_appended());
  EXPECT_THAT(Append(with([&](auto& i) { i.set_op_id(op_id(kOpIdBytesMax + 1)); })),
              IsRefusedFor("too_large"));
  EXPECT_TRUE(Append(with([&](auto& i) { i.set_meta(op_id(kEventMetaBytesMax)); })).has_appended());
  EXPECT_THAT(Append(with([&](auto& i) { i.set_meta(op_id(kEventMetaBytesMax + 1)); })),
              IsRefusedFor("too_large"));
  EXPECT_TRUE(Append(with([&](auto& i) { i.set_data(op_id(kEventDataBytesMax)); })).has_appended());
  EXPECT_THAT(Append(with([&](auto& i) { i.set_data(op_id(kEventDataBytesMax + 1)); })),
              IsRefusedFor("too_large"));
  EXPECT_TRUE(Append(ItemFor("s", op_id(kStreamNameBytesMax), "")).has_appended());
  EXPECT_THAT(Append(ItemFor("s", op_id(kStreamNameBytesMax + 1), "")), IsRefusedFor("too_large"));
  EXPECT_TRUE(Append(ItemFor(op_id(kSpaceBytesMax), "a", "")).has_appended());
  EXPECT_THAT(Append(ItemFor(op_id(kSpaceBytesMax + 1), "a", "")), IsRefusedFor("too_large"));
}

TEST_P(EventStoreConformance, WhatCannotBeIsRefusedAndTheRestOfTheCallIsNot) {
  std::vector<v1::AppendItem> items(7, ItemFor("s", "a", ""));
  items[0].mutable_stream()->set_space("");
  items[1].mutable_stream()->set_space("no spaces");
  items[2].mutable_stream()->set_name(std::string("a\0b", 3));
  items[3].clear_expected();
  items[4].clear_kind();
  items[5].set_tombstone(true);
  items[5].set_data("data");
  const auto results = Append(items);
  for (int i = 0; i < 6; ++i) {
    EXPECT_THAT(results[static_cast<std::size_t>(i)], IsRefusedFor("invalid_argument")) << i;
    EXPECT_NE(results[static_cast<std::size_t>(i)].error().path(), "") << i;
  }
  EXPECT_THAT(results[6], IsAppendedAt(1));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EventStoreConformance);

}  // namespace bdcsync::event_store
