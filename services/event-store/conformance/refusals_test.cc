// What is refused, and what a refusal shows, where nothing is remembered of what was written
// before.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "services/event-store/conformance/test_store.h"
#include "services/event-store/storage/sqlite_event_storage.h"
#include "services/event-store/validation.h"

namespace bdcsync::event_store {
namespace {

class RefusalsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        storage_, OpenSqliteEventStorage(sql::kSqliteMemory, EventStorageOptions(), random_));
  }
  // At a replica that remembers nothing.
  v1::AppendResponse Append(const v1::AppendRequest& request) {
    TestStore store(*storage_, clock_, sink_, 1, 64);
    const auto response = store.store().AppendAndWait(request);
    EXPECT_OK(response);
    return response.ok() ? *response : v1::AppendResponse();
  }
  v1::AppendResult Append(const v1::AppendItem& item) {
    v1::AppendRequest request;
    *request.add_items() = item;
    return Append(request).results(0);
  }
  static v1::AppendItem Item(const std::string& stream, const std::string& data,
                             const std::string& op_id = "") {
    v1::AppendItem item = ItemFor("s", stream, data);
    item.set_op_id(op_id);
    return item;
  }
  static v1::AppendItem New(v1::AppendItem item) {
    item.mutable_expected()->set_none(true);
    return item;
  }
  static v1::AppendItem At(int64_t revision, v1::AppendItem item) {
    item.mutable_expected()->set_revision(revision);
    return item;
  }
  static void AddToGroup(uint32_t group, v1::AppendItem item, v1::AppendRequest& request) {
    item.set_atomic_group(group);
    *request.add_items() = std::move(item);
  }

  ManualClock clock_{absl::FromUnixMillis(5000)};
  SystemRandom random_;
  IgnoringSink sink_;
  std::unique_ptr<EventStorage> storage_;
};

TEST_F(RefusalsTest, ARepeatedOperationIsADuplicateThoughItsExpectationIsWrongByNow) {
  ASSERT_TRUE(Append(Item("a", "1")).has_appended());
  const v1::AppendItem item = At(1, Item("a", "2", "op"));
  ASSERT_TRUE(Append(item).has_appended());
  EXPECT_EQ(Append(item).duplicate().data(), "2");
  EXPECT_EQ(Append(At(1, Item("a", "3", "other"))).error().code(), "precondition_failed");
}

TEST_F(RefusalsTest, OfAGroupThatFailsWhatWasAppendedBeforeIsADuplicate) {
  ASSERT_TRUE(Append(Item("a", "1", "op")).has_appended());
  v1::AppendRequest request;
  AddToGroup(1, Item("a", "1", "op"), request);
  AddToGroup(1, At(7, Item("b", "2")), request);
  const v1::AppendResponse response = Append(request);
  EXPECT_EQ(response.results(0).duplicate().data(), "1");
  EXPECT_EQ(response.results(1).error().code(), "precondition_failed");
}

TEST_F(RefusalsTest, AnOperationOfAGroupThatFailedIsFree) {
  v1::AppendRequest request;
  AddToGroup(1, Item("a", "1", "op"), request);
  AddToGroup(1, At(7, Item("b", "2")), request);
  AddToGroup(0, Item("a", "3", "op"), request);
  const v1::AppendResponse response = Append(request);
  EXPECT_EQ(response.results(0).error().code(), "depends_on_rejected");
  EXPECT_EQ(response.results(1).error().code(), "precondition_failed");
  ASSERT_TRUE(response.results(2).has_appended()) << response.ShortDebugString();
  EXPECT_EQ(response.results(2).appended().revision(), 1);
}

TEST_F(RefusalsTest, AGroupThatContradictsItselfShowsTheHeadThatIsStored) {
  v1::AppendRequest request;
  AddToGroup(1, New(Item("a", "2")), request);
  AddToGroup(1, New(Item("a", "3")), request);
  v1::AppendResponse response = Append(request);
  EXPECT_EQ(response.results(0).error().code(), "depends_on_rejected");
  EXPECT_EQ(response.results(1).error().code(), "precondition_failed");
  EXPECT_FALSE(response.results(1).has_head()) << response.ShortDebugString();
  ASSERT_TRUE(Append(Item("a", "1")).has_appended());
  response = Append(request);
  EXPECT_EQ(response.results(0).error().code(), "precondition_failed");
  EXPECT_EQ(response.results(0).head().data(), "1");
  EXPECT_EQ(response.results(1).head().data(), "1");
}

// What another replica wrote is read up, but not without bound; what was not read is not
// remembered.
TEST_F(RefusalsTest, WhoMissedMoreThanIsReadUpRemembersNothing) {
  constexpr int kCalls = 2;
  constexpr int kItems = 150;
  TestStore store(*storage_, clock_, sink_, 1, 64);
  v1::AppendRequest request;
  *request.add_items() = Item("a", "1");
  ASSERT_OK(store.store().AppendAndWait(request));
  v1::AppendRequest many;
  for (int i = 0; i < kItems; ++i) {
    v1::AppendItem& item = *many.add_items();
    item = Item(i + 1 == kItems ? "a" : "b", "x");
    item.set_meta(std::string(60'000, 'm'));
  }
  for (int call = 0; call < kCalls; ++call) Append(many);
  ASSERT_OK_AND_ASSIGN(const v1::AppendResponse response, store.store().AppendAndWait(request));
  EXPECT_EQ(response.results(0).appended().revision(), 1 + kCalls + 1);
}

TEST_F(RefusalsTest, TheTimeOfALogNeverGoesBack) {
  ASSERT_EQ(Append(Item("a", "1")).appended().time_ms(), 5000);
  clock_.SetNow(absl::FromUnixMillis(3000));
  EXPECT_EQ(Append(Item("a", "2")).appended().time_ms(), 5000);
  clock_.SetNow(absl::FromUnixMillis(7000));
  EXPECT_EQ(Append(Item("a", "3")).appended().time_ms(), 7000);
}

TEST(StreamNames, AreTextThatEveryStorageTakes) {
  v1::StreamKey stream;
  stream.set_space("s");
  const auto is_text = [&stream](const std::string& bytes) {
    stream.set_name("a" + bytes);
    return CheckStream(stream).ok();
  };
  for (const char* text :
       {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_text(text)) << text;
  }
  // Cut short, a byte that follows nothing, overlong, surrogates, beyond U+10FFFF.
  for (const char* text : {"\xc2", "\xe0\xa0", "\xf0\x90\x80", "\x80", "\xc1\xbf", "\xe0\x9f\xbf",
                           "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xc2\xc0", "\xe1\x80\x7f"}) {
    EXPECT_FALSE(is_text(text)) << text;
  }
  EXPECT_FALSE(is_text(std::string(1, '\0')));
}

}  // namespace
}  // namespace bdcsync::event_store
