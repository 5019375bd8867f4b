#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/render.h"
#include "clients/cli/table.h"
#include "clients/cli/words.h"
#include "libs/json/serialize.h"

namespace bdcsync::cli {
namespace {

constexpr std::size_t kDataPreviewWidth = 60;
constexpr std::size_t kNameWidth = 60;

// For tables and lines: to the second, in UTC.
std::string ShortTime(int64_t unix_ms) {
  if (unix_ms == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone());
}

std::string Or(const std::string& text, const char* otherwise) {
  return text.empty() ? otherwise : text;
}

// A line of text that data cannot steer the terminal with.
std::string Preview(absl::string_view json_text) {
  return json_text.empty() ? "" : OneLine(json_text, kDataPreviewWidth);
}

}  // namespace

std::string TimeText(int64_t unix_ms) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", absl::FromUnixMillis(unix_ms),
                          absl::UTCTimeZone());
}

std::string NameOf(const common::v1::EntityKey& key) {
  std::string name = absl::StrCat(key.entity_type(), "/", key.entity_id());
  if (!key.branch().empty() && key.branch() != "main") absl::StrAppend(&name, "@", key.branch());
  return OneLine(name, kNameWidth);
}

std::string TextOf(const v1::OperationResult& result) {
  std::string text = absl::StrCat(WordOf(result.outcome()), "  ", NameOf(result.entity()), "  in ",
                                  result.entity().space());
  if (!result.version_id().empty()) {
    absl::StrAppend(&text, "  revision ", result.revision(), "  version ", result.version_id());
  }
  absl::StrAppend(&text, "\n");
  switch (result.outcome()) {
    case common::v1::OUTCOME_QUEUED:
      absl::StrAppend(&text,
                      "stored at the gateway; it is committed when the version service is "
                      "back (operation ",
                      result.op_id(), ")\n");
      break;
    case common::v1::OUTCOME_CONFLICT:
      absl::StrAppend(&text, "kept on a branch until somebody decides: conflict ",
                      result.conflict_id(), "\n");
      break;
    case common::v1::OUTCOME_MERGED:
      if (!result.data().empty()) {
        absl::StrAppend(&text, "merged with changes made meanwhile:\n",
                        EscapeControls(json::SerializePretty(Embedded(result.data()))), "\n");
      } else if (!result.text().empty()) {
        absl::StrAppend(&text, "moved over changes made meanwhile: ", EscapeControls(result.text()),
                        "\n");
      } else if (result.deleted()) {
        absl::StrAppend(&text, "merged with changes made meanwhile: it is deleted\n");
      }
      break;
    default:
      break;
  }
  return text;
}

std::string TextOf(const version::v1::EntityState& entity) {
  std::string text = absl::StrCat(NameOf(entity.entity()), "  in ", entity.entity().space(),
                                  "  revision ", entity.revision(), "  version ",
                                  entity.version_id(), "  ", ShortTime(entity.time_ms()), " UTC");
  if (!entity.category().empty()) absl::StrAppend(&text, "  category ", entity.category());
  if (entity.has_conflict()) absl::StrAppend(&text, "  (a conflict waits for a decision)");
  if (entity.deleted()) return absl::StrCat(text, "\ndeleted\n");
  return absl::StrCat(text, "\n", EscapeControls(json::SerializePretty(Embedded(entity.data()))),
                      "\n");
}

std::string TextOf(const v1::Change& change) {
  std::string text = absl::StrCat(ShortTime(change.entity().time_ms()), "  ", WordOf(change.kind()),
                                  "  ", NameOf(change.entity().entity()));
  if (change.entity().revision() > 0) {
    absl::StrAppend(&text, "  revision ", change.entity().revision());
  }
  if (!change.user_id().empty()) {
    absl::StrAppend(&text, "  by ", OneLine(change.user_id(), kNameWidth));
  }
  if (!change.entity().data().empty()) {
    absl::StrAppend(&text, "  ", Preview(change.entity().data()));
  }
  return absl::StrCat(text, "\n");
}

