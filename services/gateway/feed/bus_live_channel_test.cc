#include "services/gateway/feed/bus_live_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/feed/fake_feed_world.h"
#include "services/gateway/feed/fake_loop.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FakeLiveSink final : public LiveSink {
 public:
  explicit FakeLiveSink(std::string session) : session_(std::move(session)) {}
  absl::string_view session_id() const override { return session_; }
  void OnPresence(absl::string_view key, SharedFrame frame) override {
    keys.emplace_back(key);
    presences.emplace_back(PayloadOf(*frame));
  }
  void OnBroadcast(absl::string_view, SharedFrame frame) override {
    broadcasts.emplace_back(PayloadOf(*frame));
  }

  std::vector<std::string> keys, presences, broadcasts;

 private:
  const std::string session_;
};

// Two gateways on one bus.
class LiveChannelTest : public ::testing::Test {
 protected:
  static Caller CallerOf(const std::string& user, const std::string& session) {
    Caller caller;
    caller.user_id = user;
    caller.device_id = user + "'s phone";
    caller.session_id = session;
    return caller;
  }
  void Settle() { loop_.RunFor(absl::Milliseconds(200)); }

  ManualClock clock_{absl::UnixEpoch()};
  FakeLoop loop_{clock_};
  SeededRandom random_{1};
  FakeBus bus_{loop_, random_};
  metrics::Registry registry_;
  LiveMetrics metrics_{registry_};
  BusLiveChannel here_{loop_, bus_, clock_, random_, metrics_, {}};
  std::unique_ptr<BusLiveChannel> there_ =
      std::make_unique<BusLiveChannel>(loop_, bus_, clock_, random_, metrics_, LiveLimits());
  const Caller ada_ = CallerOf("ada", "s1");
  const Caller eve_ = CallerOf("eve", "s2");
  FakeLiveSink ada_sink_{"s1"};
  FakeLiveSink eve_sink_{"s2"};
};

TEST_F(LiveChannelTest, ABroadcastReachesTheOthersEverywhereButNotItsSender) {
  here_.Join("team", &ada_sink_, nullptr);
  there_->Join("team", &eve_sink_, nullptr);
  here_.PublishBroadcast(ada_, "team", "cursor", "{\"x\":1}");
  Settle();
  EXPECT_THAT(ada_sink_.broadcasts, IsEmpty());
  EXPECT_THAT(eve_sink_.broadcasts, ElementsAre(HasSubstr("\"payload\":{\"x\":1}")));
}

TEST_F(LiveChannelTest, WhoIsReadyHearsWhateverIsBroadcastFromThenOn) {
  bus_.lets_in = false;
  int ready = 0;
  const auto count = [&ready] { ++ready; };
  here_.Join("team", &ada_sink_, count);
  FakeLiveSink second("s3");
  here_.Join("team", &second, count);
  Settle();
  EXPECT_EQ(ready, 0);
  bus_.TellGap();
  loop_.RunPosted();
  EXPECT_EQ(ready, 2);
  there_->PublishBroadcast(eve_, "team", "t", "1");
  Settle();
  EXPECT_THAT(ada_sink_.broadcasts, SizeIs(1));
  here_.Join("team", &second, count);
  EXPECT_EQ(ready, 3) << "at once, now that they flow";
  loop_.RunFor(absl::Minutes(1));
  EXPECT_EQ(ready, 3);
  EXPECT_EQ(metrics_.ready_unconfirmed.value(), 0);
}

TEST_F(LiveChannelTest, NobodyWaitsLongForABusThatLetsNothingIn) {
  bus_.lets_in = false;
  int ready = 0;
  const auto count = [&ready] { ++ready; };
  here_.Join("team", &ada_sink_, count);
  loop_.RunFor(LiveLimits().ready_wait_max);
  EXPECT_EQ(ready, 1);
  bus_.TellGap();
  loop_.RunPosted();
  EXPECT_EQ(ready, 1);
  bus_.health = absl::UnavailableError("away");
  here_.Join("another", &ada_sink_, count);
  EXPECT_EQ(ready, 2) << "at once: the bus is known to be away";
  EXPECT_EQ(metrics_.ready_unconfirmed.value(), 2);
}

TEST_F(LiveChannelTest, WhoLeavesWhileWaitingIsToldOnceAndACloseWhileWaitingTellsNobody) {
  bus_.lets_in = false;
  int ready = 0;
  const auto count = [&ready] { ++ready; };
  here_.Join("team", &ada_sink_, count);
  here_.Leave("team", &ada_sink_);
  loop_.RunFor(absl::Minutes(1));
  EXPECT_EQ(ready, 1);
  there_->Join("team", &eve_sink_, count);
  there_.reset();
  loop_.RunFor(absl::Minutes(1));
  EXPECT_EQ(ready, 1);
}

TEST_F(LiveChannelTest, PresenceReachesEverybodyOnceAndNewcomersToo) {
  here_.Join("team", &ada_sink_, nullptr);
  here_.PublishPresence(ada_, "team", "{\"busy\":true}");
  Settle();
  EXPECT_THAT(ada_sink_.presences, ElementsAre(HasSubstr("\"busy\":true")));
  there_->Join("team", &eve_sink_, nullptr);  // Nobody there knew of it: they ask.
  Settle();
  EXPECT_THAT(eve_sink_.presences, ElementsAre(HasSubstr("\"busy\":true")));
  FakeLiveSink late("s3");
  there_->Join("team", &late, nullptr);
  EXPECT_THAT(late.presences, SizeIs(1));
  loop_.RunFor(absl::Minutes(5));  // Repetitions are not told again.
  EXPECT_THAT(ada_sink_.presences, SizeIs(1));
}

