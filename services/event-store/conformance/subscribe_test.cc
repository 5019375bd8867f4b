// Subscriptions over the wire, and what followers and the bus are told of commits.

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/app/app.h"
#include "libs/bus/open.h"
#include "libs/rpc/status.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/event-store/append_answers.h"
#include "services/event-store/commit_feed.h"
#include "services/event-store/conformance/test_store.h"
#include "services/event-store/module.h"
#include "services/event-store/storage/sqlite_event_storage.h"

namespace bdcsync::event_store {
namespace {

using bdcsync::testing::StatusIs;
using ::testing::ElementsAre;

constexpr absl::Duration kPatience = absl::Seconds(30);

class SubscribeTest : public ::testing::Test {
 protected:
  // One open Subscribe call.
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderInterface<v1::SubscribeResponse>> reader;
    bool caught_up = false;

    // Reads until `count` events are there; their seqs.
    std::vector<int64_t> Read(std::size_t count) {
      std::vector<int64_t> seqs;
      v1::SubscribeResponse message;
      while (seqs.size() < count && reader->Read(&message)) {
        for (const v1::Event& event : message.events()) seqs.push_back(event.seq());
        caught_up = caught_up || message.caught_up();
      }
      return seqs;
    }
    absl::Status End() {
      v1::SubscribeResponse message;
      while (reader->Read(&message)) {
      }
      return rpc::FromGrpc(reader->Finish());
    }
  };

  void SetUp() override {
    app::Modules modules = app::MakeModules(MakeModule());
    ASSERT_OK_AND_ASSIGN(config::Values values, app::TestValues(modules, dir_.path()));
    ASSERT_OK_AND_ASSIGN(app_, app::App::Start(std::move(modules), std::move(values)));
    stub_ = v1::EventStoreService::NewStub(app_->channel());
  }

  v1::Appended Append(const std::string& space, int count) {
    v1::AppendRequest request;
    for (int i = 0; i < count; ++i) *request.add_items() = ItemFor(space, "a", "x");
    grpc::ClientContext context;
    v1::AppendResponse response;
    EXPECT_OK(rpc::FromGrpc(stub_->Append(&context, request, &response)));
    return response.results(count - 1).appended();
  }
  std::unique_ptr<Stream> Subscribe(const v1::SubscribeRequest& request) {
    auto stream = std::make_unique<Stream>();
    stream->context.set_deadline(absl::ToChronoTime(clock_.Now() + kPatience));
    stream->reader = stub_->Subscribe(&stream->context, request);
    return stream;
  }
  static v1::SubscribeRequest After(const std::string& space, int64_t seq) {
    v1::SubscribeRequest request;
    request.set_space(space);
    request.set_after(seq);
    return request;
  }

