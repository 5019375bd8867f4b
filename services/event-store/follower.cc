#include "services/event-store/follower.h"

#include <utility>

#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/event-store/validation.h"

namespace bdcsync::event_store {
namespace {

constexpr int kPageEvents = 500;
constexpr int64_t kPageBytes = 1 << 20;

}  // namespace

absl::StatusOr<Follower> Follower::Create(EventStore& store, const v1::SubscribeRequest& request) {
  Follower follower(store);
  if (request.after() < 0) {
    return MakeErrorAt(Reason::kInvalidArgument, "after", "not negative");
  }
  switch (request.scope_case()) {
    case v1::SubscribeRequest::kSpace:
      RETURN_IF_ERROR(CheckSpace(request.space()));
      follower.scope_ = {store.LogOf(request.space()), request.space()};
      break;
    case v1::SubscribeRequest::kLogId:
      if (request.log_id() >= store.log_count()) {
        return MakeErrorAt(Reason::kNotFound, "log_id", "there is no such log");
      }
      follower.scope_ = {request.log_id(), ""};
      break;
    default:
      return MakeErrorAt(Reason::kInvalidArgument, "scope", "name a space or a log");
  }
  follower.reached_ = request.after();
  follower.epoch_ = request.epoch();
  return follower;
}

absl::StatusOr<v1::SubscribeResponse> Follower::ReadPage(int64_t& head) {
  v1::SubscribeResponse response;
  if (scope_.space.empty()) {
    v1::ReadLogRequest request;
    request.set_log_id(scope_.log_id);
    request.set_after_position(reached_);
    request.set_limit(kPageEvents);
    ASSIGN_OR_RETURN(v1::ReadLogResponse page, store_->ReadLog(request));
    response.mutable_events()->Swap(page.mutable_events());
    response.set_epoch(page.epoch());
    head = page.head_position();
    return response;
  }
  v1::ReadSpaceRequest request;
  request.set_space(scope_.space);
  request.set_after_seq(reached_);
  request.set_limit(kPageEvents);
  request.set_bytes_max(kPageBytes);
  ASSIGN_OR_RETURN(v1::ReadSpaceResponse page, store_->ReadSpace(request));
  response.mutable_events()->Swap(page.mutable_events());
  response.set_epoch(page.epoch());
  head = page.head_seq();
  return response;
}

absl::StatusOr<std::optional<v1::SubscribeResponse>> Follower::Next() {
  int64_t head = 0;
  ASSIGN_OR_RETURN(v1::SubscribeResponse response, ReadPage(head));
  if (epoch_ != 0 && response.epoch() != epoch_) {
    return absl::FailedPreconditionError("the log has another history than the subscriber knows");
  }
  if (reached_ > head) {
    return absl::FailedPreconditionError("the subscriber is ahead of the log");
  }
  epoch_ = response.epoch();
  if (!response.events().empty()) {
    const v1::Event& last = response.events(response.events_size() - 1);
    reached_ = scope_.space.empty() ? last.position() : last.seq();
  }
  if (!caught_up_ && reached_ == head) {
    caught_up_ = true;
    response.set_caught_up(true);
    return response;
  }
  if (response.events().empty()) return std::optional<v1::SubscribeResponse>();
  return response;
}

}  // namespace bdcsync::event_store
