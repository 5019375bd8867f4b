#include "services/gateway/session/session_channel.h"

namespace bdcsync::gateway {
namespace {

using device_sync::v1::SessionNotice;
using device_sync::v1::SessionStart;

// As the contract names it (SessionNotice).
constexpr absl::string_view kChannel = "bdc:sessions";
// In one message, as the contract says (SessionStarts).
constexpr int kSessionsPerNoticeMax = 500;

}  // namespace

SessionChannel::SessionChannel(bus::Bus& bus, SessionDirectory& directory)
    : bus_(bus), directory_(directory) {
  directory_.AnnounceBy([this](const SessionStart& start) {
    SessionNotice notice;
    *notice.mutable_started()->add_sessions() = start;
    Publish(notice);
  });
  subscription_ = bus_.Subscribe(
      kChannel, [this](absl::string_view payload) { return OnMessage(payload); },
      [this] { OnGap(); });
}

void SessionChannel::Publish(const SessionNotice& notice) {
  bus_.Publish(kChannel, notice.SerializeAsString());
}

bool SessionChannel::OnMessage(absl::string_view payload) {
  SessionNotice notice;
  if (!notice.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return false;
  for (const SessionStart& start : notice.started().sessions()) directory_.OnStarted(start);
  if (notice.has_revoked()) directory_.OnRevoked(notice.revoked());
  return true;
}

// What was said meanwhile is lost, in both directions: say again what holds here. Of two gateways
// that disagree about a device, one is told by the other.
void SessionChannel::OnGap() {
  SessionNotice notice;
  for (const SessionStart& start : directory_.Sessions()) {
    *notice.mutable_started()->add_sessions() = start;
    if (notice.started().sessions_size() < kSessionsPerNoticeMax) continue;
    Publish(notice);
    notice.Clear();
  }
  if (notice.has_started()) Publish(notice);
}

}  // namespace bdcsync::gateway
