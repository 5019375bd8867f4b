#include "libs/log/capture.h"

#include <utility>

namespace bdcsync::log {

struct CapturedLog::State {
  void Add(std::string line) {
    absl::MutexLock lock(&mutex);
    lines.push_back(std::move(line));
  }

  ManualClock clock{absl::UnixEpoch()};
  mutable absl::Mutex mutex;
  std::vector<std::string> lines ABSL_GUARDED_BY(mutex);
  Logger logger{MakeLineSink(Format::kJson, [this](std::string line) { Add(std::move(line)); }),
                "test", clock, Level::kDebug};
};

CapturedLog::CapturedLog() : state_(std::make_unique<State>()) {}
CapturedLog::~CapturedLog() = default;

Logger& CapturedLog::logger() { return state_->logger; }

std::vector<std::string> CapturedLog::lines() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->lines;
}

}  // namespace bdcsync::log
