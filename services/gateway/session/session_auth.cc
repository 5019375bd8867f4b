// Who the client is: authenticate, refresh, and the end of the token; the device's state and life.
#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "services/gateway/auth/token_verifier.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/client_session.h"
#include "services/gateway/session/close_code.h"
#include "services/gateway/session/devices.h"
#include "services/gateway/session/metrics.h"

namespace bdcsync::gateway {
namespace {

// The client is told so long before its token ends.
constexpr absl::Duration kExpiryWarning = absl::Seconds(60);
// Clocks are set: the time left is looked at again at least this often.
constexpr absl::Duration kTokenCheckMax = absl::Hours(1);
// Authentication does not wait longer to learn the epoch, which is then left empty, and whether the
// device was revoked, which then counts from when it is known.
constexpr absl::Duration kAuthenticationWaitMax = absl::Seconds(2);

// What the registry would not take: a device that it does not hear of could not be revoked.
absl::Status CheckText(absl::string_view path, absl::string_view text) {
  if (text.empty() || entity::ValidateId(text).ok()) return absl::OkStatus();
  return MakeErrorAt(Reason::kInvalidArgument, path,
                     absl::StrCat(path, " must be UTF-8 without control characters"));
}

absl::Status CheckDevice(absl::string_view claimed, const AuthenticateRequest& request) {
  const std::string& device_id = request.device_id;
  RETURN_IF_ERROR(CheckText("/device_id", device_id));
  RETURN_IF_ERROR(CheckText("/client/name", request.client_name));
  RETURN_IF_ERROR(CheckText("/client/version", request.client_version));
  RETURN_IF_ERROR(CheckText("/client/platform", request.client_platform));
  if (!claimed.empty() && !device_id.empty() && claimed != device_id) {
    return MakeErrorAt(Reason::kForbidden, "/device_id", "the token is for another device");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Caller> ClientSession::Identify(const AuthenticateRequest& request) {
  Caller caller;
  if (!request.token.empty()) {
    ASSIGN_OR_RETURN(caller, services_.tokens.Verify(request.token));
  } else if (services_.options.require_authentication) {
    return MakeErrorAt(Reason::kUnauthenticated, "/token", "a token is required");
  } else {
    // Development only: whoever it is may do anything.
    caller.user_id = request.user_id;
    caller.admin = true;
    if (request.user_id.empty() || !entity::ValidateSpace(OwnSpace(caller)).ok()) {
      return MakeErrorAt(Reason::kInvalidArgument, "/user_id", "user_id cannot name a space");
    }
  }
  RETURN_IF_ERROR(CheckDevice(caller.device_id, request));
  if (caller.device_id.empty()) caller.device_id = request.device_id;
  if (caller.device_id.empty()) caller.device_id = MakeUuid(services_.random);
  caller.session_id = MakeUuid(services_.random);
  caller.client_name = request.client_name;
  caller.client_version = request.client_version;
  caller.client_platform = request.client_platform;
  return caller;
}

void ClientSession::RefuseAuthentication(const ClientMessage& message, const absl::Status& why) {
  services_.metrics.authentication_refused.Add();
  Fail(Open(message), why);
  switch (ReasonOf(why)) {
    case Reason::kForbidden:
      return Close(kCloseForbidden, why.message());
    case Reason::kQuotaExceeded:
      return Close(kCloseRateLimited, why.message());
    case Reason::kTokenExpired:  // A client that slept comes back with it: a newer one will do.
      return Close(kCloseTokenExpired, why.message());
    default:
      return Close(kCloseUnauthenticated, why.message());
  }
}

void ClientSession::Authenticate(const ClientMessage& message, const AuthenticateRequest& request) {
  if (state_ != State::kUnauthenticated) {
    Fail(Open(message), MakeError(Reason::kPreconditionFailed,
                                  "the session is authenticated: use refresh for a new token"));
    return;
  }
  absl::StatusOr<Caller> caller = Identify(request);
  if (!caller.ok()) {
    RefuseAuthentication(message, caller.status());
    return;
  }
  caller_ = std::make_shared<const Caller>(*std::move(caller));
  if (!services_.directory.Add(caller_, services_.clock.Now(), services_.loop, weak_from_this(),
                               services_.options.sessions_per_user_max)) {
    RefuseAuthentication(message, MakeError(Reason::kQuotaExceeded, "too many sessions"));
    return;
  }
  in_directory_ = true;
  services_.metrics.sessions.Add(1);
  state_ = State::kAuthenticating;
  UpdateReading();
  services_.loop.Cancel(timer_);
  timer_ = services_.loop.RunAfter(kAuthenticationWaitMax, [this] { FinishAuthentication(); });
  authentication_ = std::make_unique<Authentication>();
  authentication_->id = message.id;
  authentication_->began = services_.clock.Monotonic();
  device_sync::v1::DeviceState device;
  device.set_network(request.network);
  device.set_battery_percent(-1);
  services_.devices.Register(
      *caller_, device, OnLoop([](ClientSession& self, const absl::StatusOr<Registration>& answer) {
        self.OnRegistered(answer);
      }));
  services_.subscriptions.GetEpoch(
      OwnSpace(*caller_), [weak = weak_from_this()](const absl::StatusOr<std::string>& epoch) {
        if (const auto self = weak.lock()) self->OnEpoch(epoch);
      });
}

void ClientSession::OnEpoch(const absl::StatusOr<std::string>& epoch) {
  if (authentication_ == nullptr) return;
  authentication_->epoch = epoch.value_or("");
  authentication_->epoch_known = true;
  if (authentication_->device_known) FinishAuthentication();
}

// May come when the client has long been answered.
void ClientSession::OnRegistered(const absl::StatusOr<Registration>& registration) {
  if (registration.ok() && registration->revoked) {
    OnDeviceRevoked();
    return;
  }
  // Without the registry the session goes on; the next sign of life asks again.
  services_.directory.SetNumber(*caller_, registration.ok() ? registration->session_number : 0);
  if (registration.ok()) {
    for (const std::string& space : registration->spaces) {
      if (AccessTo(*caller_, space) == Access::kNone) spaces_on_device_.push_back(space);
    }
  }
  if (authentication_ == nullptr) {
    AskPurgesOfDevice();
    return;
  }
  authentication_->device_known = true;
  if (authentication_->epoch_known) FinishAuthentication();
}

void ClientSession::FinishAuthentication() {
  if (state_ != State::kAuthenticating) return;  // The server stops.
  services_.loop.Cancel(timer_);
  timer_ = kNoTimer;
  const std::unique_ptr<Authentication> authentication = std::move(authentication_);
  const SessionOptions& options = services_.options;
  AuthenticatedInfo info;
  info.session_id = caller_->session_id;
  info.user_id = caller_->user_id;
  info.device_id = caller_->device_id;
  info.epoch = std::move(authentication->epoch);
  info.server_time = services_.clock.Now();
  info.heartbeat_interval = options.heartbeat_interval;
  info.token_expires = caller_->token_expires;
  info.message_bytes_max = static_cast<int64_t>(options.message_bytes_max);
  info.operations_per_s = options.operations_per_s;
  info.subscriptions_max = static_cast<int64_t>(options.subscriptions_max);
  info.in_flight_max = static_cast<int64_t>(options.in_flight_max);
  services_.metrics.authenticated.Add();
  services_.metrics.CountRequest(MessageType::kAuthenticate,
                                 services_.clock.Monotonic() - authentication->began);
  Push(AuthenticatedMessage(authentication->id, info));
  state_ = State::kOpen;
  AskPurgesOfDevice();
  WatchToken();
  device_timer_ =
      services_.loop.RunAfter(options.device_heartbeat_interval, [this] { DeviceHeartbeat(); });
  for (const std::string& text : std::exchange(early_, {})) HandleText(text);
  UpdateReading();
}

void ClientSession::Refresh(const ClientMessage& message, const RefreshRequest& request) {
  const Pending pending = Open(message);
  absl::StatusOr<Caller> fresh = services_.tokens.Verify(request.token);
  if (!fresh.ok()) {
    Fail(pending, fresh.status());
    return;
  }
  if (fresh->user_id != caller_->user_id ||
      (!fresh->device_id.empty() && fresh->device_id != caller_->device_id)) {
    Fail(pending, MakeError(Reason::kForbidden, "the token is for another user or device"));
    return;
  }
  fresh->device_id = caller_->device_id;
  fresh->session_id = caller_->session_id;
  fresh->client_name = caller_->client_name;
  fresh->client_version = caller_->client_version;
  fresh->client_platform = caller_->client_platform;
  const std::shared_ptr<const Caller> before =
      std::exchange(caller_, std::make_shared<const Caller>(*std::move(fresh)));
  expiry_told_ = false;
  services_.directory.Refresh(caller_);
  WatchToken();
  Answer(pending, RefreshedMessage(message.id, caller_->token_expires));
  LoseSpaces(*before);
}

void ClientSession::WatchToken() {
  services_.loop.Cancel(timer_);
  timer_ = kNoTimer;
  if (caller_->token_expires == absl::InfiniteFuture()) return;
  const absl::Time next =
      expiry_told_ ? caller_->token_expires : caller_->token_expires - kExpiryWarning;
  timer_ = services_.loop.RunAfter(std::min(next - services_.clock.Now(), kTokenCheckMax),
                                   [this] { OnTokenTimer(); });
}

void ClientSession::OnTokenTimer() {
  const absl::Time now = services_.clock.Now();
  if (now >= caller_->token_expires) {
    services_.metrics.tokens_expired.Add();
    const absl::Status why = MakeError(Reason::kTokenExpired, "the token has expired");
    services_.metrics.CountError(Reason::kTokenExpired);
    Push(FailureMessage(MessageType::kUnknown, "", why));
    Close(kCloseTokenExpired, why.message());
    return;
  }
  if (!expiry_told_ && now >= caller_->token_expires - kExpiryWarning) {
    expiry_told_ = true;
    Push(TokenExpiringMessage(caller_->token_expires));
  }
  WatchToken();
}

void ClientSession::UpdateDevice(const ClientMessage& message, const UpdateDeviceRequest& request) {
  const Pending pending = Open(message);
  services_.devices.Heartbeat(*caller_, request.state, /*offline=*/false);
  Answer(pending, DeviceUpdatedMessage(message.id));
}

void ClientSession::DeviceHeartbeat() {
  services_.devices.Heartbeat(*caller_, std::nullopt, /*offline=*/false);
  device_timer_ = services_.loop.RunAfter(services_.options.device_heartbeat_interval,
                                          [this] { DeviceHeartbeat(); });
}

void ClientSession::Ping(const ClientMessage& message) {
  Answer(Open(message), PongMessage(message.id, services_.clock.Now()));
}

}  // namespace bdcsync::gateway
