// The session behind session.h, split by topic over session_*.cc. Lives on its connection's loop;
// answers that come from other threads are posted there and find it by weak pointer.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/base/call_trace.h"
#include "services/gateway/protocol/client_message.h"
#include "services/gateway/session/answer_order.h"
#include "services/gateway/session/devices.h"
#include "services/gateway/session/live.h"
#include "services/gateway/session/loop.h"
#include "services/gateway/session/session.h"
#include "services/gateway/session/session_directory.h"
#include "services/gateway/session/subscriptions.h"
#include "services/gateway/session/token_bucket.h"

namespace bdcsync::gateway {

class ClientSession final : public ConnectionHandler,
                            public SubscriptionSink,
                            public LiveSink,
                            public DirectedSession,
                            public std::enable_shared_from_this<ClientSession> {
 public:
  ClientSession(SessionServices& services, Connection& connection);
  // Begins to wait for authentication.
  void Begin();

  // ConnectionHandler.
  void OnText(absl::string_view text) override;
  void OnDrained() override;
  void OnShutdown() override;
  void OnClosing(uint16_t code, absl::string_view reason) override;
  void OnClosed() override;
  // SubscriptionSink.
  void SendFrame(absl::string_view subscription_id, SharedFrame frame) override;
  size_t queued_bytes() const override;
  void OnResync(absl::string_view subscription_id, absl::string_view reason,
                absl::Duration after) override;
  void OnEnded(absl::string_view subscription_id, const absl::Status& why) override;
  // LiveSink.
  absl::string_view session_id() const override { return caller_->session_id; }
  void OnPresence(absl::string_view key, SharedFrame frame) override;
  void OnBroadcast(absl::string_view space, SharedFrame frame) override;
  // DirectedSession.
  void OnSuperseded() override;
  void OnDeviceRevoked() override;
  void OnOutcome(const sync::v1::OperationResult& result) override;

 private:
  // kRevoked: only the receipt of the device's purge is awaited.
  enum class State : uint8_t {
    kUnauthenticated,
    kAuthenticating,
    kOpen,
    kDraining,
    kRevoked,
    kClosed
  };
  using Ticket = AnswerOrder::Ticket;
  // A request that waits for its answer.
  struct Pending {
    Ticket ticket = 0;
    MessageType type = MessageType::kUnknown;
    std::string id;
    absl::Duration began;
  };
  // Operations of this session on one entity that are under way, and the reads that wait for them.
  struct EntityWrites {
    int under_way = 0;
    std::vector<Loop::Task> reads;
  };
  // What is awaited between `authenticate` and its answer.
  struct Authentication {
    std::string id;
    absl::Duration began;
    std::string epoch;
    bool epoch_known = false;
    bool device_known = false;
  };
  struct Subscription {
    std::string id;
    std::string space;
    size_t filter_bytes = 0;
    bool open = false;     // It may send: `subscribed` is answered or on its way.
    absl::Status refused;  // Why it will not open: access has ended since it was asked for.
  };
  // A `subscribed` answer that waits for its turn.
  struct UnsentSubscribed {
    std::string subscription_id;
    std::string message_id;
    absl::Status refused;  // Why it is refused instead: access has ended meanwhile.
  };
  struct HeldFrame {
    std::string space;
    SharedFrame frame;
  };

  // client_session.cc
  void HandleText(absl::string_view text);
  void HandleBadMessage(ClientMessage& message);
  CallTrace TraceOf(const ClientMessage& message);
  void Dispatch(ClientMessage& message);
  Pending Open(const ClientMessage& message, AnswerOrder::Keys keys = {});
  bool Answer(const Pending& pending, std::string text);
  void Fail(const Pending& pending, const absl::Status& why);
  void SendAnswer(Ticket ticket, const std::string& text);
  void Push(absl::string_view text);
  void UpdateReading();
  void FinishDrainWhenIdle();
  void SayGoodbye(uint16_t code, bool reconnect);
  void Close(uint16_t code, absl::string_view reason);
  // Makes a callback for any thread that runs `then(session, arguments...)` on the loop, if the
  // session is still there.
  template <typename Then>
  auto OnLoop(Then then) {
    return [weak = weak_from_this(), &loop = services_.loop,
            then = std::move(then)](auto... arguments) mutable {
      loop.Post([weak = std::move(weak), then = std::move(then),
                 ... arguments = std::move(arguments)]() mutable {
        const std::shared_ptr<ClientSession> self = weak.lock();
        if (self != nullptr && self->state_ != State::kClosed) then(*self, std::move(arguments)...);
      });
    };
  }

  // The same for the answer of a read of `space`, after which the next one has its turn. What the
  // client was told to purge meanwhile is not told.
  template <typename Then>
  auto OnRead(std::string space, Then then) {
    return OnLoop([space = std::move(space), then = std::move(then)](ClientSession& self,
                                                                     auto answer) mutable {
      if (absl::Status still = self.CheckAccess(space); answer.ok() && !still.ok()) answer = still;
      then(self, std::move(answer));
      --self.reads_under_way_;
      self.StartWaitingReads();
    });
  }

  // session_auth.cc
  void Authenticate(const ClientMessage& message, const AuthenticateRequest& request);
  absl::StatusOr<Caller> Identify(const AuthenticateRequest& request);
  void RefuseAuthentication(const ClientMessage& message, const absl::Status& why);
  void OnEpoch(const absl::StatusOr<std::string>& epoch);
  void OnRegistered(const absl::StatusOr<Registration>& registration);
  void FinishAuthentication();
  void Refresh(const ClientMessage& message, const RefreshRequest& request);
  void UpdateDevice(const ClientMessage& message, const UpdateDeviceRequest& request);
  void Ping(const ClientMessage& message);
  void WatchToken();
  void OnTokenTimer();
  void DeviceHeartbeat();

  // session_access.cc
  // FORBIDDEN: the device or this space may not be read any more.
  absl::Status CheckAccess(absl::string_view space) const;
  // Ends what `before` allowed and the caller of now is not; the client is told to purge it.
  void LoseSpaces(const Caller& before);
  void LoseSpace(const std::string& space);
  void AskPurge(const std::string& space);
  void AskPurgesOfDevice();
  void Purged(const ClientMessage& message, const PurgedRequest& request);
  void LeaveEverything();

  // session_writes.cc
  void Sync(const ClientMessage& message, SyncRequest& request);
  void SyncBatch(const ClientMessage& message, SyncBatchRequest& request);
  void RefuseSync(ClientMessage& message);
  void FillIn(common::v1::Operation& operation);
  // A read of an entity sees the writes that this session sent before it: `read` runs when none of
  // them is under way.
  void AfterWrites(uint64_t entity, Loop::Task read);
  void BeginWrites(const AnswerOrder::Keys& entities);
  void EndWrites(const AnswerOrder::Keys& entities);

  // session_reads.cc
  // Runs `read` when it is its turn; what it asks for is answered through OnRead.
  void Read(Loop::Task read);
  void ReadAfterWrites(uint64_t entity, Loop::Task read);
  bool MayRead() const;
  void StartWaitingReads();
  void Get(const ClientMessage& message, sync::v1::GetEntityRequest& request);
  void List(const ClientMessage& message, sync::v1::ListEntitiesRequest& request);
  void History(const ClientMessage& message, sync::v1::GetHistoryRequest& request);
  void Diff(const ClientMessage& message, sync::v1::DiffRequest& request);

  // session_conflicts.cc
  void Conflicts(const ClientMessage& message, ConflictsRequest& request);
  void ResolveConflict(const ClientMessage& message, ResolveConflictRequest& request);

  // session_subscriptions.cc
  void Subscribe(const ClientMessage& message, SubscribeRequest& request);
  void OnSubscribed(const Pending& pending, const std::string& subscription_id,
                    const absl::StatusOr<Subscribed>& result);
  void ChangeSubscription(const ClientMessage& message, const SubscriptionRequest& request);
  void Ack(const ClientMessage& message, AckRequest& request);
  void SendSubscribed(const UnsentSubscribed& unsent, const std::string& text);
  Subscription* FindSubscription(absl::string_view id);
  void ForgetSubscription(absl::string_view id);
  void SendOrHold(absl::string_view space, SharedFrame frame);
  void ReleaseFrames();
  void DropHeldFrames(absl::string_view space);

  // session_live.cc
  void Presence(const ClientMessage& message, PresenceRequest& request);
  void Broadcast(const ClientMessage& message, BroadcastRequest& request);
  absl::Status CheckLive(absl::string_view space, Access needed, size_t bytes);
  // Leaves a space where this session neither subscribes nor is present any more.
  void LeaveUnlessThere(const std::string& space);
  void EndPresences();
  // So much waits to leave that presence and broadcasts give way.
  bool IsCrowded() const;
  void ReleasePresences();

  const std::string& OwnSpaceIfEmpty(std::string& space);
  static uint64_t EntityKeyHash(const common::v1::EntityKey& key);

  SessionServices& services_;
  Connection* connection_;  // Null when it is gone.
  State state_ = State::kUnauthenticated;
  std::shared_ptr<const Caller> caller_;  // Shared with requests under way; replaced by a refresh.
  AnswerOrder order_;
  bool reading_paused_ = false;
  absl::flat_hash_map<uint64_t, EntityWrites> writes_;  // By EntityKeyHash.
  size_t reads_under_way_ = 0;
  std::list<Loop::Task> waiting_reads_;  // Unlike a deque, an empty list takes no memory.
  int bad_messages_ = 0;                 // One after the other.
  uint32_t subscriptions_made_ = 0;
  std::vector<std::string> early_;  // Messages that came while authentication was under way.
  TimerId timer_ = kNoTimer;        // Authentication, then the token.
  TimerId device_timer_ = kNoTimer;
  TimerId drain_timer_ = kNoTimer;
  bool expiry_told_ = false;
  bool superseded_ = false;
  std::unique_ptr<Authentication> authentication_;  // While kAuthenticating.
  std::vector<std::string> spaces_on_device_;       // Spaces with data there that may not be seen.
  std::vector<std::string> purges_asked_;           // Spaces whose receipt has not come.
  bool in_directory_ = false;
  std::vector<Subscription> subscriptions_;
  absl::flat_hash_map<Ticket, UnsentSubscribed> unsent_subscribed_;
  std::vector<HeldFrame> held_frames_;  // They wait for those answers.
  size_t held_bytes_ = 0;
  std::vector<std::string> presences_;  // Spaces where this session is present.
  absl::flat_hash_map<std::string, SharedFrame> held_presences_;
  TokenBucket live_messages_;
};

}  // namespace bdcsync::gateway
