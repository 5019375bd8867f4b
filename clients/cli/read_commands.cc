#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "clients/cli/commands.h"
#include "clients/cli/input.h"
#include "clients/cli/render.h"
#include "clients/cli/table.h"
#include "libs/base/status.h"
#include "libs/json/serialize.h"
#include "libs/rpc/status.h"

namespace bdcsync::cli {
namespace {

constexpr int kItemsDefault = 100;
constexpr int kItemsMax = 1'000'000;
constexpr int kPageItemsMax = 500;  // What every paged call allows.
constexpr int64_t kAsOfMsMin = 1;   // 0 is the head; there is nothing from before either.

template <typename Message>
std::string LineOf(const Message& message) {
  return json::Serialize(JsonOf(message)) + "\n";
}

// Reads pages until `wanted` items are there or no more come. `read` makes one call with a page
// token and a limit and returns the response; `take` moves its items out.
template <typename Item, typename Read, typename Take>
absl::StatusOr<std::vector<Item>> ReadPages(int wanted, bool& more, Read read, Take take) {
  std::vector<Item> items;
  std::string page_token;
  more = true;
  while (more && static_cast<int>(items.size()) < wanted) {
    const int limit = std::min(wanted - static_cast<int>(items.size()), kPageItemsMax);
    ASSIGN_OR_RETURN(auto response, read(page_token, limit));
    for (Item& item : *take(response)) items.push_back(std::move(item));
    page_token = response.next_page_token();
    more = !page_token.empty();
  }
  return items;
}

// Prints items as lines for scripts or a table for people, and says when there are more.
template <typename Item>
void Print(const Call& call, const std::vector<Item>& items, bool more) {
  if (call.arguments.Has("json")) {
    for (const Item& item : items) call.environment.out << LineOf(item);
  } else {
    call.environment.out << TableOf(items);
  }
  if (more) {
    const size_t limit = std::min<size_t>(items.size() * 10, kItemsMax);
    call.environment.err << "bdc-sync: there are more; --limit " << limit
                         << " shows up to so many\n";
  }
}

absl::StatusOr<int> ReadLimit(const Call& call) {
  auto limit = ReadCount(call.arguments, "limit", kItemsDefault, 1, kItemsMax);
  if (!limit.ok()) return UsageError(limit.status());
  return limit;
}

absl::StatusOr<common::v1::EntityKey> ReadKey(const Call& call) {
  auto key = ReadEntityKey(call.arguments);
  if (!key.ok()) return UsageError(key.status());
  return key;
}

}  // namespace

absl::StatusOr<int> RunGet(const Call& call) {
  v1::GetEntityRequest request;
  ASSIGN_OR_RETURN(*request.mutable_query()->mutable_entity(), ReadKey(call));
  request.mutable_query()->set_version_id(call.arguments.Get("version"));
  if (call.arguments.Has("as-of")) {
    if (call.arguments.Has("version")) return Usage("give --version or --as-of, not both");
    const auto time = ReadTime(call.arguments.Get("as-of"), call.environment.clock.Now());
    if (!time.ok()) return UsageError(time.status());
    request.mutable_query()->set_as_of_ms(std::max(absl::ToUnixMillis(*time), kAsOfMsMin));
  }
  ASSIGN_OR_RETURN(const v1::GetEntityResponse response, call.client.GetEntity(request));
  const version::v1::EntityState& entity = response.entity();
  if (entity.has_error()) return rpc::FromProto(entity.error());
  call.environment.out << (call.arguments.Has("json") ? LineOf(entity) : TextOf(entity));
  return 0;
}

absl::StatusOr<int> RunList(const Call& call) {
  ASSIGN_OR_RETURN(const int limit, ReadLimit(call));
  if (const absl::Status wrong = CheckTypes(call.arguments); !wrong.ok()) return UsageError(wrong);
  v1::ListEntitiesRequest request;
  request.set_space(call.arguments.Get("space"));
  for (const std::string& type : call.arguments.operands()) request.add_entity_types(type);
  bool more = false;
  ASSIGN_OR_RETURN(const auto entities,
                   ReadPages<version::v1::EntityState>(
                       limit, more,
                       [&](const std::string& page_token, int page_limit) {
                         request.set_page_token(page_token);
                         request.set_limit(page_limit);
                         return call.client.ListEntities(request);
                       },
                       [](v1::ListEntitiesResponse& page) { return page.mutable_entities(); }));
  Print(call, entities, more);
  return 0;
}

absl::StatusOr<int> RunHistory(const Call& call) {
  ASSIGN_OR_RETURN(const int limit, ReadLimit(call));
  v1::GetHistoryRequest request;
  ASSIGN_OR_RETURN(*request.mutable_entity(), ReadKey(call));
  bool more = false;
  ASSIGN_OR_RETURN(const auto versions,
                   ReadPages<version::v1::VersionInfo>(
                       limit, more,
                       [&](const std::string& page_token, int page_limit) {
                         request.set_page_token(page_token);
                         request.set_limit(page_limit);
                         return call.client.GetHistory(request);
                       },
                       [](v1::GetHistoryResponse& page) { return page.mutable_versions(); }));
  Print(call, versions, more);
  return 0;
}

absl::StatusOr<int> RunDiff(const Call& call) {
  v1::DiffRequest request;
  ASSIGN_OR_RETURN(*request.mutable_entity(), ReadKey(call));
  request.set_from_version_id(call.arguments.operand(1));
  request.set_to_version_id(call.arguments.operand(2));
  ASSIGN_OR_RETURN(const v1::DiffResponse response, call.client.Diff(request));
  const json::Value changes = Embedded(response.changes());
  if (call.arguments.Has("json")) {
    call.environment.out << json::Serialize(changes) << "\n";
    return 0;
  }
  if (!changes.is_array() || changes.array().empty()) {
    call.environment.out << "no difference\n";
    return 0;
  }
  for (const json::Value& change : changes.array()) {
    call.environment.out << EscapeControls(json::Serialize(change)) << "\n";
  }
  return 0;
}

namespace {

absl::StatusOr<int> RevokeDevice(const Call& call) {
  if (call.arguments.operand(0) != "revoke" || call.arguments.operand(1).empty()) {
    return UsageError(absl::InvalidArgumentError("devices takes nothing, or: revoke ID"));
  }
  v1::RevokeDeviceRequest request;
  request.set_device_id(call.arguments.operand(1));
  request.set_user_id(call.arguments.Get("owner"));
  ASSIGN_OR_RETURN(const v1::RevokeDeviceResponse revoked, call.client.RevokeDevice(request));
  Print(call, std::vector<device_sync::v1::Device>{revoked.device()}, /*more=*/false);
  return 0;
}

}  // namespace

absl::StatusOr<int> RunDevices(const Call& call) {
  if (!call.arguments.operands().empty()) return RevokeDevice(call);
  ASSIGN_OR_RETURN(const int limit, ReadLimit(call));
  v1::ListDevicesRequest request;
  bool more = false;
  ASSIGN_OR_RETURN(const auto devices,
                   ReadPages<device_sync::v1::Device>(
                       limit, more,
                       [&](const std::string& page_token, int page_limit) {
                         request.set_page_token(page_token);
                         request.set_limit(page_limit);
                         return call.client.ListDevices(request);
                       },
                       [](v1::ListDevicesResponse& page) { return page.mutable_devices(); }));
  Print(call, devices, more);
  return 0;
}

absl::StatusOr<int> RunStatus(const Call& call) {
  ASSIGN_OR_RETURN(const v1::GetStatusResponse status, call.client.GetStatus());
  call.environment.out << (call.arguments.Has("json") ? LineOf(status) : TextOf(status));
  const bool all_ready =
      std::all_of(status.services().begin(), status.services().end(),
                  [](const v1::ServiceStatus& service) { return service.ready(); });
  return all_ready ? 0 : 1;
}

}  // namespace bdcsync::cli
