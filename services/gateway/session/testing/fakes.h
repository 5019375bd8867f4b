// What a session stands between, for tests: each fake records what it was asked and answers when
// the test says so. One thread.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/gateway/session/connection.h"
#include "services/gateway/session/devices.h"
#include "services/gateway/session/live.h"
#include "services/gateway/session/loop.h"
#include "services/gateway/session/operations.h"
#include "services/gateway/session/reads.h"
#include "services/gateway/session/subscriptions.h"

namespace bdcsync::gateway {

class FakeConnection final : public Connection {
 public:
  explicit FakeConnection(Loop& loop) : loop_(loop) {}
  void Send(SharedFrame frame) override {
    first_bytes.push_back(frame->front());
    SendText(PayloadOf(*frame));
  }
  void SendText(absl::string_view json) override {
    if (close_code == 0) sent.emplace_back(json);
  }
  size_t queued_bytes() const override { return queued; }
  bool congested() const override { return is_congested; }
  void Close(uint16_t code, absl::string_view reason) override {
    if (close_code == 0) close_code = code;
  }
  void PauseReading() override { paused = true; }
  void ResumeReading() override { paused = false; }
  Loop& loop() override { return loop_; }
  WireFormat format() const override { return wire_format; }
  std::string remote() const override { return "test"; }

  std::vector<std::string> sent;
  std::string first_bytes;  // Of the frames among them.
  WireFormat wire_format = WireFormat::kJson;
  uint16_t close_code = 0;
  bool paused = false;
  bool is_congested = false;
  size_t queued = 0;

