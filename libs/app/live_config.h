// The configuration of a process while it runs: what file, environment and flags say, and on top of
// it the changes of operators, which all processes of the suite share through the bus until the
// last of them ends. Of two changes to one key the later one holds, everywhere and in whatever
// order they arrive; a process that comes later, or missed something, asks the others. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/clock.h"
#include "libs/bus/bus.h"
#include "libs/config/schema.h"
#include "libs/config/values.h"
#include "libs/log/logger.h"

namespace bdcsync::app {

// Where processes tell each other of changes.
inline constexpr absl::string_view kConfigChannel = "bdcsync.config.v1";
// A message from the bus that is larger is not one of ours.
inline constexpr size_t kConfigMessageBytesMax = 256 << 10;

class LiveConfig {
 public:
  // Key and value as text, as a file would have it.
  using Changes = std::map<std::string, std::string>;
  // Takes the values that hold now into use; one call at a time, on any thread, quick.
  using Apply = std::function<void(const config::Values&)>;

  // `clock` is borrowed.
  LiveConfig(config::Schema schema, config::Values loaded, const Clock& clock,
             const log::Logger& logger, Apply apply);
  ~LiveConfig();

  // Shares changes over `bus` (borrowed) from now on, until Leave.
  void Join(bus::Bus& bus);
  void Leave();

  // What SetLoaded would do, for who wants to look at it first.
  config::Reload Compare(const config::Values& loaded);
  // The sources were read again: applies the keys that can change and tells of the others.
  config::Reload SetLoaded(const config::Values& loaded);
  // Changes keys here and in all other processes; an empty text takes a change back. Returns all
  // changes that hold now. Values of keys of other services are checked by those alone.
  //   kInvalidArgument  an unknown key, one that cannot change at run time, a secret, or a value
  //                     that is not allowed; nothing was changed.
  absl::StatusOr<Changes> Change(const Changes& changes);

 private:
  struct Entry {
    std::string text;   // Empty: taken back.
    int64_t at_us = 0;  // By the clock of who changed it.

    friend bool operator<(const Entry& a, const Entry& b) {
      return std::tie(a.at_us, a.text) < std::tie(b.at_us, b.text);
    }
  };
  using Entries = std::map<std::string, Entry>;

  bool OnMessage(absl::string_view payload);
  // True when something changed.
  bool Merge(const Entries& entries);
  // Puts `current_` together again and takes it into use.
  void Update();
  config::Values Overlaid() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Publish(bool ask);

  const config::Schema schema_;
  const Clock& clock_;
  const log::Logger logger_;
  const Apply apply_;
  absl::Mutex mutex_;
  config::Values loaded_ ABSL_GUARDED_BY(mutex_);
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  bool applying_ ABSL_GUARDED_BY(mutex_) = false;
  bool outdated_ ABSL_GUARDED_BY(mutex_) = false;  // Something changed while it was applied.
  bus::Bus* bus_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::unique_ptr<bus::Subscription> subscription_;  // Null unless joined.
};

}  // namespace bdcsync::app
