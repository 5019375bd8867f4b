// What the bus may bring a gateway, between real commits: bytes that are no message, those of
// another suite, old ones again. The input: steps, each a byte for what happens and one for how
// much of what follows is the message. Unless a message names the log's epoch, which is as good as
// the log, subscribers are told of every commit once; and whatever comes, nothing is read without
// end.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/gateway/feed/bus_live_channel.h"
#include "services/gateway/feed/fake_feed_world.h"
#include "services/gateway/feed/fake_loop.h"
#include "services/gateway/feed/fake_sink.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/feed/feed_metrics.h"
#include "services/gateway/feed/session_subscriptions.h"

namespace {

using namespace bdcsync;           // NOLINT: one program.
using namespace bdcsync::gateway;  // NOLINT

constexpr char kSpace[] = "team";
constexpr int64_t kReadsOfStepMax = 20;
enum Happens { kCommit, kFeedMessage, kLiveMessage, kTimePasses, kHappens };

void Require(bool holds) {
  if (!holds) std::abort();
}

struct Step {
  Happens happens;
  std::string message;
};

std::vector<Step> StepsIn(absl::string_view input) {
  std::vector<Step> steps;
  while (input.size() >= 2) {
    const auto happens = static_cast<Happens>(static_cast<uint8_t>(input[0]) % kHappens);
    const size_t size = static_cast<uint8_t>(input[1]);
    const bool says = happens == kFeedMessage || happens == kLiveMessage;
    input.remove_prefix(2);
    steps.push_back({happens, std::string(input.substr(0, says ? size : 0))});
    input.remove_prefix(steps.back().message.size());
  }
  return steps;
}

bool Names(const Step& step, uint64_t epoch) {
  event_store::v1::SpaceCommit commit;
  return step.happens == kFeedMessage && commit.ParseFromString(step.message) &&
         commit.epoch() == epoch;
}

class LiveEar final : public LiveSink {
 public:
  absl::string_view session_id() const override { return "s"; }
  void OnPresence(absl::string_view, SharedFrame frame) override { Require(frame != nullptr); }
  void OnBroadcast(absl::string_view, SharedFrame frame) override { Require(frame != nullptr); }
};

class World : private FakeFeedWorld {
 public:
  World() {
    auto caller = std::make_shared<Caller>();
    caller->user_id = "ada";
    caller->spaces[kSpace] = Access::kRead;
    SubscriptionSpec spec;
    spec.space = kSpace;
    subscriptions_.Subscribe(caller, "s", spec, &sink_, [](absl::StatusOr<Subscribed> subscribed) {
      Require(subscribed.ok());
    });
    live_.Join(kSpace, &ear_, nullptr);
    loop_.RunFor(absl::Milliseconds(10));
  }
  ~World() { live_.RemoveSink(&ear_); }

  void Run(const std::vector<Step>& steps) {
    sink_.parses = std::none_of(steps.begin(), steps.end(),
                                [this](const Step& step) { return Names(step, log_.epoch); });
    std::vector<std::string> committed;
    for (const Step& step : steps) {
      if (step.happens == kCommit) {
        const int64_t seq = log_.Commit(kSpace, absl::StrCat("e", committed.size()), "1");
        committed.push_back(absl::StrCat(seq, " enter e", committed.size()));
      } else if (step.happens == kTimePasses) {
        loop_.RunFor(absl::Milliseconds(1));
      } else {
        bus_.Publish(
            step.happens == kFeedMessage ? SpaceChannel(kSpace) : absl::StrCat("bdc:live:", kSpace),
            step.message);
      }
    }
    loop_.RunFor(absl::Seconds(3));
    Require(log_.space_reads <= kReadsOfStepMax * static_cast<int64_t>(steps.size() + 1));
    if (sink_.parses) Require(sink_.Told() == committed);
  }

 private:
  LiveMetrics live_metrics_{registry_};
  FakeSink sink_;
  LiveEar ear_;
  FeedEngine engine_{Dependencies(), FeedLimits()};
  SessionSubscriptions subscriptions_{engine_, loop_, FeedLimits().sink_queued_bytes_max};
  BusLiveChannel live_{loop_, bus_, clock_, random_, live_metrics_, LiveLimits()};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  World().Run(StepsIn({reinterpret_cast<const char*>(data), size}));
  return 0;
}
