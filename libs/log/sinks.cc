// Sinks: standard error through spdlog's asynchronous logger, and a function for tests and tools.
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "libs/base/timed_cond_var.h"
#include "libs/log/logger.h"
#include "libs/log/render.h"

namespace bdcsync::log {
namespace {

constexpr std::size_t kQueuedRecordsMax = 8192;
constexpr absl::Duration kFlushMax = absl::Seconds(2);

bool AsJson(Format format) {
  return format == Format::kJson || (format == Format::kAuto && isatty(STDERR_FILENO) == 0);
}

std::string Render(const Record& record, bool json) {
  return json ? RenderJson(record) : RenderText(record);
}

// Writes lines to standard error and counts them, so that a flush knows when it is done.
class CountingSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // Waits until `lines` lines are out, at most kFlushMax.
  void AwaitLines(int64_t lines) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return lines_ >= lines; };
    written_.AwaitFor(mutex_, kFlushMax, enough);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::fwrite(message.payload.data(), 1, message.payload.size(), stderr);
    absl::MutexLock lock(&mutex_);
    ++lines_;
    written_.SignalAll();
  }
  void flush_() override { std::fflush(stderr); }

  absl::Mutex mutex_;
  TimedCondVar written_;
  int64_t lines_ ABSL_GUARDED_BY(mutex_) = 0;
};

class StderrSink final : public Sink {
 public:
  explicit StderrSink(bool json)
      : json_(json),
        lines_(std::make_shared<CountingSink>()),
        pool_(std::make_shared<spdlog::details::thread_pool>(kQueuedRecordsMax, 1)),
        logger_(std::make_shared<spdlog::async_logger>(
            "bdc-sync", lines_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(spdlog::level::trace);
  }

  void Write(const Record& record) override {
    ReportDropped(record);
    WriteLine(Render(record, json_));
  }

  void Flush() override {
    const auto dropped = static_cast<int64_t>(pool_->overrun_counter());
    lines_->AwaitLines(written_.load() - dropped);
    std::fflush(stderr);
  }

 private:
  void WriteLine(std::string line) {
    line += '\n';
    written_.fetch_add(1);
    logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }

  // Says how many records were lost since the last time that some were.
  void ReportDropped(const Record& record) {
    const std::size_t dropped = pool_->overrun_counter();
    const std::size_t before = reported_.exchange(dropped);
    if (dropped <= before) return;
    const Field count{"records", dropped - before};
    WriteLine(Render({record.time,
                      Level::kWarn,
                      record.service,
                      "log records were dropped: they came faster than they could be written",
                      {},
                      absl::MakeConstSpan(&count, 1)},
                     json_));
  }

  const bool json_;
  const std::shared_ptr<CountingSink> lines_;  // spdlog's loggers share their sinks and pools.
  const std::shared_ptr<spdlog::details::thread_pool> pool_;
  const std::shared_ptr<spdlog::async_logger> logger_;
  std::atomic<int64_t> written_{0};
  std::atomic<std::size_t> reported_{0};
};

class LineSink final : public Sink {
 public:
  LineSink(bool json, std::function<void(std::string)> write)
      : json_(json), write_(std::move(write)) {}
  void Write(const Record& record) override { write_(Render(record, json_)); }

 private:
  const bool json_;
  const std::function<void(std::string)> write_;
};

}  // namespace

std::shared_ptr<Sink> MakeStderrSink(Format format) {
  return std::make_shared<StderrSink>(AsJson(format));
}

std::shared_ptr<Sink> MakeLineSink(Format format, std::function<void(std::string line)> write) {
  return std::make_shared<LineSink>(AsJson(format), std::move(write));
}

}  // namespace bdcsync::log
