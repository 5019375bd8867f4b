// A logger for tests that keeps what it is told. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/log/logger.h"

namespace bdcsync::log {

class CapturedLog {
 public:
  CapturedLog();
  ~CapturedLog();
  // Logs everything from kDebug on, as JSON lines, at a fixed time.
  Logger& logger();
  std::vector<std::string> lines() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bdcsync::log