std::string TextOf(const v1::GetStatusResponse& status) {
  std::vector<Row> rows = {{"SERVICE", "STATE", "DETAIL"}};
  rows.push_back({"gateway", "ready", absl::StrCat("version ", status.version())});
  for (const v1::ServiceStatus& service : status.services()) {
    rows.push_back({service.name(), service.ready() ? "ready" : "NOT READY", service.detail()});
  }
  return absl::StrCat(FormatTable(rows), "\nsessions ", status.sessions(), "  subscriptions ",
                      status.subscriptions(), "  queued operations ", status.queued_operations(),
                      "\n");
}

std::string TableOf(const std::vector<version::v1::EntityState>& entities) {
  if (entities.empty()) return "nothing here\n";
  std::vector<Row> rows = {{"ENTITY", "REVISION", "CHANGED (UTC)", "DATA"}};
  for (const version::v1::EntityState& entity : entities) {
    rows.push_back({NameOf(entity.entity()), absl::StrCat(entity.revision()),
                    ShortTime(entity.time_ms()), Preview(entity.data())});
  }
  return FormatTable(rows);
}

std::string TableOf(const std::vector<version::v1::VersionInfo>& versions) {
  std::vector<Row> rows = {
      {"REVISION", "VERSION", "TIME (UTC)", "OPERATION", "USER", "DEVICE", "CHANGED", "MESSAGE"}};
  for (const version::v1::VersionInfo& version : versions) {
    const version::v1::VersionMeta& meta = version.meta();
    std::string operation(WordOf(meta.operation()));
    if (meta.outcome() == common::v1::OUTCOME_MERGED) operation += ", merged";
    std::string changed = absl::StrJoin(meta.changed_paths(), " ");
    rows.push_back({absl::StrCat(version.revision()), version.version_id(),
                    ShortTime(version.time_ms()), operation, Or(meta.user_id(), "-"),
                    Or(meta.device_id(), "-"), Or(changed, "(all)"), meta.message()});
  }
  return FormatTable(rows);
}

namespace {

std::string StateOf(const device_sync::v1::Device& device) {
  if (device.revoked_ms() == 0) return device.online() ? "online" : "offline";
  const bool purged =
      std::any_of(device.purges().begin(), device.purges().end(),
                  [](const device_sync::v1::PurgeReceipt& purge) { return purge.space().empty(); });
  return purged ? "revoked, purged" : "revoked";
}

}  // namespace

std::string TableOf(const std::vector<device_sync::v1::Device>& devices) {
  if (devices.empty()) return "no devices\n";
  std::vector<Row> rows = {
      {"DEVICE", "STATE", "LAST SEEN (UTC)", "CLIENT", "PLATFORM", "NETWORK", "BATTERY"}};
  for (const device_sync::v1::Device& device : devices) {
    const int battery = device.state().battery_percent();
    const std::string client = absl::StrCat(device.client_name(), " ", device.client_version());
    rows.push_back(
        {device.device_id(), StateOf(device), ShortTime(device.last_seen_ms()),
         client == " " ? "-" : client, Or(device.platform(), "-"),
         std::string(WordOf(device.state().network())),
         battery < 0 ? "-" : absl::StrCat(battery, device.state().charging() ? "% +" : "%")});
  }
  return FormatTable(rows);
}

std::string TableOf(const std::vector<admin::v1::ParkedGroup>& groups) {
  if (groups.empty()) return "nothing is parked\n";
  std::vector<Row> rows = {
      {"ID", "PARKED (UTC)", "REASON", "SPACE", "OPERATION", "ENTITY", "USER", "OP_ID"}};
  for (const admin::v1::ParkedGroup& group : groups) {
    for (const admin::v1::ParkedOperation& parked : group.operations()) {
      const common::v1::Operation& operation = parked.operation();
      rows.push_back({absl::StrCat(group.id()), ShortTime(group.parked_ms()), group.reason(),
                      group.space(), std::string(WordOf(operation.kind())),
                      NameOf(operation.entity()), parked.user_id(), operation.op_id()});
    }
  }
  return FormatTable(rows);
}

}  // namespace bdcsync::cli
