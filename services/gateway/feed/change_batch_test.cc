#include "services/gateway/feed/change_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The versions of one entity, one for each seq.
class DeletedAgain : public ::testing::Test {
 protected:
  // `seen`: the category that its maker, or the version before it, had.
  FeedEventPtr Version(bool deleted, bool existed, bool merged, const std::string& seen = "") {
    return Version(deleted, existed, merged, seen, seen);
  }
  FeedEventPtr Version(bool deleted, bool existed, bool merged, const std::string& seen,
                       const std::string& category) {
    event_store::v1::Event event;
    event.set_seq(++seq_);
    event.set_first_seq(1);
    event.set_revision(seq_);
    event.set_kind(event_store::v1::STREAM_KIND_ENTITY);
    event.mutable_stream()->set_name("note:main:a");
    event.set_tombstone(deleted);
    version::v1::VersionMeta meta;
    meta.set_existed_before(existed);
    meta.set_previous_category(seen);
    meta.set_category(category);
    meta.set_outcome(merged ? common::v1::OUTCOME_MERGED : common::v1::OUTCOME_APPLIED);
    event.set_meta(meta.SerializeAsString());
    return std::make_shared<const FeedEvent>(std::move(event));
  }
  FeedEventPtr Created() { return Version(false, false, false); }
  FeedEventPtr Changed(const std::string& from, const std::string& to) {
    return Version(false, true, false, from, to);
  }
  FeedEventPtr Deleted() { return Version(true, true, false); }
  FeedEventPtr Again(const std::string& seen = "") { return Version(true, false, true, seen); }

  // Of which only the last is told.
  static std::vector<Change> LatestOf(absl::Span<const FeedEventPtr> events,
                                      const EntityFilter& filter) {
    return LatestChanges(events.subspan(events.size() - 1), StreamEnds(events), filter, View());
  }
  static std::vector<std::string> Told(const std::vector<Change>& changes) {
    std::vector<std::string> told;
    for (const Change& change : changes) {
      const bool deletes = change.kind == sync::v1::CHANGE_KIND_DELETE;
      told.push_back(absl::StrCat(change.event->seq, deletes ? " delete" : " other"));
    }
    return told;
  }

  int64_t seq_ = 0;
  SubscriptionFilter asked_;
  const View view_;
};

TEST_F(DeletedAgain, ItComesAsADeletionOnceMore) {
  const std::vector<FeedEventPtr> events{Created(), Deleted(), Again()};
  const EntityFilter filter(asked_);
  EXPECT_THAT(Told(EveryChange(events, filter, view_)),
              ElementsAre("1 other", "2 delete", "3 delete"));
  // Who has had the first deletion already waits for his own.
  EXPECT_THAT(Told(EveryChange({&events[2], 1}, filter, view_)), ElementsAre("3 delete"));
  EXPECT_THAT(Told(LatestOf({&events[1], 2}, filter)), ElementsAre("3 delete"));
  EXPECT_THAT(Told(LatestOf({&events[2], 1}, filter)), ElementsAre("3 delete"));
}

TEST_F(DeletedAgain, WhatComesAfterItEntersAsNew) {
  const std::vector<FeedEventPtr> events{Created(), Deleted(), Again(), Created()};
  const std::vector<Change> changes = LatestOf({&events[2], 2}, EntityFilter(asked_));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, sync::v1::CHANGE_KIND_ENTER);
}

TEST_F(DeletedAgain, WhoseFilterDoesNotMatchWhatItWasMadeOnIsNotTold) {
  asked_.categories = {"mine"};
  const std::vector<FeedEventPtr> events{Again("mine"), Again("theirs")};
  EXPECT_THAT(Told(EveryChange(events, EntityFilter(asked_), view_)), ElementsAre("1 delete"));
}

TEST_F(DeletedAgain, ATombstoneThatIsNoMergeAndFollowsNothingIsNotTold) {
  const std::vector<FeedEventPtr> events{Version(true, false, false)};
  EXPECT_THAT(EveryChange(events, EntityFilter(asked_), view_), IsEmpty());
}

// A page of the store after seq 1 that holds one entity's last version, all before it left out.
class StoredLatest : public DeletedAgain {
 protected:
  std::vector<sync::v1::ChangeKind> KindsOf(const FeedEventPtr& last) {
    std::vector<sync::v1::ChangeKind> kinds;
    for (const Change& change : StoredLatestChanges({&last, 1}, EntityFilter(asked_), 1, 1)) {
      kinds.push_back(change.kind);
    }
    return kinds;
  }
};

TEST_F(StoredLatest, WhatWasOutOfViewBeforeEnters) {
  Created();
  EXPECT_THAT(KindsOf(Version(false, true, false)), ElementsAre(sync::v1::CHANGE_KIND_UPDATE));
  EXPECT_THAT(KindsOf(Created()), ElementsAre(sync::v1::CHANGE_KIND_ENTER));  // Anew.
  asked_.categories = {"mine"};
  EXPECT_THAT(KindsOf(Changed("theirs", "mine")), ElementsAre(sync::v1::CHANGE_KIND_ENTER));
  EXPECT_THAT(KindsOf(Changed("mine", "mine")), ElementsAre(sync::v1::CHANGE_KIND_UPDATE));
}

TEST_F(StoredLatest, WhatNeverWasInViewIsNotTakenAway) {
  asked_.categories = {"mine"};
  Created();
  const FeedEventPtr second = Version(true, true, false, "theirs");
  EXPECT_THAT(KindsOf(second), IsEmpty());
  // Of a later one what it was at the cursor is not known.
  EXPECT_THAT(KindsOf(Version(true, true, false, "theirs")),
              ElementsAre(sync::v1::CHANGE_KIND_DELETE));
}

TEST_F(StoredLatest, WhatWasInViewIsTakenAway) {
  asked_.categories = {"mine"};
  Created();
  EXPECT_THAT(KindsOf(Changed("mine", "theirs")), ElementsAre(sync::v1::CHANGE_KIND_LEAVE));
  seq_ = 1;
  EXPECT_THAT(KindsOf(Version(true, true, false, "mine")),
              ElementsAre(sync::v1::CHANGE_KIND_DELETE));
}

}  // namespace
}  // namespace bdcsync::gateway
