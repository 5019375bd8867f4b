#include "services/gateway/grpc/grpc_watch.h"

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/cursor.h"
#include "libs/entity/key.h"
#include "libs/rpc/status.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/feed/feed_subscription.h"

namespace bdcsync::gateway {
namespace {

using sync::v1::WatchRequest;
using sync::v1::WatchResponse;

class RefusedWatch final : public grpc::ServerWriteReactor<WatchResponse> {
 public:
  explicit RefusedWatch(const absl::Status& why) { Finish(rpc::ToGrpc(why)); }
  void OnDone() override { delete this; }
};

SubscriptionSpec SpecOf(const Caller& caller, const WatchRequest& request) {
  SubscriptionSpec spec;
  spec.space = request.space().empty() ? OwnSpace(caller) : request.space();
  spec.mode = request.latest() ? SubscriptionMode::kLatest : SubscriptionMode::kChanges;
  const auto list = [](const auto& names) {
    return std::vector<std::string>(names.begin(), names.end());
  };
  spec.filter = {list(request.entity_types()), list(request.entity_ids()),
                 list(request.categories()), list(request.branches())};
  return spec;
}

void Fill(const Change& from, const std::string& space, bool with_data, sync::v1::Change& to) {
  const FeedEvent& event = *from.event;
  to.set_kind(from.kind);
  to.set_seq(event.seq);
  to.set_operation(event.meta.operation());
  to.set_op_id(event.meta.op_id());
  to.set_user_id(event.meta.user_id());
  to.set_device_id(event.meta.device_id());
  version::v1::EntityState& state = *to.mutable_entity();
  state.mutable_entity()->set_space(space);
  state.mutable_entity()->set_entity_type(std::string(event.entity_type));
  state.mutable_entity()->set_entity_id(std::string(event.entity_id));
  state.mutable_entity()->set_branch(std::string(event.branch));
  state.set_version_id(event.version_id);
  state.set_revision(event.revision);
  state.set_category(event.meta.category());
  state.set_time_ms(event.time_ms);
  state.set_deleted(event.tombstone);
  const bool leaves =
      from.kind == sync::v1::CHANGE_KIND_LEAVE || from.kind == sync::v1::CHANGE_KIND_DELETE;
  if (with_data && !leaves) state.set_data(event.data);
}

}  // namespace

// What the feed calls runs on the loop, what gRPC calls on its threads.
class WatchCall final : public grpc::ServerWriteReactor<WatchResponse>,
                        public FeedSubscription,
                        public std::enable_shared_from_this<WatchCall> {
 public:
  WatchCall(WatchHost& host, WatchHost::Feed feed, std::shared_ptr<const Caller> caller,
            SubscriptionSpec spec, std::optional<entity::Cursor> cursor, bool with_data)
      : host_(host),
        feed_(feed),
        caller_(std::move(caller)),
        spec_(std::move(spec)),
        cursor_(cursor),
        with_data_(with_data) {}

  const Caller& caller() const { return *caller_; }

  void Begin(absl::Duration until_token_expires) {
    feed_.loop->Post([self = shared_from_this(), until_token_expires] {
      if (until_token_expires < absl::InfiniteDuration()) {
        self->expiry_ = self->feed_.loop->RunAfter(
            until_token_expires, [weak = std::weak_ptr<WatchCall>(self)] {
              const auto call = weak.lock();
              if (call) call->End(MakeError(Reason::kTokenExpired, "the token has expired"));
            });
      }
      self->Follow();
    });
  }
  // Ends the call, from any thread; the first reason counts.
  void End(const absl::Status& why) {
    {
      absl::MutexLock lock(&mutex_);
      if (!end_.has_value()) end_ = why;
      FinishIfIdle();
    }
    feed_.loop->Post([self = shared_from_this()] { self->Detach(); });
  }
  void WaitUntilDetached() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&detached_));
  }

  void OnStarted(absl::StatusOr<Subscribed> started) override {
    if (!started.ok()) End(started.status());
  }
  bool HasRoom() const override {
    absl::MutexLock lock(&mutex_);
    return !end_.has_value() && queued_bytes_ <= host_.queued_bytes_max_;
  }
  void OnBatch(const ChangeBatch& batch, bool caught_up) override {
    WatchResponse response;
    response.mutable_changes()->Reserve(static_cast<int>(batch.changes().size()));
    for (const Change& change : batch.changes()) {
      Fill(change, spec_.space, with_data_, *response.add_changes());
    }
    for (const ConflictNews* news : batch.news()) {
      sync::v1::ConflictNews& told = *response.add_conflicts();
      *told.mutable_conflict() = *news->conflict;
      told.set_opened(news->opened);
      told.set_seq(news->seq);
      told.set_open_conflicts(static_cast<int32_t>(news->open_conflicts));
    }
    response.set_cursor(batch.cursor());
    response.set_caught_up(caught_up);
    Send(std::move(response));
  }
  // State follows by itself, when it is this caller's turn.
  void OnResync(absl::string_view reason, absl::Duration after) override {
    WatchResponse response;
    response.set_resync(true);
    Send(std::move(response));
    cursor_.reset();
    feed_.loop->RunAfter(after, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Follow();
    });
  }
  void OnEnded(const absl::Status& why) override { End(why); }

  void OnWriteDone(bool ok) override {
    bool drained = false;
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      drained = queued_bytes_ > host_.queued_bytes_max_;
      queued_bytes_ -= queue_.front().ByteSizeLong();
      queue_.pop_front();
      drained = drained && queued_bytes_ <= host_.queued_bytes_max_;
      if (!ok && !end_.has_value()) end_ = absl::CancelledError("the caller is gone");
      FinishIfIdle();
      WriteNext();
    }
    if (drained) {
      feed_.loop->Post([self = shared_from_this()] { self->feed_.engine->Drained(*self); });
    }
  }
  void OnCancel() override { End(absl::CancelledError("the caller has cancelled")); }
  void OnDone() override {
    host_.Remove(this);
    feed_.loop->Post([self = std::move(self_)] { self->Detach(); });
  }

 private:
  friend class WatchHost;

  // On the loop.
  void Follow() {
    {
      absl::MutexLock lock(&mutex_);
      if (end_.has_value()) return;
    }
    feed_.engine->Subscribe(spec_, cursor_, *this);
  }
  void Detach() {
    feed_.loop->Cancel(std::exchange(expiry_, kNoTimer));
    feed_.engine->Remove(*this);
    absl::MutexLock lock(&mutex_);
    detached_ = true;
  }
  void Send(WatchResponse response) {
    absl::MutexLock lock(&mutex_);
    if (end_.has_value()) return;
    queued_bytes_ += response.ByteSizeLong();
    queue_.push_back(std::move(response));
    WriteNext();
  }
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || queue_.empty() || end_.has_value()) return;
    writing_ = true;
    StartWrite(&queue_.front());
  }
  void FinishIfIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_.has_value() || writing_ || finished_) return;
    finished_ = true;
    Finish(rpc::ToGrpc(*end_));
  }

  WatchHost& host_;
  const WatchHost::Feed feed_;
  const std::shared_ptr<const Caller> caller_;
  const SubscriptionSpec spec_;
  std::optional<entity::Cursor> cursor_;  // Of the next Subscribe; on the loop.
  const bool with_data_;
  TimerId expiry_ = kNoTimer;        // On the loop.
  std::shared_ptr<WatchCall> self_;  // Held for gRPC, until OnDone.
  mutable absl::Mutex mutex_;
  std::deque<WatchResponse> queue_ ABSL_GUARDED_BY(mutex_);  // The first may be in flight.
  size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool detached_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