  const SystemClock clock_;
  bdcsync::testing::TempDir dir_;
  std::unique_ptr<app::App> app_;
  std::unique_ptr<v1::EventStoreService::StubInterface> stub_;
};

TEST_F(SubscribeTest, CatchesUpAndGoesOnLive) {
  Append("s", 3);
  const auto stream = Subscribe(After("s", 1));
  EXPECT_THAT(stream->Read(2), ElementsAre(2, 3));
  EXPECT_TRUE(stream->caught_up);
  Append("s", 2);
  EXPECT_THAT(stream->Read(2), ElementsAre(4, 5));
  Append("s", 1);
  EXPECT_THAT(stream->Read(1), ElementsAre(6));
}

TEST_F(SubscribeTest, ManyPagesArriveInOrderAndWhole) {
  constexpr int kEvents = 1203;
  Append("s", kEvents);
  const auto stream = Subscribe(After("s", 0));
  const std::vector<int64_t> seqs = stream->Read(kEvents);
  ASSERT_EQ(seqs.size(), static_cast<std::size_t>(kEvents));
  for (int i = 0; i < kEvents; ++i) ASSERT_EQ(seqs[static_cast<std::size_t>(i)], i + 1);
}

TEST_F(SubscribeTest, AnEmptySpaceIsCaughtUpAtOnce) {
  const auto stream = Subscribe(After("none", 0));
  v1::SubscribeResponse message;
  ASSERT_TRUE(stream->reader->Read(&message));
  EXPECT_TRUE(message.caught_up());
  EXPECT_EQ(message.events_size(), 0);
  EXPECT_NE(message.epoch(), 0u);
}

TEST_F(SubscribeTest, ALogIsFollowedByPosition) {
  const v1::Appended appended = Append("s", 2);
  v1::SubscribeRequest request;
  request.set_log_id(appended.log_id());
  request.set_after(1);
  const auto stream = Subscribe(request);
  EXPECT_THAT(stream->Read(1), ElementsAre(2));
  Append("s", 1);
  EXPECT_THAT(stream->Read(1), ElementsAre(3));
}

TEST_F(SubscribeTest, AnotherHistoryIsRefused) {
  const v1::Appended appended = Append("s", 1);
  v1::SubscribeRequest request = After("s", 0);
  request.set_epoch(appended.epoch() + 1);
  EXPECT_THAT(Subscribe(request)->End(), StatusIs(absl::StatusCode::kFailedPrecondition));
  request.set_epoch(appended.epoch());
  request.set_after(2);
  EXPECT_THAT(Subscribe(request)->End(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SubscribeTest, WhatCannotBeFollowedIsRefused) {
  EXPECT_THAT(Subscribe(v1::SubscribeRequest())->End(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Subscribe(After("s", -1))->End(), StatusIs(absl::StatusCode::kInvalidArgument));
  v1::SubscribeRequest request;
  request.set_log_id(64);
  EXPECT_THAT(Subscribe(request)->End(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SubscribeTest, ADrainEndsSubscriptionsSoThatTheyGoOnElsewhere) {
  Append("s", 1);
  const auto stream = Subscribe(After("s", 0));
  EXPECT_THAT(stream->Read(1), ElementsAre(1));
  app_->Drain(clock_.Now() + kPatience);
  EXPECT_THAT(stream->End(), StatusIs(absl::StatusCode::kUnavailable));
}

class CommitFeedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(bus_, bus::OpenBus("memory:", bus::BusOptions()));
    ASSERT_OK_AND_ASSIGN(
        storage_, OpenSqliteEventStorage(sql::kSqliteMemory, EventStorageOptions(), random_));
    feed_ = std::make_unique<CommitFeed>(*storage_, *bus_);
    store_ = std::make_unique<TestStore>(*storage_, clock_, *feed_, 1, 64);
  }
  void Append(TestStore& store, const std::string& data, int count) {
    v1::AppendRequest request;
    for (int i = 0; i < count; ++i) *request.add_items() = ItemFor("s", "a", data);
    ASSERT_OK(store.store().AppendAndWait(request));
  }

  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<bus::Bus> bus_;
  std::unique_ptr<EventStorage> storage_;
  std::unique_ptr<CommitFeed> feed_;
  std::unique_ptr<TestStore> store_;
};

TEST_F(CommitFeedTest, TheBusIsToldOfEveryCommitWithItsEvents) {
  absl::Mutex mutex;
  std::vector<v1::SpaceCommit> commits;
  absl::Notification active;
  const auto subscription = bus_->Subscribe(
      ChannelOfSpace("s"),
      [&](absl::string_view payload) {
        absl::MutexLock lock(&mutex);
        return commits.emplace_back().ParseFromString(std::string(payload));
      },
      [&] {
        if (!active.HasBeenNotified()) active.Notify();
      });
  active.WaitForNotification();
  Append(*store_, "data", 2);
  Append(*store_, std::string(kCommitEventBytesMax, 'x'), 1);
  Append(*store_, std::string(kCommitEventBytesMax + 1, 'x'), 1);
  absl::MutexLock lock(&mutex);
  const auto all = [&] { return commits.size() == 3; };
  ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&all), kPatience));
  EXPECT_EQ(commits[0].space(), "s");
  EXPECT_EQ(commits[0].first_seq(), 1);
  EXPECT_EQ(commits[0].last_seq(), 2);
  ASSERT_EQ(commits[0].events_size(), 2);
  EXPECT_EQ(commits[0].events(1).data(), "data");
  EXPECT_EQ(commits[0].events(1).seq(), 2);
  EXPECT_EQ(commits[1].events_size(), 1);
  EXPECT_EQ(commits[2].events_size(), 0) << "too large to send";
  EXPECT_EQ(commits[2].last_seq(), 4);
}

TEST_F(CommitFeedTest, AHeadCheckWakesOnlyThoseWhoAreBehind) {
  IgnoringSink silent;  // Another replica, whose hint was lost.
  TestStore other(*storage_, clock_, silent, 1, 64);
  std::atomic<int> woken{0};
  const FeedScope scope{store_->store().LogOf("s"), ""};
  const auto listener = feed_->Listen(scope, [&] { ++woken; });
  ASSERT_OK(feed_->CheckHeads());
  EXPECT_EQ(woken, 0);
  Append(other, "x", 3);
  ASSERT_OK(feed_->CheckHeads());
  EXPECT_EQ(woken, 1);
  listener->Reached(3);
  ASSERT_OK(feed_->CheckHeads());
  EXPECT_EQ(woken, 1);
  listener->Reached(4);
  std::atomic<int> woken_of_space{0};
  const auto of_space = feed_->Listen({scope.log_id, "s"}, [&] { ++woken_of_space; });
  while (woken_of_space == 0) std::this_thread::yield();  // The bus lets messages in.
  of_space->Reached(4);
  ASSERT_OK(feed_->CheckHeads());
  EXPECT_EQ(woken, 2) << "history was lost";
  EXPECT_EQ(woken_of_space, 2) << "history was lost";
}

TEST_F(CommitFeedTest, ACommitWakesThoseWhoFollowItsLog) {
  std::atomic<int> woken{0};
  const auto listener = feed_->Listen({store_->store().LogOf("s"), ""}, [&] { ++woken; });
  Append(*store_, "x", 1);
  const absl::Time end = clock_.Now() + kPatience;
  while (woken == 0 && clock_.Now() < end) std::this_thread::yield();
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace bdcsync::event_store
