// Structured logging: one line per record on standard error, as JSON or as text for people. A
// record below the level costs one atomic read. Writing happens on a thread of its own with a
// bounded queue: when it is full the oldest records are dropped and their number is logged.
// Thread-safe. Never log users' data, tokens or secrets.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "libs/base/clock.h"

namespace bdcsync::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };

// "debug", "info", "warn", "error", "off".
absl::string_view LevelName(Level level);
std::optional<Level> LevelFromName(absl::string_view name);

// One named value of a record; borrows its texts, so write it in the call: {"space", space}.
struct Field {
  using FieldValue = std::variant<absl::string_view, int64_t, double, bool>;

  template <typename T>
  Field(absl::string_view field_name, const T& field_value)  // NOLINT: implicit in a braced list.
      : name(field_name), value(Convert(field_value)) {}

  absl::string_view name;
  FieldValue value;

 private:
  template <typename T>
  static FieldValue Convert(const T& from) {
    if constexpr (std::is_same_v<T, bool>) {
      return FieldValue(std::in_place_type<bool>, from);
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      return FieldValue(std::in_place_type<int64_t>, static_cast<int64_t>(from));
    } else if constexpr (std::is_floating_point_v<T>) {
      return FieldValue(std::in_place_type<double>, static_cast<double>(from));
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      return FieldValue(std::in_place_type<absl::string_view>, from.data(), from.size());
    } else {
      return FieldValue(std::in_place_type<absl::string_view>, from);
    }
  }
};

// What a sink gets. Borrowed for the duration of the call.
struct Record {
  absl::Time time;
  Level level;
  absl::string_view service;
  absl::string_view message;
  absl::Span<const Field> context;  // Of the logger, from With().
  absl::Span<const Field> fields;   // Of the call.
};

// Where records go. Write is called by many threads at once.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void Write(const Record& record) = 0;
  // Returns when everything written so far has left the process.
  virtual void Flush() {}
};

// A handle: copies and children share sink and level.
class Logger {
 public:
  // `clock` is borrowed and must outlive the logger and its copies.
  Logger(std::shared_ptr<Sink> sink, absl::string_view service, const Clock& clock, Level level);
  ~Logger();
  Logger(const Logger&);
  Logger(Logger&&) noexcept;
  Logger& operator=(const Logger&) = delete;

  bool Enabled(Level level) const;
  void Log(Level level, absl::string_view message, std::initializer_list<Field> fields = {}) const;
  void Debug(absl::string_view message, std::initializer_list<Field> fields = {}) const;
  void Info(absl::string_view message, std::initializer_list<Field> fields = {}) const;
  void Warn(absl::string_view message, std::initializer_list<Field> fields = {}) const;
  void Error(absl::string_view message, std::initializer_list<Field> fields = {}) const;

  // A logger that adds `fields` (copied) to every record.
  Logger With(std::initializer_list<Field> fields) const;
  // For this logger, its copies, parents and children alike.
  void SetLevel(Level level) const;
  void Flush() const;

 private:
  struct Core;
  struct OwnedFields;
  Logger(std::shared_ptr<Core> core, std::shared_ptr<const OwnedFields> context);

  std::shared_ptr<Core> core_;                  // Shared by all copies: sink and level.
  std::shared_ptr<const OwnedFields> context_;  // Shared by copies; null without With().
};

// Swallows everything.
Logger NullLogger();

enum class Format { kAuto, kJson, kText };  // kAuto: text when standard error is a terminal.

// Writes to standard error, one line a record.
std::shared_ptr<Sink> MakeStderrSink(Format format);
// Runs `write` with every rendered line, without a newline; for tests and tools.
std::shared_ptr<Sink> MakeLineSink(Format format, std::function<void(std::string line)> write);

// Lets a repeated warning through once per `interval`. Thread-safe.
class Throttle {
 public:
  // `clock` is borrowed.
  Throttle(const Clock& clock, absl::Duration interval) : clock_(clock), interval_(interval) {}
  // How many calls were held back since the last one that was let through; nothing when this one is
  // held back too.
  std::optional<int64_t> Allow();

 private:
  const Clock& clock_;
  const absl::Duration interval_;
  absl::Mutex mutex_;
  std::optional<absl::Duration> last_ ABSL_GUARDED_BY(mutex_);
  int64_t held_back_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bdcsync::log