grpc::ServerWriteReactor<WatchResponse>* RefuseWatch(const absl::Status& why) {
  return new RefusedWatch(why);
}

grpc::ServerWriteReactor<WatchResponse>* WatchHost::Start(std::shared_ptr<const Caller> caller,
                                                          const WatchRequest& request, Gate gate) {
  SubscriptionSpec spec = SpecOf(*caller, request);
  if (const absl::Status valid = entity::ValidateSpace(spec.space); !valid.ok()) {
    return RefuseWatch(valid);
  }
  if (AccessTo(*caller, spec.space) == Access::kNone) {
    return RefuseWatch(MakeErrorAt(Reason::kForbidden, "space", "this space may not be read"));
  }
  std::optional<entity::Cursor> cursor;
  if (!request.cursor().empty()) {
    cursor = entity::DecodeCursor(request.cursor());
    if (!cursor.has_value()) {
      return RefuseWatch(MakeErrorAt(Reason::kInvalidArgument, "cursor", "this is not a cursor"));
    }
  }
  const absl::Duration until_token_expires = caller->token_expires - clock_.Now();
  std::shared_ptr<WatchCall> call;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return RefuseWatch(MakeError(Reason::kUnavailable, "the gateway is stopping"));
    const Feed feed = feeds_[next_feed_++ % feeds_.size()];
    call = std::make_shared<WatchCall>(*this, feed, std::move(caller), std::move(spec), cursor,
                                       !request.without_data());
    call->self_ = call;
    calls_.insert(call);
  }
  if (gate == nullptr) {
    call->Begin(until_token_expires);
  } else {
    gate([call, until_token_expires](const absl::Status& allowed) {
      if (allowed.ok()) {
        call->Begin(until_token_expires);
      } else {
        call->End(allowed);
      }
    });
  }
  return call.get();
}

void WatchHost::EndDevice(const device_sync::v1::DeviceName& device, const absl::Status& why) {
  std::vector<std::shared_ptr<WatchCall>> calls;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    ++ending_;
    for (const auto& call : calls_) {
      const Caller& caller = call->caller();
      if (caller.user_id == device.user_id() && caller.device_id == device.device_id()) {
        calls.push_back(call);
      }
    }
  }
  for (const auto& call : calls) call->End(why);
  absl::MutexLock lock(&mutex_);
  --ending_;
}

void WatchHost::Remove(WatchCall* call) {
  absl::MutexLock lock(&mutex_);
  calls_.erase(call->shared_from_this());
}

size_t WatchHost::size() const {
  absl::MutexLock lock(&mutex_);
  return calls_.size();
}

void WatchHost::Shutdown(const absl::Status& why) {
  std::vector<std::shared_ptr<WatchCall>> calls;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    calls.assign(calls_.begin(), calls_.end());
  }
  for (const auto& call : calls) call->End(why);
  for (const auto& call : calls) call->WaitUntilDetached();
  const auto none_ends = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ending_ == 0; };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&none_ends));
}

}  // namespace bdcsync::gateway
