#include "services/gateway/session/client_session.h"

#include <optional>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "libs/base/ids.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/close_code.h"
#include "services/gateway/session/devices.h"
#include "services/gateway/session/metrics.h"
#include "services/gateway/session/proto_edge.h"

namespace bdcsync::gateway {
namespace {

// A client that sends this many malformed messages in a row will not get better.
constexpr int kBadMessagesMax = 10;
// The order key of all requests without an id. Entity hashes may meet it: that only orders more.
constexpr uint64_t kNoIdKey = 0;

}  // namespace

std::shared_ptr<ConnectionHandler> MakeSession(SessionServices& services, Connection& connection) {
  if (connection.format() == WireFormat::kProto) {
    return MakeProtoEdge(services, connection, MakeSession);
  }
  auto session = std::make_shared<ClientSession>(services, connection);
  session->Begin();
  return session;
}

ClientSession::ClientSession(SessionServices& services, Connection& connection)
    : services_(services),
      connection_(&connection),
      caller_(std::make_shared<Caller>()),
      order_([this](Ticket ticket, const std::string& text) { SendAnswer(ticket, text); }),
      live_messages_(services.options.live_messages_per_s) {}

void ClientSession::Begin() {
  timer_ = services_.loop.RunAfter(services_.options.authenticate_timeout, [this] {
    timer_ = kNoTimer;
    const absl::Status why = MakeError(Reason::kUnauthenticated, "no authentication in time");
    Push(FailureMessage(MessageType::kUnknown, "", why));
    Close(kCloseUnauthenticated, why.message());
  });
}

uint64_t ClientSession::EntityKeyHash(const common::v1::EntityKey& key) {
  return absl::HashOf(key.space(), key.entity_type(), key.entity_id());
}

const std::string& ClientSession::OwnSpaceIfEmpty(std::string& space) {
  if (space.empty()) space = OwnSpace(*caller_);
  return space;
}

void ClientSession::OnText(absl::string_view text) {
  if (state_ == State::kAuthenticating) {
    early_.emplace_back(text);  // At most one: reading is paused.
  } else if (state_ == State::kUnauthenticated || state_ == State::kOpen ||
             state_ == State::kRevoked) {
    HandleText(text);
  }
}

void ClientSession::HandleText(absl::string_view text) {
  const MessageLimits limits = {services_.options.json_depth_max,
                                services_.options.batch_operations_max};
  ClientMessage message = ParseClientMessage(text, limits);
  if (state_ == State::kUnauthenticated && message.type != MessageType::kAuthenticate &&
      ReasonOf(message.request.status()) != Reason::kBadMessage) {
    const absl::Status why =
        MakeError(Reason::kUnauthenticated, "the first message must be authenticate");
    Fail(Open(message), why);
    Close(kCloseUnauthenticated, why.message());
    return;
  }
  if (state_ == State::kRevoked && message.type != MessageType::kPurged) {
    if (message.request.ok() && message.type == MessageType::kSyncRequest) {
      message.refused_operation = std::move(std::get<SyncRequest>(*message.request).operation);
    }
    message.request = MakeError(Reason::kForbidden, kDeviceRevoked);
  }
  if (!message.request.ok()) {
    HandleBadMessage(message);
    return;
  }
  bad_messages_ = 0;
  Dispatch(message);
}

void ClientSession::HandleBadMessage(ClientMessage& message) {
  const Reason reason = ReasonOf(message.request.status());
  if (message.type == MessageType::kSyncRequest) {
    RefuseSync(message);
    return;
  }
  if (state_ == State::kUnauthenticated && message.type == MessageType::kAuthenticate) {
    RefuseAuthentication(message, message.request.status());
    return;
  }
  Fail(Open(message), message.request.status());
  if (reason != Reason::kBadMessage && reason != Reason::kTooDeep) return;
  if (++bad_messages_ >= kBadMessagesMax) Close(kCloseBadMessage, "too many malformed messages");
}

// "<session>/<id>"; with an id of our own where the client gave none.
CallTrace ClientSession::TraceOf(const ClientMessage& message) {
  const std::string id =
      message.id.empty() ? Hex64(services_.random.Bits64()) : CleanRequestId(message.id);
  return {absl::StrCat(caller_->session_id, "/", id)};
}

void ClientSession::Dispatch(ClientMessage& message) {
  ClientRequest& request = *message.request;
  std::optional<CallScope> scope;
  // Operations hand their id on themselves, since they travel in batches.
  const bool write =
      message.type == MessageType::kSyncRequest || message.type == MessageType::kSyncBatch;
  if (!write && caller_ != nullptr) scope.emplace(TraceOf(message));
  switch (message.type) {
    case MessageType::kAuthenticate:
      return Authenticate(message, std::get<AuthenticateRequest>(request));
    case MessageType::kRefresh:
      return Refresh(message, std::get<RefreshRequest>(request));
    case MessageType::kUpdateDevice:
      return UpdateDevice(message, std::get<UpdateDeviceRequest>(request));
    case MessageType::kPing:
      return Ping(message);
    case MessageType::kSyncRequest:
      return Sync(message, std::get<SyncRequest>(request));
    case MessageType::kSyncBatch:
      return SyncBatch(message, std::get<SyncBatchRequest>(request));
    case MessageType::kGet:
      return Get(message, std::get<sync::v1::GetEntityRequest>(request));
    case MessageType::kList:
      return List(message, std::get<sync::v1::ListEntitiesRequest>(request));
    case MessageType::kHistory:
      return History(message, std::get<sync::v1::GetHistoryRequest>(request));
    case MessageType::kDiff:
      return Diff(message, std::get<sync::v1::DiffRequest>(request));
    case MessageType::kSubscribe:
      return Subscribe(message, std::get<SubscribeRequest>(request));
    case MessageType::kPause:
    case MessageType::kResume:
    case MessageType::kUnsubscribe:
      return ChangeSubscription(message, std::get<SubscriptionRequest>(request));
    case MessageType::kAck:
      return Ack(message, std::get<AckRequest>(request));
    case MessageType::kPresence:
      return Presence(message, std::get<PresenceRequest>(request));
    case MessageType::kBroadcast:
      return Broadcast(message, std::get<BroadcastRequest>(request));
    case MessageType::kPurged:
      return Purged(message, std::get<PurgedRequest>(request));
    case MessageType::kConflicts:
      return Conflicts(message, std::get<ConflictsRequest>(request));
    case MessageType::kResolveConflict:
      return ResolveConflict(message, std::get<ResolveConflictRequest>(request));
    case MessageType::kUnknown:
      return;  // HandleBadMessage has answered it.
  }
}

ClientSession::Pending ClientSession::Open(const ClientMessage& message, AnswerOrder::Keys keys) {
  if (message.id.empty()) keys.push_back(kNoIdKey);
  Pending pending;
  pending.ticket = order_.Open(std::move(keys));
  pending.type = message.type;
  pending.id = message.id;
  pending.began = services_.clock.Monotonic();
  services_.metrics.requests_in_flight.Add(1);
  UpdateReading();
  return pending;
}

bool ClientSession::Answer(const Pending& pending, std::string text) {
  services_.metrics.CountRequest(pending.type, services_.clock.Monotonic() - pending.began);
  const bool sent = order_.Answer(pending.ticket, std::move(text));
  UpdateReading();
  FinishDrainWhenIdle();
  return sent;
}

void ClientSession::Fail(const Pending& pending, const absl::Status& why) {
  services_.metrics.CountError(ReasonOf(why));
  Answer(pending, FailureMessage(pending.type, pending.id, why));
}

void ClientSession::SendAnswer(Ticket ticket, const std::string& text) {
  services_.metrics.requests_in_flight.Add(-1);
  const auto subscribed = unsent_subscribed_.find(ticket);
  if (subscribed == unsent_subscribed_.end()) {
    Push(text);
    return;
  }
  SendSubscribed(subscribed->second, text);
  unsent_subscribed_.erase(subscribed);
  ReleaseFrames();
}

void ClientSession::Push(absl::string_view text) {
  if (connection_ != nullptr) connection_->SendText(text);
}

// Leaves messages unread while too much is unanswered or unsent.
void ClientSession::UpdateReading() {
  if (connection_ == nullptr) return;
  const bool pause = state_ == State::kAuthenticating || state_ == State::kDraining ||
                     order_.pending() >= services_.options.in_flight_max ||
                     connection_->congested();
  if (pause == reading_paused_) return;
  reading_paused_ = pause;
  if (pause) {
    services_.metrics.reading_paused.Add();
    connection_->PauseReading();
  } else {
    connection_->ResumeReading();
  }
}

void ClientSession::OnDrained() {
  ReleaseFrames();
  StartWaitingReads();
  ReleasePresences();
  services_.subscriptions.SinkDrained(this);
  UpdateReading();
}

void ClientSession::OnShutdown() {
  if (state_ == State::kClosed || state_ == State::kDraining) return;
  SayGoodbye(kCloseRestart, true);
  state_ = State::kDraining;
  UpdateReading();
  drain_timer_ = services_.loop.RunAfter(services_.options.drain_timeout, [this] {
    drain_timer_ = kNoTimer;
    Close(kCloseRestart, "restart");
  });
  FinishDrainWhenIdle();
}

void ClientSession::FinishDrainWhenIdle() {
  if (state_ == State::kDraining && order_.pending() == 0) Close(kCloseRestart, "restart");
}

void ClientSession::OnClosing(uint16_t code, absl::string_view reason) {
  if (code == kCloseBadMessage) {
    const absl::Status why = MakeError(Reason::kBadMessage, reason);
    services_.metrics.CountError(Reason::kBadMessage);
    Push(FailureMessage(MessageType::kUnknown, "", why));
  } else {
    SayGoodbye(code, true);
  }
}

void ClientSession::SayGoodbye(uint16_t code, bool reconnect) {
  Push(GoodbyeMessage(code, reconnect, services_.options.reconnect_after_min,
                      services_.options.reconnect_after_max));
}

void ClientSession::Close(uint16_t code, absl::string_view reason) {
  if (connection_ != nullptr) connection_->Close(code, reason);
}

void ClientSession::OnSuperseded() {
  if (state_ == State::kClosed || superseded_) return;
  services_.metrics.superseded.Add();
  superseded_ = true;
  SayGoodbye(kCloseSuperseded, false);
  Close(kCloseSuperseded, "a newer session of this device");
}

void ClientSession::OnOutcome(const sync::v1::OperationResult& result) {
  if (state_ == State::kClosed) return;
  services_.metrics.late_outcomes.Add();
  Push(SyncResponseMessage("", result));
}

void ClientSession::LeaveEverything() {
  services_.metrics.subscriptions.Add(-static_cast<double>(subscriptions_.size()));
  subscriptions_.clear();
  for (auto& [ticket, unsent] : unsent_subscribed_) {
    unsent.refused = MakeError(Reason::kForbidden, kDeviceRevoked);
  }
  held_frames_.clear();
  held_bytes_ = 0;
  held_presences_.clear();
  EndPresences();
  services_.live.RemoveSink(this);
  services_.subscriptions.RemoveSink(this);
}

void ClientSession::OnClosed() {
  services_.metrics.requests_in_flight.Add(-static_cast<double>(order_.pending()));
  for (const TimerId timer : {timer_, device_timer_, drain_timer_}) services_.loop.Cancel(timer);
  if (in_directory_) {
    services_.metrics.sessions.Add(-1);
    LeaveEverything();
    // The newer session of a superseded one keeps the device online, here or at another gateway.
    if (services_.directory.Remove(*caller_) && !superseded_) {
      services_.devices.Heartbeat(*caller_, std::nullopt, /*offline=*/true);
    }
  }
  state_ = State::kClosed;
  connection_ = nullptr;
  waiting_reads_.clear();
}

}  // namespace bdcsync::gateway