 private:
  Loop& loop_;
};

class FakePipeline final : public OperationPipeline {
 public:
  struct Submission {
    std::shared_ptr<const Caller> caller;
    std::vector<common::v1::Operation> operations;
    SubmitOptions options;
    Done done;
    // Answers every operation as applied.
    void Apply() {
      std::vector<sync::v1::OperationResult> results;
      for (const auto& operation : operations) {
        auto& result = results.emplace_back();
        result.set_op_id(operation.op_id());
        result.set_outcome(common::v1::OUTCOME_APPLIED);
        *result.mutable_entity() = operation.entity();
      }
      std::move(done)(std::move(results));
    }
  };
  void Submit(std::shared_ptr<const Caller> caller, std::vector<common::v1::Operation> operations,
              SubmitOptions options, Done done) override {
    submissions.push_back({std::move(caller), std::move(operations), options, std::move(done)});
  }
  std::deque<Submission> submissions;
};

class FakeReads final : public EntityReads {
 public:
  template <typename Request, typename Response>
  struct Read {
    Request request;
    Done<Response> done;
  };
  void GetEntity(std::shared_ptr<const Caller>, sync::v1::GetEntityRequest request,
                 Done<sync::v1::GetEntityResponse> done) override {
    gets.push_back({std::move(request), std::move(done)});
  }
  void ListEntities(std::shared_ptr<const Caller>, sync::v1::ListEntitiesRequest request,
                    Done<sync::v1::ListEntitiesResponse> done) override {
    lists.push_back({std::move(request), std::move(done)});
  }
  void GetHistory(std::shared_ptr<const Caller>, sync::v1::GetHistoryRequest request,
                  Done<sync::v1::GetHistoryResponse> done) override {
    histories.push_back({std::move(request), std::move(done)});
  }
  void Diff(std::shared_ptr<const Caller>, sync::v1::DiffRequest request,
            Done<sync::v1::DiffResponse> done) override {
    diffs.push_back({std::move(request), std::move(done)});
  }
  std::deque<Read<sync::v1::GetEntityRequest, sync::v1::GetEntityResponse>> gets;
  std::deque<Read<sync::v1::ListEntitiesRequest, sync::v1::ListEntitiesResponse>> lists;
  std::deque<Read<sync::v1::GetHistoryRequest, sync::v1::GetHistoryResponse>> histories;
  std::deque<Read<sync::v1::DiffRequest, sync::v1::DiffResponse>> diffs;
};

class FakeSubscriptions final : public Subscriptions {
 public:
  struct Entry {
    std::string id;
    SubscriptionSpec spec;
    SubscriptionSink* sink;
    Done done;
  };
  void Subscribe(std::shared_ptr<const Caller>, std::string id, SubscriptionSpec spec,
                 SubscriptionSink* sink, Done done) override {
    entries.push_back({std::move(id), std::move(spec), sink, std::move(done)});
    if (answer_at_once) std::move(entries.back().done)(Subscribed{"c0", "h0"});
  }
  void Unsubscribe(SubscriptionSink*, absl::string_view id) override { Log("unsubscribe", id); }
  void Pause(SubscriptionSink*, absl::string_view id) override { Log("pause", id); }
  void Resume(SubscriptionSink*, absl::string_view id) override { Log("resume", id); }
  void SinkDrained(SubscriptionSink*) override { Log("drained", ""); }
  void RemoveSink(SubscriptionSink*) override { Log("remove", ""); }
  void GetEpoch(std::string space, EpochDone done) override {
    epoch_space = std::move(space);
    if (epoch_at_once) {
      std::move(done)(std::string("e1"));
    } else {
      epoch_done = std::move(done);
    }
  }
  void Log(absl::string_view what, absl::string_view id) {
    log.push_back(std::string(what) + (id.empty() ? "" : " ") + std::string(id));
  }
  std::deque<Entry> entries;
  std::vector<std::string> log;
  std::string epoch_space;
  EpochDone epoch_done;
  bool epoch_at_once = true;
  bool answer_at_once = true;
};

class FakeLive final : public LiveChannel {
 public:
  void Join(absl::string_view space, LiveSink*, LiveReady ready) override {
    Log("join", space);
    if (!ready) return;
    if (ready_at_once) {
      ready();
    } else {
      waiting.push_back(std::move(ready));
    }
  }
  void Leave(absl::string_view space, LiveSink*) override { Log("leave", space); }
  void RemoveSink(LiveSink*) override { Log("remove", ""); }
  void PublishPresence(const Caller&, absl::string_view space, absl::string_view state) override {
    Log("presence", std::string(space) + " " + std::string(state));
  }
  void PublishBroadcast(const Caller&, absl::string_view space, absl::string_view topic,
                        absl::string_view payload) override {
    Log("broadcast", std::string(space) + " " + std::string(topic) + " " + std::string(payload));
  }
  void Log(absl::string_view what, absl::string_view more) {
    log.push_back(std::string(what) + (more.empty() ? "" : " ") + std::string(more));
  }
  std::vector<std::string> log;
  bool ready_at_once = true;
  std::vector<LiveReady> waiting;  // Joined while not at once.
};

class FakeDevices final : public Devices {
 public:
  void Register(const Caller& caller, device_sync::v1::DeviceState, RegisterDone done) override {
    registered.push_back(caller.user_id + " " + caller.device_id);
    if (register_at_once) {
      std::move(done)(registration);
    } else {
      register_done = std::move(done);
    }
  }
  void Purged(const Caller& caller, absl::string_view space) override {
    purges.push_back(caller.device_id + " " + std::string(space));
  }
  void Heartbeat(const Caller& caller, std::optional<device_sync::v1::DeviceState> state,
                 bool offline) override {
    heartbeats.push_back(caller.device_id + (state.has_value() ? " state" : "") +
                         (offline ? " offline" : ""));
    if (state.has_value()) last_state = *state;
  }
  absl::Status AckCursor(const Caller&, absl::string_view space,
                         absl::string_view cursor) override {
    if (cursor == "bad") return absl::InvalidArgumentError("no cursor");
    acks.push_back(std::string(space) + " " + std::string(cursor));
    return absl::OkStatus();
  }
  absl::StatusOr<Registration> registration = Registration();
  bool register_at_once = true;
  RegisterDone register_done;
  std::vector<std::string> registered;
  std::vector<std::string> purges;
  std::vector<std::string> heartbeats;
  device_sync::v1::DeviceState last_state;
  std::vector<std::string> acks;
};

}  // namespace bdcsync::gateway
