#include "services/version/text_document.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/pointer.h"
#include "libs/json/serialize.h"
#include "libs/ot/delta_json.h"
#include "services/version/text_change.h"

namespace bdcsync::version {
namespace {

absl::Status NoText(absl::string_view message) {
  return MakeErrorAt(Reason::kPreconditionFailed, "/text/path", message);
}

// The JSON of a value with a hole in it.
struct Around {
  std::string before;
  std::vector<std::string> after;  // From the outside in.
};

// Steps into the member `token`, which need not be there; null then.
const json::Value* StepIntoObject(const json::Object& object, absl::string_view token,
                                  Around& around) {
  const json::Value* found = nullptr;
  std::string after;
  around.before += '{';
  for (const json::Member& member : object) {
    if (member.key == token) {
      found = &member.value;
      continue;
    }
    std::string& out = found == nullptr ? around.before : after;
    if (found != nullptr) out += ',';
    json::AppendQuoted(member.key, out);
    out += ':';
    json::AppendTo(member.value, out);
    if (found == nullptr) out += ',';
  }
  json::AppendQuoted(token, around.before);
  around.before += ':';
  around.after.push_back(after + "}");
  return found;
}

void StepIntoArray(const json::Array& array, size_t index, Around& around) {
  std::string after;
  around.before += '[';
  for (size_t i = 0; i < array.size(); ++i) {
    if (i == index) continue;
    std::string& out = i < index ? around.before : after;
    if (i > index) out += ',';
    json::AppendTo(array[i], out);
    if (i < index) out += ',';
  }
  around.after.push_back(after + "]");
}

// Limits may have been wider when it was stored.
constexpr ot::DeltaLimits kAsStored{.components_max = SIZE_MAX,
                                    .text_bytes_max = SIZE_MAX,
                                    .attributes_max = SIZE_MAX,
                                    .value_bytes_max = SIZE_MAX};

}  // namespace

absl::StatusOr<TextDocument> TextDocument::Open(absl::string_view data, absl::string_view path) {
  const absl::StatusOr<json::Value> value = json::Parse(data, {.depth_max = json::kDepthCeiling});
  if (!value.ok()) return MakeError(Reason::kInternal, "the stored data is not JSON");
  ASSIGN_OR_RETURN(const json::PointerTokens tokens, json::ParsePointer(path));
  TextDocument text;
  Around around;
  const json::Value* at = &*value;
  for (const std::string& token : tokens) {
    if (at != nullptr && at->is_object()) {
      at = StepIntoObject(at->object(), token, around);
    } else if (at != nullptr && at->is_array()) {
      const std::optional<size_t> index = json::ParseIndex(token);
      if (!index.has_value() || *index >= at->array().size()) return NoText("no such element");
      StepIntoArray(at->array(), *index, around);
      at = &at->array()[*index];
      text.in_array_ = true;
    } else {
      return NoText("nothing holds a text there");
    }
  }
  ot::Delta content;
  if (at != nullptr && at->is_array()) {
    absl::StatusOr<ot::Delta> rich = ot::ParseDocument(*at, kAsStored);
    if (!rich.ok()) return NoText("the array there is not rich text");
    content = *std::move(rich);
    text.rich_ = true;
  } else if (at != nullptr && at->is_string()) {
    content.InsertText(at->string());
  } else if (at != nullptr && !at->is_null()) {
    return NoText(
        absl::StrCat("there is no text but a value of kind ", json::KindName(at->kind())));
  }
  ASSIGN_OR_RETURN(text.document_, ot::Document::From(content));
  text.before_ = std::move(around.before);
  for (auto part = around.after.rbegin(); part != around.after.rend(); ++part) {
    text.after_ += *part;
  }
  return text;
}

absl::Status TextDocument::Apply(const ot::Delta& ops) {
  RETURN_IF_ERROR(document_.Apply(ops));
  rich_ = rich_ || IsRich(ops);
  return absl::OkStatus();
}

std::optional<std::string> TextDocument::Write(size_t bytes_max) const {
  if (document_.HasFormatsOver(static_cast<int64_t>(bytes_max))) return std::nullopt;
  std::string data;
  data.reserve(before_.size() + static_cast<size_t>(document_.size().bytes) + after_.size() + 64);
  data += before_;
  if (rich_) {
    json::AppendTo(ot::ToJson(document_.Content()), data);
  } else {
    json::AppendQuoted(document_.Text(), data);
  }
  data += after_;
  if (data.size() > bytes_max) return std::nullopt;
  return data;
}

}  // namespace bdcsync::version
