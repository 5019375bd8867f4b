#include "services/version/apply_operation.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bdcsync/common/v1/common.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/diff.h"
#include "libs/json/merge_patch.h"
#include "libs/json/parse.h"
#include "libs/json/patch.h"
#include "libs/json/serialize.h"

namespace bdcsync::version {
namespace {

using common::v1::Operation;

constexpr absl::string_view kWholeValue = "";
// Of a field of a description beside its text: tag and length.
constexpr size_t kFieldBytesMax = 8;

std::vector<std::string> WholeValue() { return {std::string(kWholeValue)}; }

absl::Status TooLarge(absl::string_view field, size_t bytes_max) {
  return MakeErrorAt(Reason::kTooLarge, field,
                     absl::StrCat(field, " is larger than ", bytes_max, " bytes"));
}

// Parses a part of the request; `field` is its name.
absl::StatusOr<json::Value> ParseField(absl::string_view field, absl::string_view text,
                                       const DataLimits& limits) {
  absl::StatusOr<json::Value> value =
      json::Parse(text, {.depth_max = limits.data_depth_max, .bytes_max = limits.data_bytes_max});
  if (value.ok()) return value;
  const Reason found = ReasonOf(value.status());
  const Reason reason = found == Reason::kBadMessage ? Reason::kInvalidArgument : found;
  return MakeErrorAt(reason, field, value.status().message());
}

// Parses data that was stored before; limits may have been wider then.
absl::StatusOr<json::Value> ParseStored(absl::string_view text) {
  absl::StatusOr<json::Value> value = json::Parse(text, {.depth_max = json::kDepthCeiling});
  if (value.ok()) return value;
  return MakeError(Reason::kInternal, "the stored data is not JSON");
}

std::vector<std::string> Bounded(std::vector<std::string> paths) {
  size_t bytes = 0;
  for (const std::string& path : paths) bytes += path.size();
  if (paths.size() > kChangedPathsMax || bytes > kChangedPathsBytesMax) return WholeValue();
  return paths;
}

// The places that an RFC 6902 patch, which was applied, has written to.
std::vector<std::string> PathsOf(const json::Array& patch) {
  std::vector<std::string> paths;
  const auto add = [&paths](const json::Value* pointer) {
    if (pointer == nullptr || !pointer->is_string()) return;
    absl::string_view path = pointer->string();
    if (absl::EndsWith(path, "/-")) path.remove_suffix(2);  // Appended: the array changed.
    if (!absl::c_linear_search(paths, path)) paths.emplace_back(path);
  };
  for (const json::Value& step : patch) {
    const json::Value* name = step.Find("op");
    if (name == nullptr || !name->is_string() || name->string() == "test") continue;
    if (name->string() == "move") add(step.Find("from"));
    add(step.Find("path"));
    if (paths.size() > kChangedPathsMax) return WholeValue();
  }
  return Bounded(std::move(paths));
}

absl::StatusOr<Change> ApplyPatch(const Operation& operation, const EntityState& state,
                                  const DataLimits& limits) {
  if (!state.alive()) return MakeError(Reason::kNotFound, "there is nothing to patch");
  ASSIGN_OR_RETURN(const json::Value patch, ParseField("patch", operation.patch(), limits));
  ASSIGN_OR_RETURN(json::Value document, ParseStored(state.data));
  Change change;
  if (patch.is_object()) {
    change.changed_paths = Bounded(json::ApplyMergePatchAndList(document, patch, kChangedPathsMax));
  } else if (patch.is_array()) {
    const absl::Status applied = json::ApplyPatch(document, patch,
                                                  {.result_bytes_max = limits.data_bytes_max,
                                                   .depth_max = limits.data_depth_max,
                                                   .target_bytes = state.data.size()});
    if (!applied.ok()) {
      return MakeErrorAt(ReasonOf(applied), absl::StrCat("/patch", PathOf(applied)),
                         applied.message());
    }
    change.changed_paths = PathsOf(patch.array());
  } else {
    return MakeErrorAt(Reason::kInvalidArgument, "patch",
                       "patch must be an object (RFC 7396) or an array (RFC 6902)");
  }
  change.data = json::Serialize(document);
  if (change.data.size() > limits.data_bytes_max) return TooLarge("patch", limits.data_bytes_max);
  return change;
}

absl::StatusOr<Change> ApplyUpdate(const Operation& operation, const EntityState& state,
                                   const DataLimits& limits) {
  Change change;
  change.data = operation.data();
  change.changed_paths = WholeValue();
  const bool comparable = state.alive() && state.data.size() <= kComparedBytesMax &&
                          operation.data().size() <= kComparedBytesMax;
  if (!comparable) return change;
  ASSIGN_OR_RETURN(const json::Value to, ParseField("data", operation.data(), limits));
  const absl::StatusOr<json::Value> from = ParseStored(state.data);
  if (from.ok()) {
    change.changed_paths = Bounded(json::ChangedPaths(*from, to, kChangedPathsMax));
  }
  return change;
}

}  // namespace

absl::Status ValidateOperation(const Operation& operation, const DataLimits& limits) {
  const struct {
    absl::string_view field;
    size_t bytes;
    size_t bytes_max;
    Reason reason;
  } kLengths[] = {
      {"op_id", operation.op_id().size(), kOperationIdBytesMax, Reason::kInvalidArgument},
      {"data", operation.data().size(), limits.data_bytes_max, Reason::kTooLarge},
      {"patch", operation.patch().size(), limits.data_bytes_max, Reason::kTooLarge},
      {"text", operation.text().size(), limits.data_bytes_max, Reason::kTooLarge},
      {"message", operation.message().size(), kMessageBytesMax, Reason::kTooLarge},
      {"metadata", operation.metadata().size(), kMetadataBytesMax, Reason::kTooLarge},
      {"category", operation.category().size(), kCategoryBytesMax, Reason::kInvalidArgument}};
  if (operation.op_id().empty()) {
    return MakeErrorAt(Reason::kInvalidArgument, "op_id", "an operation has an op_id");
  }
  for (const auto& length : kLengths) {
    if (length.bytes <= length.bytes_max) continue;
    return MakeErrorAt(length.reason, length.field,
                       absl::StrCat(length.field, " is larger than ", length.bytes_max, " bytes"));
  }
  switch (operation.kind()) {
    case common::v1::OPERATION_KIND_CREATE:
    case common::v1::OPERATION_KIND_UPDATE:
      if (!operation.data().empty()) return absl::OkStatus();
      return MakeErrorAt(Reason::kInvalidArgument, "data", "create and update need data");
    case common::v1::OPERATION_KIND_PATCH:
      if (!operation.patch().empty()) return absl::OkStatus();
      return MakeErrorAt(Reason::kInvalidArgument, "patch", "patch needs a patch");
    case common::v1::OPERATION_KIND_DELETE:
      return absl::OkStatus();
    case common::v1::OPERATION_KIND_TEXT:
      if (!operation.text().empty()) return absl::OkStatus();
      return MakeErrorAt(Reason::kInvalidArgument, "text", "text needs {path, ops}");
    default:
      return MakeErrorAt(Reason::kInvalidArgument, "operation", "there is no such operation");
  }
}

absl::StatusOr<Change> ApplyOperation(const Operation& operation, const EntityState& state,
                                      const DataLimits& limits) {
  switch (operation.kind()) {
    case common::v1::OPERATION_KIND_CREATE:
      if (state.alive()) return MakeError(Reason::kAlreadyExists, "the entity lives already");
      return Change{.data = operation.data(), .changed_paths = WholeValue()};
    case common::v1::OPERATION_KIND_UPDATE:
      return ApplyUpdate(operation, state, limits);
    case common::v1::OPERATION_KIND_PATCH:
      return ApplyPatch(operation, state, limits);
    case common::v1::OPERATION_KIND_DELETE:
      if (!state.alive()) return MakeError(Reason::kNotFound, "there is nothing to delete");
      return Change{.deleted = true, .changed_paths = WholeValue()};
    default:
      return MakeErrorAt(Reason::kInvalidArgument, "operation", "there is no such operation");
  }
}

bool UsesBase(const Operation& operation) {
  return operation.kind() != common::v1::OPERATION_KIND_CREATE && !operation.base_version().empty();
}

std::vector<std::string> ChangedPathsBetween(const EntityState& from, const EntityState& to,
                                             const DataLimits& limits) {
  if (!from.alive() || to.deleted || from.data.size() > kComparedBytesMax ||
      to.data.size() > kComparedBytesMax) {
    return WholeValue();
  }
  const absl::StatusOr<json::Value> before = ParseStored(from.data);
  const absl::StatusOr<json::Value> after = ParseStored(to.data);
  if (!before.ok() || !after.ok()) return WholeValue();
  return Bounded(json::ChangedPaths(*before, *after, kChangedPathsMax));
}

int64_t ClientTimeAfter(const EntityState& base, int64_t client_time_ms) {
  if (client_time_ms == 0 || !base.exists()) return client_time_ms;
  const bool by_clock = base.client_time_ms > 0;
  if (base.time_ms == 0) {
    // It is committed together with the change: without a clock of its own that is its time.
    return by_clock ? std::max(client_time_ms, base.client_time_ms) : 0;
  }
  const int64_t base_ms = by_clock ? std::min(base.client_time_ms, base.time_ms) : base.time_ms;
  return std::max(client_time_ms, base_ms);
}

std::shared_ptr<EntityState> NextState(const EntityState& head, const Operation& operation,
                                       const common::v1::Actor& actor, uint64_t event_id) {
  auto next = std::make_shared<EntityState>();
  next->revision = head.revision + 1;
  next->event_id = event_id;
  next->category = operation.category().empty() ? head.category : operation.category();
  next->user_id = actor.user_id();
  next->device_id = actor.device_id();
  next->client_time_ms = operation.client_time_ms();
  return next;
}

std::string DescribeVersion(const Operation& operation, const EntityState& head,
                            const EntityState& next, const EntityState* merged_with,
                            std::vector<std::string> changed_paths, absl::string_view text) {
  // One per thread, emptied and kept with the memory of its fields, which are small.
  thread_local v1::VersionMeta meta;
  meta.Clear();
  meta.set_operation(operation.kind());
  meta.set_outcome(merged_with == nullptr ? common::v1::OUTCOME_APPLIED
                                          : common::v1::OUTCOME_MERGED);
  meta.set_op_id(operation.op_id());
  meta.set_user_id(next.user_id);
  meta.set_device_id(next.device_id);
  meta.set_client_time_ms(next.client_time_ms);
  meta.set_message(operation.message());
  if (head.exists()) meta.add_parents(head.version_id());
  if (merged_with != nullptr) meta.add_parents(merged_with->version_id());
  for (std::string& path : Bounded(std::move(changed_paths))) {
    meta.add_changed_paths(std::move(path));
  }
  meta.set_category(next.category);
  // Who deletes what is gone already had the base in view, not what others made of it since.
  const bool gone = merged_with != nullptr && next.deleted && !head.alive();
  meta.set_previous_category(gone ? merged_with->category : head.category);
  meta.set_existed_before(head.alive());
  if (operation.patch().size() <= kKeptPatchBytesMax) meta.set_patch(operation.patch());
  meta.set_metadata(operation.metadata());
  if (text.size() <= kKeptTextBytesMax &&
      meta.ByteSizeLong() + kFieldBytesMax + text.size() <= kDescriptionBytesMax) {
    meta.set_text(std::string(text));
  }
  return meta.SerializeAsString();
}

absl::Status BaseNotFound() {
  return MakeErrorAt(Reason::kBaseNotFound, "base_version", "the entity has no such version");
}

absl::Status NothingToEdit() { return MakeError(Reason::kNotFound, "there is no text to edit"); }

absl::Status TextTooLarge(const DataLimits& limits) {
  return TooLarge("text", limits.data_bytes_max);
}

}  // namespace bdcsync::version
