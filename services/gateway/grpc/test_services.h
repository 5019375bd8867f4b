// What stands behind SyncService in its tests: a loop on a thread, and services that do the least.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "libs/base/clock.h"
#include "libs/base/errors.h"
#include "libs/bus/bus.h"
#include "services/gateway/feed/event_reader.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/pipeline/device_client.h"
#include "services/gateway/session/loop.h"
#include "services/gateway/session/operations.h"
#include "services/gateway/session/reads.h"
#include "services/gateway/session/session_directory.h"

namespace bdcsync::gateway {

// A loop with a thread of its own, in real time.
class ThreadLoop final : public Loop {
 public:
  ThreadLoop() : thread_([this] { Work(); }) {}
  ~ThreadLoop() override {
    Post([this] { stopping_ = true; });
    thread_.join();
  }
  void Post(Task task) override {
    absl::MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
  }
  TimerId RunAfter(absl::Duration delay, Task task) override {
    timers_.emplace(std::pair(clock_.Monotonic() + delay, ++last_), std::move(task));
    return last_;
  }
  void Cancel(TimerId timer) override {
    std::erase_if(timers_, [timer](const auto& entry) { return entry.first.second == timer; });
  }
  // Runs `task` on the loop and waits for it.
  void Run(absl::AnyInvocable<void()> task) {
    absl::Notification done;
    Post([&] {
      task();
      done.Notify();
    });
    done.WaitForNotification();
  }

 private:
  void Work() {
    while (!stopping_) {
      const absl::Duration wait = timers_.empty()
                                      ? absl::InfiniteDuration()
                                      : timers_.begin()->first.first - clock_.Monotonic();
      std::deque<Task> tasks;
      {
        absl::MutexLock lock(&mutex_);
        const auto some = [this]()
                              ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !tasks_.empty(); };
        mutex_.AwaitWithTimeout(absl::Condition(&some), wait);
        tasks.swap(tasks_);
      }
      for (Task& task : tasks) task();
      while (!timers_.empty() && timers_.begin()->first.first <= clock_.Monotonic()) {
        auto timer = timers_.extract(timers_.begin());
        timer.mapped()();
      }
    }
  }

  SystemClock clock_;
  absl::Mutex mutex_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<absl::Duration, TimerId>, Task> timers_;  // Loop thread.
  TimerId last_ = kNoTimer;
  bool stopping_ = false;
  std::thread thread_;
};

// A log with no past: what is committed arrives over the bus alone.
class EmptyLog final : public EventReader {
 public:
  uint64_t epoch() const { return 7; }
  void Commit(bus::Bus& bus, const std::string& space) {
    event_store::v1::SpaceCommit commit;
    commit.set_epoch(epoch());
    commit.set_first_seq(1);
    commit.set_last_seq(1);
    event_store::v1::Event& event = *commit.add_events();
    event.set_seq(1);
    event.set_kind(event_store::v1::STREAM_KIND_ENTITY);
    event.mutable_stream()->set_name("note:main:a");
    event.set_data("{}");
    bus.Publish(SpaceChannel(space), commit.SerializeAsString());
  }
  void ReadSpace(event_store::v1::ReadSpaceRequest,
                 Done<event_store::v1::ReadSpaceResponse> done) override {
    event_store::v1::ReadSpaceResponse response;
    response.set_epoch(epoch());
    done(std::move(response));
  }
  void ReadHeads(event_store::v1::ReadHeadsRequest request,
                 Done<event_store::v1::ReadHeadsResponse> done) override {
    event_store::v1::ReadHeadsResponse response;
    for (int i = 0; i < request.streams_size(); ++i) response.add_heads();
    done(std::move(response));
  }
  void GetSpaceHeads(event_store::v1::GetSpaceHeadsRequest request,
                     Done<event_store::v1::GetSpaceHeadsResponse> done) override {
    event_store::v1::GetSpaceHeadsResponse response;
    for (int i = 0; i < request.spaces_size(); ++i) response.add_heads()->set_epoch(epoch());
    done(std::move(response));
  }
};

