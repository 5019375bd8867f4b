#include "services/conflict/conformance/resolution_storage_conformance.h"

#include <gmock/gmock.h>

#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::conflict {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Resolution Record(const std::string& space, const std::string& op, const std::string& type,
                      const std::string& id) {
  v1::Resolution record;
  record.set_op_id(op);
  record.mutable_entity()->set_space(space);
  record.mutable_entity()->set_entity_type(type);
  record.mutable_entity()->set_entity_id(id);
  record.mutable_entity()->set_branch("main");
  record.set_base_version_id("1-0000000000000001");
  record.set_theirs_version_id("2-0000000000000002");
  record.set_user_id("ada \xe2\x82\xac");
  record.set_device_id("phone");
  record.set_time_ms(1'700'000'000'000);
  v1::Decision& decision = *record.add_decisions();
  decision.set_path("/a~1b");
  decision.set_rule("lww");
  decision.set_base("1");
  decision.set_theirs(std::string("\0\xff", 2));
  decision.set_chosen("ours");
  return record;
}

std::vector<std::string> Ops(const absl::StatusOr<std::vector<StoredResolution>>& page) {
  EXPECT_OK(page);
  std::vector<std::string> ops;
  if (!page.ok()) return ops;
  for (const StoredResolution& stored : *page) ops.push_back(stored.resolution.op_id());
  return ops;
}

constexpr int kAll = 1000;

}  // namespace

void ResolutionStorageConformance::SetUp() {
  home_ = GetParam().make();
  if (home_ == nullptr) return;  // `make` has skipped or failed the test.
  storage_ = home_->Open();
  ASSERT_NE(storage_, nullptr);
}

void ResolutionStorageConformance::Reopen() {
  if (!home_->durable()) return;
  storage_.reset();
  storage_ = home_->Open();
  ASSERT_NE(storage_, nullptr);
}

namespace {

TEST_P(ResolutionStorageConformance, WhatWasPutIsReadBackWhole) {
  EXPECT_OK(storage().Ping());
  v1::Resolution record = Record("s", "op", "note", "caf\xc3\xa9");
  v1::Decision& part = *record.add_decisions();
  part.set_path("/list");
  part.set_ours(std::string(300, '1'));
  part.set_close_call(true);
  part.mutable_region()->set_ours_begin(7);
  record.add_decisions()->set_path("");
  ASSERT_OK(storage().Put({.resolutions = {record}}));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto page, storage().List({.space = "s", .limit = kAll}));
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page[0].resolution.SerializeAsString(), record.SerializeAsString());
  EXPECT_GT(page[0].number, 0);
}

TEST_P(ResolutionStorageConformance, ListsTheNewestFirst) {
  ASSERT_OK(storage().Put(
      {.resolutions = {Record("s", "1", "note", "a"), Record("t", "1", "note", "a")}}));
  ASSERT_OK(storage().Put({.resolutions = {Record("s", "2", "task", "a")}}));
  ASSERT_OK(storage().Put(
      {.resolutions = {Record("s", "3", "note", "b"), Record("t", "4", "note", "a")}}));
  Reopen();
  EXPECT_THAT(Ops(storage().List({.space = "s", .limit = kAll})), ElementsAre("3", "2", "1"));
  EXPECT_THAT(Ops(storage().List({.space = "s", .entity_type = "note", .limit = kAll})),
              ElementsAre("3", "1"));
  EXPECT_THAT(
      Ops(storage().List({.space = "s", .entity_type = "note", .entity_id = "a", .limit = kAll})),
      ElementsAre("1"));
  EXPECT_THAT(Ops(storage().List({.space = "none", .limit = kAll})), IsEmpty());
}

TEST_P(ResolutionStorageConformance, PagesMeetWithoutHoleOrOverlap) {
  constexpr int kRecords = 7;
  for (int i = 0; i < kRecords; ++i) {
    ASSERT_OK(storage().Put({.resolutions = {Record("s", absl::StrCat(i), "note", "a")}}));
  }
  for (const int limit : {1, 3, kRecords - 1, kRecords, kRecords + 1}) {
    std::vector<std::string> ops;
    std::optional<RecordPlace> before;
    while (true) {
      ASSERT_OK_AND_ASSIGN(const auto page,
                           storage().List({.space = "s", .before = before, .limit = limit}));
      ASSERT_LE(page.size(), static_cast<size_t>(limit));
      if (page.empty()) break;
      for (const StoredResolution& stored : page) ops.push_back(stored.resolution.op_id());
      before = page.back().place();
    }
    EXPECT_THAT(ops, ElementsAre("6", "5", "4", "3", "2", "1", "0")) << limit;
  }
}

