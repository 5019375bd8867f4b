#include "services/gateway/session/metrics.h"

#include <string>

namespace bdcsync::gateway {
namespace {

constexpr absl::string_view kTypeNames[kMessageTypes] = {
    "unknown",       "authenticate", "refresh",
    "update_device", "ping",         "sync_request",
    "sync_batch",    "get",          "list",
    "history",       "diff",         "subscribe",
    "pause",         "resume",       "unsubscribe",
    "ack",           "presence",     "broadcast",
    "purged",        "conflicts",    "resolve_conflict"};

constexpr metrics::MetricInfo kPurges{
    "bdcsync_gateway_purges_total",
    "Purges that clients were asked for and that they confirmed, by what was to be purged."};

}  // namespace

SessionMetrics::SessionMetrics(metrics::Registry& registry)
    : sessions(registry.AddGauge({"bdcsync_gateway_sessions", "Authenticated sessions."})),
      subscriptions(registry.AddGauge(
          {"bdcsync_gateway_session_subscriptions", "Open subscriptions of sessions."})),
      requests_in_flight(registry.AddGauge(
          {"bdcsync_gateway_requests_in_flight", "Requests of sessions not answered yet."})),
      authenticated(registry.AddCounter(
          {"bdcsync_gateway_authentications_total", "Authentications, by result."},
          {{"result", "accepted"}})),
      authentication_refused(registry.AddCounter(
          {"bdcsync_gateway_authentications_total", "Authentications, by result."},
          {{"result", "refused"}})),
      superseded(registry.AddCounter({"bdcsync_gateway_sessions_superseded_total",
                                      "Sessions ended by a newer one of their device."})),
      tokens_expired(registry.AddCounter(
          {"bdcsync_gateway_tokens_expired_total", "Sessions ended because their token did."})),
      sessions_revoked(
          registry.AddCounter({"bdcsync_gateway_sessions_revoked_total",
                               "Sessions ended or refused because their device was revoked."})),
      space_purges_asked(registry.AddCounter(kPurges, {{"scope", "space"}, {"result", "asked"}})),
      space_purges_confirmed(
          registry.AddCounter(kPurges, {{"scope", "space"}, {"result", "confirmed"}})),
      device_purges_asked(registry.AddCounter(kPurges, {{"scope", "device"}, {"result", "asked"}})),
      device_purges_confirmed(
          registry.AddCounter(kPurges, {{"scope", "device"}, {"result", "confirmed"}})),
      late_outcomes(registry.AddCounter({"bdcsync_gateway_late_outcomes_total",
                                         "Outcomes of queued operations told to sessions."})),
      reading_paused(registry.AddCounter({"bdcsync_gateway_reading_paused_total",
                                          "Times a session's messages were left unread."})),
      reads_waited(registry.AddCounter(
          {"bdcsync_gateway_reads_waited_total",
           "Reads of sessions that waited for answers of others before them to leave."})),
      presences_held(registry.AddCounter(
          {"bdcsync_gateway_presences_held_total", "Presence states held back for slow readers."})),
      broadcasts_dropped(registry.AddCounter(
          {"bdcsync_gateway_broadcasts_dropped_total", "Broadcasts not sent to slow readers."})) {
  for (size_t i = 0; i < request_seconds_.size(); ++i) {
    request_seconds_[i] = &registry.AddHistogram(
        {"bdcsync_gateway_request_seconds", "From reading a request to its answer, by type."},
        metrics::LatencyBuckets(), {{"type", std::string(kTypeNames[i])}});
  }
  for (const ReasonInfo& info : AllReasons()) {
    errors_[static_cast<size_t>(info.reason)] =
        &registry.AddCounter({"bdcsync_gateway_errors_total", "Errors told to clients, by code."},
                             {{"code", std::string(info.name)}});
  }
}

void SessionMetrics::CountRequest(MessageType type, absl::Duration took) {
  request_seconds_[static_cast<size_t>(type)]->Observe(took);
}

void SessionMetrics::CountError(Reason reason) { errors_[static_cast<size_t>(reason)]->Add(); }

void SessionMetrics::CountErrors(const std::vector<sync::v1::OperationResult>& results) {
  for (const sync::v1::OperationResult& result : results) {
    if (!result.has_error()) continue;
    CountError(ReasonFromName(result.error().code()).value_or(Reason::kInternal));
  }
}

}  // namespace bdcsync::gateway
