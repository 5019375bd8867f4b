// One connection to a Redis server, used by one thread: commands are gathered and written at once,
// answers are read as they come. Every error ends the connection: destroy it and open another.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/bus/redis_url.h"
#include "libs/bus/wake_event.h"

struct redisContext;

namespace bdcsync::bus {

enum class PushKind { kMessage, kSubscribed, kUnsubscribed, kPong };

class RedisConnection {
 public:
  enum class Event { kReadable, kWoken, kTimeout };
  // `channel` and `payload` are empty where the kind has none; valid during the call.
  using PushCallback =
      std::function<void(PushKind kind, absl::string_view channel, absl::string_view payload)>;

  // Connects, authenticates and hears one answer. UNAVAILABLE with the reason otherwise.
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Open(const RedisAddress& address,
                                                               absl::Duration connect_timeout,
                                                               absl::Duration answer_timeout);
  ~RedisConnection();

  // Adds a command to what the next Flush writes.
  void Append(const std::vector<absl::string_view>& words);
  absl::Status Flush();

  // Waits for something to read, for `wake`, or for `timeout`.
  Event Wait(const WakeEvent& wake, absl::Duration timeout) const;
  // After kReadable: reads once and counts the answers to commands in `answers`, of which `refused`
  // were errors; the last of these is kept in last_refusal().
  absl::Status ReadAnswers(std::size_t& answers, std::size_t& refused);
  // After kReadable: reads once and hands out what the server pushed.
  absl::Status ReadPushes(const PushCallback& on_push);
  const absl::Status& last_refusal() const { return last_refusal_; }

 private:
  RedisConnection(RedisAddress address, redisContext* context);
  absl::Status Greet(absl::Duration answer_timeout);
  absl::Status Command(const std::vector<absl::string_view>& words);
  absl::Status Fault(absl::string_view while_doing) const;

  const RedisAddress address_;
  redisContext* const context_;
  absl::Status last_refusal_;
};

}  // namespace bdcsync::bus
