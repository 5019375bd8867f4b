#include "libs/bus/redis_subscriber.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace bdcsync::bus {
namespace {

// Channels named by one SUBSCRIBE or UNSUBSCRIBE.
constexpr std::size_t kChannelsPerCommandMax = 512;

void AppendInChunks(RedisConnection& connection, absl::string_view command,
                    const std::vector<absl::string_view>& channels) {
  for (std::size_t first = 0; first < channels.size(); first += kChannelsPerCommandMax) {
    const std::size_t last = std::min(first + kChannelsPerCommandMax, channels.size());
    std::vector<absl::string_view> words = {command};
    words.insert(words.end(), channels.begin() + static_cast<std::ptrdiff_t>(first),
                 channels.begin() + static_cast<std::ptrdiff_t>(last));
    connection.Append(words);
  }
}

}  // namespace

class RedisSubscriber::Handle final : public Subscription {
 public:
  Handle(RedisSubscriber& owner, Subscribers::Entry entry)
      : owner_(owner), entry_(std::move(entry)) {}
  ~Handle() override {
    owner_.subscribers_.Remove(entry_);
    if (!owner_.subscribers_.Has(entry_->channel)) owner_.NoteChange(entry_->channel);
  }

 private:
  RedisSubscriber& owner_;
  const Subscribers::Entry entry_;
};

RedisSubscriber::RedisSubscriber(RedisAddress address, const BusOptions& options, Random& random)
    : address_(std::move(address)),
      options_(options),
      random_(random),
      state_(options),
      thread_([this] { Run(); }) {}

RedisSubscriber::~RedisSubscriber() {
  stop_.Stop();
  wake_.Set();
  thread_.join();
}

std::unique_ptr<Subscription> RedisSubscriber::Subscribe(absl::string_view channel,
                                                         MessageCallback on_message,
                                                         GapCallback on_gap) {
  auto entry = subscribers_.Add(channel, std::move(on_message), std::move(on_gap));
  NoteChange(channel);
  return std::make_unique<Handle>(*this, std::move(entry));
}

void RedisSubscriber::NoteChange(absl::string_view channel) {
  {
    absl::MutexLock lock(&mutex_);
    changed_.emplace_back(channel);
    if (changed_.size() > 1) return;  // The thread has been woken and has not looked yet.
  }
  wake_.Set();
}

std::vector<std::string> RedisSubscriber::TakeChanges() {
  wake_.Clear();
  absl::MutexLock lock(&mutex_);
  return std::exchange(changed_, {});
}

void RedisSubscriber::Run() {
  BlockSigpipe();
  Backoff backoff(options_.backoff_min, options_.backoff_max, random_);
  while (!stop_.stopped()) {
    const absl::Status ended = Serve(backoff);
    if (ended.ok()) return;
    subscribers_.SuspendAll();
    state_.Set(ended);
    stop_.WaitFor(backoff.Next());
  }
}

absl::Status RedisSubscriber::Serve(Backoff& backoff) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<RedisConnection> connection,
      RedisConnection::Open(address_, options_.connect_timeout, options_.answer_timeout));
  channels_.clear();
  TakeChanges();  // All channels follow.
  RETURN_IF_ERROR(Align(*connection, subscribers_.Channels()));
  connection->Append({"PING"});
  RETURN_IF_ERROR(connection->Flush());
  return Listen(*connection, backoff);
}

absl::Status RedisSubscriber::Listen(RedisConnection& connection, Backoff& backoff) {
  bool works = false;
  const RedisConnection::PushCallback on_push = [&](PushKind kind, absl::string_view channel,
                                                    absl::string_view payload) {
    // The answer to the PING follows those to the channels: none of them was refused.
    if (kind == PushKind::kPong && !std::exchange(works, true)) {
      state_.SetConnected();
      backoff.Reset();
    }
    OnPush(kind, channel, payload);
  };
  bool asked = false;  // Whether a PING is out since the last sign of life.
  while (true) {
    // After TakeChanges, which may have taken the wake-up that the end gave.
    if (stop_.stopped()) return absl::OkStatus();
    switch (connection.Wait(wake_, options_.answer_timeout)) {
      case RedisConnection::Event::kWoken:
        RETURN_IF_ERROR(Align(connection, TakeChanges()));
        break;
      case RedisConnection::Event::kReadable:
        RETURN_IF_ERROR(connection.ReadPushes(on_push));
        asked = false;
        break;
      case RedisConnection::Event::kTimeout:
        if (asked) return absl::UnavailableError(absl::StrCat(address_.Name(), ": no answer"));
        connection.Append({"PING"});
        RETURN_IF_ERROR(connection.Flush());
        asked = true;
        break;
    }
  }
}

absl::Status RedisSubscriber::Align(RedisConnection& connection,
                                    std::vector<std::string> channels) {
  std::sort(channels.begin(), channels.end());
  channels.erase(std::unique(channels.begin(), channels.end()), channels.end());
  std::vector<absl::string_view> subscribe;
  std::vector<absl::string_view> unsubscribe;
  for (const std::string& name : channels) {
    const bool wanted = subscribers_.Has(name);
    const auto found = channels_.find(name);
    const bool subscribed = found != channels_.end() && found->second.subscribed;
    if (wanted == subscribed) {
      // A further subscriber of a channel that flows already.
      if (wanted && found->second.unconfirmed == 0) subscribers_.Activate(name);
      continue;
    }
    (wanted ? subscribe : unsubscribe).push_back(name);
    Channel& channel = channels_[name];
    channel.subscribed = wanted;
    ++channel.unconfirmed;
  }
  AppendInChunks(connection, "SUBSCRIBE", subscribe);
  AppendInChunks(connection, "UNSUBSCRIBE", unsubscribe);
  return connection.Flush();
}

void RedisSubscriber::OnPush(PushKind kind, absl::string_view channel, absl::string_view payload) {
  if (kind == PushKind::kMessage) {
    subscribers_.Deliver(channel, payload);
    return;
  }
  const auto found = channels_.find(channel);
  if (kind == PushKind::kPong || found == channels_.end()) return;
  if (--found->second.unconfirmed > 0) return;
  if (found->second.subscribed) {
    subscribers_.Activate(channel);
  } else {
    channels_.erase(found);
  }
}

void RedisSubscriber::AddStats(BusStats& stats) const {
  subscribers_.AddStats(stats);
  stats.reconnects += state_.reconnects();
}

}  // namespace bdcsync::bus
