#include "libs/log/logger.h"

#include <array>
#include <atomic>
#include <deque>

namespace bdcsync::log {
namespace {

constexpr std::array<absl::string_view, 5> kLevelNames = {"debug", "info", "warn", "error", "off"};

class NullSink final : public Sink {
 public:
  void Write(const Record& record) override {}
};

}  // namespace

absl::string_view LevelName(Level level) { return kLevelNames[static_cast<std::size_t>(level)]; }

std::optional<Level> LevelFromName(absl::string_view name) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<Level>(i);
  }
  return std::nullopt;
}

struct Logger::Core {
  const std::shared_ptr<Sink> sink;  // Shared with whoever reads or flushes it.
  const std::string service;
  const Clock& clock;
  std::atomic<Level> level;
};

// Fields with their texts, which stay where they are as the deque grows.
struct Logger::OwnedFields {
  std::deque<std::string> texts;
  std::vector<Field> fields;

  void Add(const Field& field) {
    const std::string& name = texts.emplace_back(field.name);
    const auto* text = std::get_if<absl::string_view>(&field.value);
    if (text != nullptr) {
      fields.emplace_back(name, texts.emplace_back(*text));
    } else {
      Field copy = field;
      copy.name = name;
      fields.push_back(copy);
    }
  }
};

Logger::Logger(std::shared_ptr<Sink> sink, absl::string_view service, const Clock& clock,
               Level level)
    : core_(new Core{std::move(sink), std::string(service), clock, level}) {}

Logger::Logger(std::shared_ptr<Core> core, std::shared_ptr<const OwnedFields> context)
    : core_(std::move(core)), context_(std::move(context)) {}

Logger::~Logger() = default;
Logger::Logger(const Logger&) = default;
Logger::Logger(Logger&&) noexcept = default;

bool Logger::Enabled(Level level) const {
  return level >= core_->level.load(std::memory_order_relaxed) && level != Level::kOff;
}

void Logger::Log(Level level, absl::string_view message,
                 std::initializer_list<Field> fields) const {
  if (!Enabled(level)) return;
  absl::Span<const Field> context;
  if (context_ != nullptr) context = context_->fields;
  core_->sink->Write({core_->clock.Now(), level, core_->service, message, context,
                      absl::MakeConstSpan(fields.begin(), fields.size())});
}

void Logger::Debug(absl::string_view message, std::initializer_list<Field> fields) const {
  Log(Level::kDebug, message, fields);
}
void Logger::Info(absl::string_view message, std::initializer_list<Field> fields) const {
  Log(Level::kInfo, message, fields);
}
void Logger::Warn(absl::string_view message, std::initializer_list<Field> fields) const {
  Log(Level::kWarn, message, fields);
}
void Logger::Error(absl::string_view message, std::initializer_list<Field> fields) const {
  Log(Level::kError, message, fields);
}

Logger Logger::With(std::initializer_list<Field> fields) const {
  auto context = std::make_shared<OwnedFields>();
  if (context_ != nullptr) {
    for (const Field& field : context_->fields) context->Add(field);
  }
  for (const Field& field : fields) context->Add(field);
  return Logger(core_, std::move(context));
}

void Logger::SetLevel(Level level) const { core_->level.store(level, std::memory_order_relaxed); }

void Logger::Flush() const { core_->sink->Flush(); }

Logger NullLogger() {
  static const SystemClock clock;  // Stateless; never read, since nothing is enabled.
  return Logger(std::make_shared<NullSink>(), "", clock, Level::kOff);
}

std::optional<int64_t> Throttle::Allow() {
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  if (last_.has_value() && now - *last_ < interval_) {
    ++held_back_;
    return std::nullopt;
  }
  last_ = now;
  return std::exchange(held_back_, 0);
}

}  // namespace bdcsync::log
