// Other programs as tests need them: one that holds what it is asked until the test answers.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "libs/json/parse.h"
#include "services/conflict/remote/remote_resolver.h"

namespace bdcsync::conflict {

// Holds what is asked until the test answers it, or answers at once.
class FakeResolver final : public RemoteResolver {
 public:
  struct Asked {
    std::string name;
    std::vector<RemotePlace> places;
    Answered answered;

    std::vector<std::string> paths() const {
      std::vector<std::string> paths;
      for (const RemotePlace& place : places) {
        paths.push_back(absl::StrCat(place.meeting->op_id, place.path));
      }
      return paths;
    }
    void AnswerAll(const RemoteAnswer& answer) {
      answered(std::vector<RemoteAnswer>(places.size(), answer));
    }
  };

  void ResolvePlaces(absl::string_view name, std::vector<RemotePlace> places,
                     Answered answered) override {
    Asked asked{std::string(name), std::move(places), std::move(answered)};
    std::optional<RemoteAnswer> at_once;
    {
      absl::MutexLock lock(&mutex_);
      ++rounds_;
      at_once = at_once_;
      if (!at_once) {
        asked_.push_back(std::move(asked));
        return;
      }
    }
    asked.AnswerAll(*at_once);
  }

  void AnswerAtOnce(RemoteAnswer answer) {
    absl::MutexLock lock(&mutex_);
    at_once_ = std::move(answer);
  }
  Asked Take() {
    absl::MutexLock lock(&mutex_);
    const auto any = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !asked_.empty(); };
    mutex_.Await(absl::Condition(&any));
    Asked asked = std::move(asked_.front());
    asked_.pop_front();
    return asked;
  }
  size_t held() const {
    absl::MutexLock lock(&mutex_);
    return asked_.size();
  }
  int rounds() const {
    absl::MutexLock lock(&mutex_);
    return rounds_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::deque<Asked> asked_ ABSL_GUARDED_BY(mutex_);
  std::optional<RemoteAnswer> at_once_ ABSL_GUARDED_BY(mutex_);
  int rounds_ ABSL_GUARDED_BY(mutex_) = 0;
};

inline RemoteAnswer ValueOf(const std::string& text) {
  return {.failure = std::nullopt, .value = *json::Parse(text)};
}
inline RemoteAnswer Nothing(NoAnswer reason) { return {.failure = reason, .value = std::nullopt}; }

}  // namespace bdcsync::conflict
