// A resolver for tests: holds calls until the test answers them, or answers them at once.
// Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "services/conflict/remote/resolver_endpoint.h"

namespace bdcsync::conflict {

class FakeEndpoint final : public ResolverEndpoint {
 public:
  using Request = resolver::v1::ResolveRequest;
  using Response = resolver::v1::ResolveResponse;
  struct Call {
    Request request;
    absl::Duration timeout;
    Callback callback;
  };

  void Resolve(Request request, absl::Duration timeout, Callback callback) override {
    std::function<absl::StatusOr<Response>(const Request&)> answer;
    {
      absl::MutexLock lock(&mutex_);
      requests_.push_back(request);
      if (!answer_) {
        calls_.push_back({std::move(request), timeout, std::move(callback)});
        return;
      }
      answer = answer_;
    }
    callback(answer(request));
  }

  // From now on calls are answered at once.
  void AnswerWith(std::function<absl::StatusOr<Response>(const Request&)> answer) {
    absl::MutexLock lock(&mutex_);
    answer_ = std::move(answer);
  }
  // The oldest call that is held; there is one.
  Call Take() {
    absl::MutexLock lock(&mutex_);
    Call call = std::move(calls_.front());
    calls_.pop_front();
    return call;
  }
  size_t held() const {
    absl::MutexLock lock(&mutex_);
    return calls_.size();
  }
  std::vector<Request> requests() const {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }

  // `text` for every place of `request`.
  static Response Everywhere(const Request& request, const std::string& text) {
    Response response;
    for (const auto& meeting : request.meetings()) {
      for (const auto& place : meeting.places()) {
        auto& answer = *response.add_answers();
        answer.set_number(place.number());
        answer.set_path(place.path());
        answer.set_value(text);
      }
    }
    return response;
  }

 private:
  mutable absl::Mutex mutex_;
  std::function<absl::StatusOr<Response>(const Request&)> answer_;
  std::deque<Call> calls_;
  std::vector<Request> requests_;
};

}  // namespace bdcsync::conflict