TEST_F(LiveChannelTest, PresenceEndsWithItsSessionUnlessANewerOneHasBegun) {
  here_.Join("team", &ada_sink_, nullptr);
  here_.PublishPresence(ada_, "team", "1");
  const Caller newer = CallerOf("ada", "s9");
  there_->PublishPresence(newer, "team", "2");
  here_.PublishPresence(ada_, "team", "null");
  Settle();
  EXPECT_THAT(ada_sink_.presences, ElementsAre(HasSubstr("\"state\":1"), HasSubstr("\"state\":2")));
  there_->PublishPresence(newer, "team", "null");
  Settle();
  EXPECT_THAT(ada_sink_.presences.back(), HasSubstr("\"state\":null"));
  EXPECT_EQ(ada_sink_.keys.front(), ada_sink_.keys.back());
}

TEST_F(LiveChannelTest, WhenAGatewayIsGoneItsPresencesEnd) {
  here_.Join("team", &ada_sink_, nullptr);
  there_->PublishPresence(eve_, "team", "1");
  Settle();
  there_.reset();
  loop_.RunFor(absl::Minutes(2));
  EXPECT_THAT(ada_sink_.presences, ElementsAre(HasSubstr("1"), HasSubstr("null")));
}

TEST_F(LiveChannelTest, AfterLeavingNothingArrives) {
  here_.Join("team", &ada_sink_, nullptr);
  here_.Leave("team", &ada_sink_);
  there_->PublishBroadcast(eve_, "team", "t", "1");
  here_.Join("team", &ada_sink_, nullptr);
  here_.RemoveSink(&ada_sink_);
  there_->PublishBroadcast(eve_, "team", "t", "1");
  Settle();
  EXPECT_THAT(ada_sink_.broadcasts, IsEmpty());
}

TEST_F(LiveChannelTest, ASpaceHoldsNoMorePresencesThanItsLimit) {
  BusLiveChannel small(loop_, bus_, clock_, random_, metrics_, {.presences_per_space_max = 2});
  small.Join("team", &ada_sink_, nullptr);
  for (const char* user : {"a", "b", "c"}) {
    there_->PublishPresence(CallerOf(user, user), "team", "1");
  }
  Settle();
  EXPECT_THAT(ada_sink_.presences, SizeIs(2));
  EXPECT_GE(metrics_.presences_refused.value(), 1);
}

FeedEventPtr TextEvent(int64_t revision) {
  event_store::v1::Event event;
  event.set_kind(event_store::v1::STREAM_KIND_ENTITY);
  event.mutable_stream()->set_name("note:main:n");
  event.set_seq(revision);
  event.set_revision(revision);
  event.set_event_id(7);
  version::v1::VersionMeta meta;
  meta.set_text(R"({"path":"/t","ops":[{"insert":"xyz"}]})");
  event.set_meta(meta.SerializeAsString());
  return std::make_shared<FeedEvent>(std::move(event));
}

TEST_F(LiveChannelTest, NewcomersGetSelectionsAsTheyAreByNow) {
  here_.Join("team", &ada_sink_, nullptr);
  here_.PublishPresence(ada_, "team",
                        R"({"selection":{"entity_type":"note","entity_id":"n","path":"/t",)"
                        R"("version_id":"1-0000000000000007","anchor":1,"head":1}})");
  Settle();
  EXPECT_THAT(ada_sink_.presences, ElementsAre(HasSubstr("\"anchor\":1")));
  const std::vector<FeedEventPtr> events = {TextEvent(1), TextEvent(2), TextEvent(3)};
  here_.OnEvents("team", events);
  FakeLiveSink late("s3");
  here_.Join("team", &late, nullptr);
  EXPECT_THAT(late.presences, ElementsAre(HasSubstr("\"anchor\":7,\"head\":7")));
  there_->Join("team", &eve_sink_,
               nullptr);  // They ask, and are told as it is where its session is.
  Settle();
  EXPECT_THAT(eve_sink_.presences, ElementsAre(HasSubstr("\"anchor\":7,\"head\":7")));
  loop_.RunFor(absl::Minutes(5));
  EXPECT_THAT(ada_sink_.presences, SizeIs(1)) << "a repetition that has moved is no news";
}

TEST_F(LiveChannelTest, AStateThatCameLateIsMovedOverWhatIsKnown) {
  EventRing ring(100, 1 << 20);
  ring.Reset(0);
  for (int64_t revision = 1; revision <= 3; ++revision) ring.Append(TextEvent(revision));
  there_->SetRecent([&ring](absl::string_view) { return &ring; });
  there_->Join("team", &eve_sink_, nullptr);
  here_.PublishPresence(ada_, "team",
                        R"({"selection":{"entity_type":"note","entity_id":"n","path":"/t",)"
                        R"("version_id":"2-0000000000000007","anchor":0,"head":5}})");
  Settle();
  EXPECT_THAT(eve_sink_.presences, ElementsAre(HasSubstr("\"anchor\":0,\"head\":8")));
}

}  // namespace
}  // namespace bdcsync::gateway