TEST_P(ResolutionStorageConformance, APageHasNoMoreThanSoManyBytes) {
  size_t bytes = 0;  // Of what is kept of one.
  for (int i = 0; i < 6; ++i) {
    v1::Resolution record = Record("s", absl::StrCat(i), "note", "a");
    record.mutable_decisions(0)->set_ours(std::string(100'000, 'x'));
    ASSERT_OK(storage().Put({.resolutions = {record}}));
    v1::Resolution kept;
    *kept.mutable_decisions() = record.decisions();
    bytes = kept.ByteSizeLong();
  }
  const auto list = [&](size_t bytes_max, std::optional<RecordPlace> before = std::nullopt) {
    return storage().List({.space = "s", .before = before, .limit = kAll, .bytes_max = bytes_max});
  };
  EXPECT_THAT(Ops(list(3 * bytes - 1)), ElementsAre("5", "4", "3"));
  EXPECT_THAT(Ops(list(3 * bytes)), ElementsAre("5", "4", "3", "2")) << "the one beyond comes too";
  EXPECT_THAT(Ops(list(6 * bytes)), ElementsAre("5", "4", "3", "2", "1", "0"));
  EXPECT_THAT(Ops(list(0)), ElementsAre("5", "4"));
  ASSERT_OK_AND_ASSIGN(const auto page, list(0));
  EXPECT_THAT(Ops(list(0, page.back().place())), ElementsAre("3", "2"));
  for (const char* type : {"note", "task"}) {
    EXPECT_EQ(
        Ops(storage().List({.space = "s", .entity_type = type, .limit = kAll, .bytes_max = 0}))
            .size(),
        type == std::string("note") ? 2u : 0u);
  }
  EXPECT_EQ(Ops(storage().List({.space = "s",
                                .entity_type = "note",
                                .entity_id = "a",
                                .limit = kAll,
                                .bytes_max = 0}))
                .size(),
            2u);
  EXPECT_EQ(Ops(storage().List({.limit = kAll, .bytes_max = 0})).size(), 2u);
}

TEST_P(ResolutionStorageConformance, ListsInOrderOfTimeWhateverTheOrderOfRecording) {
  const std::vector<int64_t> times = {5, 9, 5, 1, 9, 7};
  std::vector<v1::Resolution> records;
  for (const int64_t time_ms : times) {
    records.push_back(Record("s", absl::StrCat(records.size()), "note", "a"));
    records.back().set_time_ms(time_ms);
    ASSERT_OK(storage().Put({.resolutions = {records.back()}}));
  }
  Reopen();
  const std::vector<std::string> expected = {"4", "1", "5", "2", "0", "3"};
  for (const ResolutionQuery& query :
       {ResolutionQuery{.space = "s"}, ResolutionQuery{.space = "s", .entity_type = "note"},
        ResolutionQuery{.space = "s", .entity_type = "note", .entity_id = "a"},
        ResolutionQuery{}}) {
    ResolutionQuery part = query;
    part.limit = 2;
    std::vector<std::string> ops;
    while (true) {
      ASSERT_OK_AND_ASSIGN(const auto page, storage().List(part));
      if (page.empty()) break;
      for (const StoredResolution& stored : page) ops.push_back(stored.resolution.op_id());
      part.before = page.back().place();
    }
    EXPECT_EQ(ops, expected);
  }
}

TEST_P(ResolutionStorageConformance, AnOperationDecidedAgainHasOneRecordAtItsNewTime) {
  const v1::Resolution first = Record("s", "1", "note", "a");
  const v1::Resolution second = Record("s", "2", "note", "a");
  ASSERT_OK(storage().Put({.resolutions = {first}}));
  ASSERT_OK(storage().Put({.resolutions = {second}}));
  v1::Resolution again = first;
  again.set_theirs_version_id("9-0000000000000009");
  again.mutable_decisions(0)->set_chosen("theirs");
  for (const bool later : {false, true}) {
    if (later) again.set_time_ms(first.time_ms() + 1);
    // Beside one that is new.
    ASSERT_OK(storage().Put({.resolutions = {Record("t", later ? "4" : "3", "note", "a"), again}}));
    Reopen();
    ASSERT_OK_AND_ASSIGN(const auto page, storage().List({.space = "s", .limit = kAll}));
    ASSERT_EQ(page.size(), 2u);
    EXPECT_EQ(page[later ? 0 : 1].resolution.SerializeAsString(), again.SerializeAsString());
    EXPECT_EQ(page[later ? 1 : 0].resolution.SerializeAsString(), second.SerializeAsString());
  }
  EXPECT_THAT(Ops(storage().List({.space = "t", .limit = kAll})), ElementsAre("4", "3"));
}

TEST_P(ResolutionStorageConformance, OfOneOperationTwiceInABatchTheLastStays) {
  v1::Resolution last = Record("s", "1", "note", "a");
  last.set_user_id("eve");
  ASSERT_OK(storage().Put({.resolutions = {Record("s", "1", "note", "a"), last}}));
  ASSERT_OK_AND_ASSIGN(const auto page, storage().List({.space = "s", .limit = kAll}));
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page[0].resolution.user_id(), "eve");
}

TEST_P(ResolutionStorageConformance, AnEmptyBatchIsKept) { EXPECT_OK(storage().Put({})); }

TEST_P(ResolutionStorageConformance, WritersAtOnceLoseNothing) {
  constexpr int kWriters = 4;
  constexpr int kBatches = 10;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([this, writer] {
      for (int i = 0; i < kBatches; ++i) {
        // All write "shared" beside their own, in different orders.
        std::vector<v1::Resolution> batch = {Record("s", "shared", "note", "a"),
                                             Record("s", absl::StrCat(writer, "-", i), "note", "a"),
                                             Record("s", "common", "note", "a")};
        if (writer % 2 == 0) std::swap(batch.front(), batch.back());
        EXPECT_OK(storage().Put({.resolutions = batch}));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::vector<std::string> ops = Ops(storage().List({.space = "s", .limit = kAll}));
  EXPECT_EQ(std::set<std::string>(ops.begin(), ops.end()).size(), kWriters * kBatches + 2u);
  EXPECT_EQ(ops.size(), kWriters * kBatches + 2u);
}

}  // namespace
}  // namespace bdcsync::conflict
