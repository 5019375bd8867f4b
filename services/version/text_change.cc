#include "services/version/text_change.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/pointer.h"
#include "libs/json/serialize.h"
#include "libs/ot/delta_json.h"

namespace bdcsync::version {
namespace {

constexpr absl::string_view kOpsPlace = "/text/ops";

absl::Status Invalid(absl::string_view place, absl::string_view message) {
  return MakeErrorAt(Reason::kInvalidArgument, place, message);
}

// Units of the text that an operation, which was read before, passes over.
int64_t PassedBy(const json::Value& operation) {
  for (const absl::string_view name : {"retain", "delete"}) {
    const json::Value* length = operation.Find(name);
    if (length != nullptr) return length->AsInt64().value_or(0);
  }
  return 0;
}

}  // namespace

absl::StatusOr<TextChange> ReadTextChange(absl::string_view text, const DataLimits& limits) {
  const absl::StatusOr<json::Value> value =
      json::Parse(text, {.depth_max = limits.data_depth_max, .bytes_max = limits.data_bytes_max});
  if (!value.ok()) {
    const Reason found = ReasonOf(value.status());
    return MakeErrorAt(found == Reason::kBadMessage ? Reason::kInvalidArgument : found, "/text",
                       value.status().message());
  }
  if (!value->is_object()) return Invalid("/text", "text is an object {path, ops}");
  const json::Value* path = value->Find("path");
  if (path == nullptr || !path->is_string() || !json::ParsePointer(path->string()).ok()) {
    return Invalid("/text/path", "path is a JSON pointer to the text");
  }
  const json::Value* ops = value->Find("ops");
  if (ops == nullptr) return Invalid(kOpsPlace, "ops is an array of Delta operations");
  absl::StatusOr<ot::Delta> delta = ot::ParseDelta(*ops, {.text_bytes_max = limits.data_bytes_max});
  if (!delta.ok()) {
    return MakeErrorAt(ReasonOf(delta.status()), absl::StrCat(kOpsPlace, PathOf(delta.status())),
                       delta.status().message());
  }
  return TextChange{std::string(path->string()), *std::move(delta)};
}

std::string WriteTextChange(absl::string_view path, const ot::Delta& ops) {
  std::string text = "{\"path\":";
  json::AppendQuoted(path, text);
  text += ",\"ops\":";
  json::AppendTo(ot::ToJson(ops), text);
  text += '}';
  return text;
}

int64_t GrowthOf(const ot::Delta& ops) {
  int64_t growth = 0;
  for (const ot::Component& component : ops.components()) {
    if (component.inserts()) growth += component.length;
    if (component.kind == ot::Component::Kind::kDelete) growth -= component.length;
  }
  return growth;
}

bool IsRich(const ot::Delta& ops) {
  return std::any_of(
      ops.components().begin(), ops.components().end(), [](const ot::Component& component) {
        return component.kind == ot::Component::Kind::kEmbed || !component.attributes.empty();
      });
}

size_t MemoryOf(const ot::Delta& ops) {
  size_t bytes = sizeof(ot::Delta);
  if (ops.components().size() > ot::Delta::kInlineComponents) {
    bytes += ops.components().size() * sizeof(ot::Component);
  }
  for (const ot::Component& component : ops.components()) {
    bytes += component.text.size();
    if (component.embed) bytes += json::Measure(*component.embed).bytes;
    for (const ot::Format& format : component.attributes.formats()) {
      bytes += sizeof(json::Member) + format.name().size() + json::Measure(format.value()).bytes;
    }
  }
  return bytes;
}

bool Overlap(absl::string_view changed, absl::string_view path) {
  const auto within = [](absl::string_view inner, absl::string_view outer) {
    return absl::ConsumePrefix(&inner, outer) && (inner.empty() || inner.front() == '/');
  };
  return within(changed, path) || within(path, changed);
}

absl::Status FaultAsSent(const absl::Status& fault, const ot::Delta& ops, int64_t units,
                         absl::string_view text) {
  const auto at = [&fault](absl::string_view place) {
    return MakeErrorAt(ReasonOf(fault), place, fault.message());
  };
  size_t index = 0;
  if (!absl::SimpleAtoi(absl::StripPrefix(PathOf(fault), "/"), &index)) return at(kOpsPlace);
  // The place in the text that the operation at fault reaches, or the first that is not there.
  int64_t reached = 0;
  for (size_t i = 0; i <= index && i < ops.components().size(); ++i) {
    const ot::Component& component = ops.components()[i];
    if (!component.inserts()) reached += component.length;
  }
  reached = std::min(reached, units + 1);
  const absl::StatusOr<json::Value> sent = json::Parse(text, {.depth_max = json::kDepthCeiling});
  const json::Value* operations = sent.ok() ? sent->Find("ops") : nullptr;
  if (operations == nullptr) return at(kOpsPlace);
  int64_t passed = 0;
  for (size_t i = 0; i < operations->array().size(); ++i) {
    passed += PassedBy(operations->array()[i]);
    if (passed >= reached) return at(absl::StrCat(kOpsPlace, "/", i));
  }
  return at(kOpsPlace);
}

}  // namespace bdcsync::version
