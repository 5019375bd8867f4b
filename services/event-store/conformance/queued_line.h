// A line as one of PostgreSQL's, without PostgreSQL: a thread of its own runs what was sent, one
// after the other, while nobody awaits it yet, and runs nothing that was sent behind a commit which
// did not apply all its parts. For tests. Thread-safe.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/event-store/commit_line.h"

namespace bdcsync::event_store {

class QueuedLine final : public CommitLine {
 public:
  using Result = absl::StatusOr<std::vector<bool>>;
  using Run = std::function<Result(absl::Span<const LogWrite> writes)>;

  // `sent` counts what was handed over, of all lines, and is borrowed.
  QueuedLine(Run run, std::atomic<int>& sent)
      : run_(std::move(run)), sent_(sent), thread_([this] { Loop(); }) {}
  ~QueuedLine() override {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    thread_.join();
  }

  std::unique_ptr<Commit> Prepare(absl::Span<const LogWrite> writes) override {
    static std::atomic<uint64_t> last{0};
    return std::make_unique<QueuedCommit>(*this, writes, ++last);
  }

 private:
  struct Job {
    std::vector<LogWrite> writes;  // A copy: whoever sent it may be gone.
    uint64_t id = 0;
    uint64_t behind = 0;
    Result result = absl::InternalError("not run");
    absl::Notification done;
  };

  class QueuedCommit final : public Commit {
   public:
    QueuedCommit(QueuedLine& line, absl::Span<const LogWrite> writes, uint64_t id)
        : line_(line), job_(std::make_shared<Job>()) {
      job_->writes.assign(writes.begin(), writes.end());
      job_->id = id;
    }
    uint64_t id() const override { return job_->id; }
    void Send(uint64_t behind) override {
      job_->behind = behind;
      absl::MutexLock lock(&line_.mutex_);
      line_.jobs_.push_back(job_);
      ++line_.sent_;
    }
    Result Await() override {
      job_->done.WaitForNotification();
      return job_->result;
    }

   private:
    QueuedLine& line_;
    const std::shared_ptr<Job> job_;
  };

  void Loop() {
    const auto due = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !jobs_.empty() || stopping_;
    };
    uint64_t applied = 0;  // The latest that applied all its parts.
    while (true) {
      std::shared_ptr<Job> job;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(&due));
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      if (job->behind != 0 && job->behind != applied) {
        job->result = std::vector<bool>(job->writes.size(), false);
      } else {
        job->result = run_(job->writes);
        const bool whole = job->result.ok() && *job->result == AllTrue(job->writes.size());
        if (whole) applied = job->id;
      }
      job->done.Notify();
    }
  }
  static std::vector<bool> AllTrue(std::size_t size) { return std::vector<bool>(size, true); }

  const Run run_;
  std::atomic<int>& sent_;
  absl::Mutex mutex_;
  std::deque<std::shared_ptr<Job>> jobs_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace bdcsync::event_store
