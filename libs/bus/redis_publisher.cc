#include "libs/bus/redis_publisher.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/bus/redis_connection.h"

namespace bdcsync::bus {

RedisPublisher::RedisPublisher(RedisAddress address, const BusOptions& options, Random& random)
    : address_(std::move(address)),
      options_(options),
      random_(random),
      queue_(options.queued_messages_max, options.queued_bytes_max),
      state_(options),
      thread_([this] { Run(); }) {}

RedisPublisher::~RedisPublisher() {
  queue_.Stop();
  stop_.Set();
  thread_.join();
}

void RedisPublisher::Push(absl::string_view channel, std::string payload) {
  queue_.Push(channel, std::move(payload));
}

void RedisPublisher::Run() {
  BlockSigpipe();
  Backoff backoff(options_.backoff_min, options_.backoff_max, random_);
  std::vector<OutgoingMessage> batch;
  while (true) {
    const absl::Status ended = Serve(batch, backoff);
    if (ended.ok()) return;
    state_.Set(ended);
    if (!queue_.Pause(backoff.Next())) return;
  }
}

absl::Status RedisPublisher::Serve(std::vector<OutgoingMessage>& batch, Backoff& backoff) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<RedisConnection> connection,
      RedisConnection::Open(address_, options_.connect_timeout, options_.answer_timeout));
  state_.SetConnected();
  if (!batch.empty()) {
    absl::MutexLock lock(&mutex_);
    stats_.publish_repeated += batch.size();
  }
  while (true) {
    const absl::Duration started = clock_.Monotonic();
    RETURN_IF_ERROR(Send(*connection, batch));
    backoff.Reset();  // Not before: what it is sent may be why a server closes each connection.
    // With nothing to send for long, an empty batch makes Send ask whether the server lives.
    if (!queue_.Await(options_.answer_timeout)) return absl::OkStatus();
    // Only once there is a message: most of the time the interval is over by then.
    const absl::Duration rest = options_.write_interval_min - (clock_.Monotonic() - started);
    if (rest > absl::ZeroDuration() && !queue_.Pause(rest)) return absl::OkStatus();
    if (!queue_.Take(options_.batch_messages_max, options_.batch_bytes_max, absl::ZeroDuration(),
                     batch)) {
      return absl::OkStatus();
    }
  }
}

absl::Status RedisPublisher::Send(RedisConnection& connection,
                                  const std::vector<OutgoingMessage>& batch) {
  uint64_t bytes = 0;
  for (const OutgoingMessage& message : batch) {
    connection.Append({"PUBLISH", message.channel, message.payload});
    bytes += message.payload.size();
  }
  if (batch.empty()) connection.Append({"PING"});
  RETURN_IF_ERROR(connection.Flush());
  std::size_t missing = batch.empty() ? 1 : batch.size();
  std::size_t refused = 0;
  while (missing > 0) {
    switch (connection.Wait(stop_, options_.answer_timeout)) {
      case RedisConnection::Event::kWoken:
        return absl::OkStatus();  // Stopping: the caller sees it at the queue.
      case RedisConnection::Event::kTimeout:
        return absl::UnavailableError(absl::StrCat(address_.Name(), ": no answer"));
      case RedisConnection::Event::kReadable:
        break;
    }
    std::size_t answers = 0;
    std::size_t errors = 0;
    RETURN_IF_ERROR(connection.ReadAnswers(answers, errors));
    missing -= std::min(missing, answers);
    refused += errors;
  }
  state_.Set(refused == 0 ? absl::OkStatus() : connection.last_refusal());
  absl::MutexLock lock(&mutex_);
  stats_.published += batch.size() - std::min(batch.size(), refused);
  stats_.publish_failed += refused;
  stats_.published_bytes += bytes;
  stats_.writes += batch.empty() ? 0 : 1;
  return absl::OkStatus();
}

void RedisPublisher::AddStats(BusStats& stats) const {
  stats.publish_dropped += queue_.dropped();
  stats.queued += queue_.size();
  stats.reconnects += state_.reconnects();
  absl::MutexLock lock(&mutex_);
  stats.published += stats_.published;
  stats.published_bytes += stats_.published_bytes;
  stats.publish_failed += stats_.publish_failed;
  stats.publish_repeated += stats_.publish_repeated;
  stats.writes += stats_.writes;
}

}  // namespace bdcsync::bus