// Applies everything.
class EchoOperations final : public OperationPipeline {
 public:
  void Submit(std::shared_ptr<const Caller>, std::vector<common::v1::Operation> operations,
              SubmitOptions, Done done) override {
    std::vector<sync::v1::OperationResult> results(operations.size());
    for (size_t i = 0; i < operations.size(); ++i) {
      results[i].set_op_id(operations[i].op_id());
      results[i].set_outcome(common::v1::OUTCOME_APPLIED);
    }
    done(std::move(results));
  }
};

// Finds nothing.
class NoReads final : public EntityReads {
 public:
  void GetEntity(std::shared_ptr<const Caller>, sync::v1::GetEntityRequest,
                 Done<sync::v1::GetEntityResponse> done) override {
    done(MakeError(Reason::kNotFound, "nothing"));
  }
  void ListEntities(std::shared_ptr<const Caller>, sync::v1::ListEntitiesRequest,
                    Done<sync::v1::ListEntitiesResponse> done) override {
    done(sync::v1::ListEntitiesResponse());
  }
  void GetHistory(std::shared_ptr<const Caller>, sync::v1::GetHistoryRequest,
                  Done<sync::v1::GetHistoryResponse> done) override {
    done(MakeError(Reason::kNotFound, "nothing"));
  }
  void Diff(std::shared_ptr<const Caller>, sync::v1::DiffRequest,
            Done<sync::v1::DiffResponse> done) override {
    done(MakeError(Reason::kNotFound, "nothing"));
  }
};

// Every user has one device; those named "revoked" are revoked.
class OneDevice final : public DeviceClient {
 public:
  void RegisterDevices(device_sync::v1::RegisterDevicesRequest,
                       Done<device_sync::v1::RegisterDevicesResponse> done) override {
    done(device_sync::v1::RegisterDevicesResponse());
  }
  void GetDevice(device_sync::v1::GetDeviceRequest request,
                 Done<device_sync::v1::GetDeviceResponse> done) override {
    ++asked;
    device_sync::v1::GetDeviceResponse response;
    response.mutable_device()->set_device_id(request.device_id());
    response.mutable_device()->set_revoked_ms(request.device_id() == "revoked" ? 1 : 0);
    done(std::move(response));
  }
  void ListDevices(device_sync::v1::ListDevicesRequest request,
                   Done<device_sync::v1::ListDevicesResponse> done) override {
    device_sync::v1::ListDevicesResponse response;
    response.add_devices()->set_user_id(request.user_id());
    done(std::move(response));
  }
  void RevokeDevice(device_sync::v1::RevokeDeviceRequest request,
                    Done<device_sync::v1::RevokeDeviceResponse> done) override {
    device_sync::v1::RevokeDeviceResponse response;
    response.mutable_device()->set_user_id(request.user_id());
    response.mutable_device()->set_device_id(request.device_id());
    done(std::move(response));
  }
  void RecordPurges(device_sync::v1::RecordPurgesRequest,
                    Done<device_sync::v1::RecordPurgesResponse> done) override {
    done(device_sync::v1::RecordPurgesResponse());
  }
  void Heartbeat(device_sync::v1::HeartbeatRequest,
                 Done<device_sync::v1::HeartbeatResponse> done) override {
    done(device_sync::v1::HeartbeatResponse());
  }
  void AckCursors(device_sync::v1::AckCursorsRequest,
                  Done<device_sync::v1::AckCursorsResponse> done) override {
    done(device_sync::v1::AckCursorsResponse());
  }

  std::atomic<int> asked{0};  // Calls of GetDevice.
};

class NoNews final : public AccessListener {
 public:
  void OnAccess(const std::shared_ptr<const Caller>&) override {}
  void OnRevoked(const device_sync::v1::DeviceName&) override {}
};

}  // namespace bdcsync::gateway
