#include "libs/ot/delta_json.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/ot/utf16.h"

namespace bdcsync::ot {
namespace {

using json::Value;

class Parser {
 public:
  explicit Parser(const DeltaLimits& limits) : limits_(limits) {}

  absl::Status Add(const Value& operation, size_t index) {
    index_ = index;
    if (!operation.is_object()) return Wrong("", "an operation is an object");
    const Value* action = nullptr;
    const Value* formats = nullptr;
    absl::string_view name;
    for (const json::Member& member : operation.object()) {
      if (member.key == "attributes") {
        formats = &member.value;
      } else if (member.key != "insert" && member.key != "retain" && member.key != "delete") {
        return Wrong(member.key, "unknown member");
      } else if (action != nullptr) {
        return Wrong(member.key, "one operation either inserts, retains or deletes");
      } else {
        action = &member.value;
        name = member.key;
      }
    }
    if (action == nullptr) return Wrong("", "an operation has insert, retain or delete");
    if (name == "delete" && formats != nullptr) {
      return Wrong("attributes", "what is deleted has no formats");
    }
    ASSIGN_OR_RETURN(const Attributes attributes, ReadAttributes(formats));
    if (name == "insert") return AddInsert(*action, attributes.WithoutNulls());
    ASSIGN_OR_RETURN(const int64_t length, ReadLength(name, *action));
    if (name == "retain") {
      delta_.Retain(length, attributes);
    } else {
      delta_.Delete(length);
    }
    return absl::OkStatus();
  }

  Delta Take() { return std::move(delta_); }

 private:
  absl::Status Fail(Reason reason, absl::string_view member, absl::string_view message) const {
    return MakeErrorAt(reason, absl::StrCat("/", index_, member.empty() ? "" : "/", member),
                       message);
  }
  absl::Status Wrong(absl::string_view member, absl::string_view message) const {
    return Fail(Reason::kInvalidArgument, member, message);
  }

  absl::Status Count(absl::string_view member, int64_t length) {
    if (length > limits_.length_max - length_) {
      return Fail(Reason::kTooLarge, member,
                  absl::StrCat("more than ", limits_.length_max, " units in one delta"));
    }
    length_ += length;
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> ReadLength(absl::string_view name, const Value& value) {
    const absl::StatusOr<int64_t> length = value.AsInt64();
    if (!length.ok() || *length <= 0) return Wrong(name, "want an integer above 0");
    RETURN_IF_ERROR(Count(name, *length));
    return *length;
  }

  absl::StatusOr<Attributes> ReadAttributes(const Value* value) const {
    if (value == nullptr) return Attributes();
    if (!value->is_object()) return Wrong("attributes", "want an object");
    if (value->object().size() > limits_.attributes_max) {
      return Fail(Reason::kTooLarge, "attributes",
                  absl::StrCat("more than ", limits_.attributes_max, " names"));
    }
    RETURN_IF_ERROR(CheckSize("attributes", *value));
    return Attributes(value->object());
  }

  absl::Status AddInsert(const Value& value, const Attributes& attributes) {
    if (value.is_object() && !value.object().empty()) {
      RETURN_IF_ERROR(CheckSize("insert", value));
      RETURN_IF_ERROR(Count("insert", 1));
      delta_.InsertEmbed(Embed(value), attributes);
      return absl::OkStatus();
    }
    if (!value.is_string()) return Wrong("insert", "want a text, or an object with a member");
    const absl::string_view text = value.string();
    if (text.empty()) return Wrong("insert", "the text is empty");
    if (!IsUtf8(text)) return Wrong("insert", "not UTF-8, or half of a surrogate pair");
    text_bytes_ += text.size();
    if (text_bytes_ > limits_.text_bytes_max) {
      return Fail(Reason::kTooLarge, "insert",
                  absl::StrCat("more than ", limits_.text_bytes_max, " bytes of text"));
    }
    const int64_t units = SizeOf(text).units;
    RETURN_IF_ERROR(Count("insert", units));
    delta_.InsertText(text, units, attributes);
    return absl::OkStatus();
  }

  absl::Status CheckSize(absl::string_view member, const Value& value) const {
    if (json::Measure(value).bytes <= limits_.value_bytes_max) return absl::OkStatus();
    return Fail(Reason::kTooLarge, member,
                absl::StrCat("more than ", limits_.value_bytes_max, " bytes of JSON"));
  }

  const DeltaLimits& limits_;
  Delta delta_;
  size_t index_ = 0;
  size_t text_bytes_ = 0;
  int64_t length_ = 0;
};

}  // namespace

absl::StatusOr<Delta> ParseDelta(const Value& value, const DeltaLimits& limits) {
  if (!value.is_array()) {
    return MakeError(Reason::kInvalidArgument, "a delta is an array of operations");
  }
  const json::Array& operations = value.array();
  if (operations.size() > limits.components_max) {
    return MakeError(Reason::kTooLarge,
                     absl::StrCat("more than ", limits.components_max, " operations in one delta"));
  }
  Parser parser(limits);
  for (size_t i = 0; i < operations.size(); ++i) RETURN_IF_ERROR(parser.Add(operations[i], i));
  return parser.Take();
}

absl::StatusOr<Delta> ParseDocument(const Value& value, const DeltaLimits& limits) {
  if (value.is_array()) {
    const json::Array& operations = value.array();
    const auto other = std::find_if(operations.begin(), operations.end(), [](const Value& item) {
      return item.is_object() && item.Find("insert") == nullptr;
    });
    if (other != operations.end()) {
      return MakeErrorAt(Reason::kInvalidArgument, absl::StrCat("/", other - operations.begin()),
                         "a document only inserts");
    }
  }
  return ParseDelta(value, limits);
}

Value ToJson(const Delta& delta) {
  json::Array operations;
  operations.reserve(delta.components().size());
  for (const Component& component : delta.components()) {
    Value& operation = operations.emplace_back(json::Object());
    switch (component.kind) {
      case Component::Kind::kRetain:
        operation.Set("retain", component.length);
        break;
      case Component::Kind::kDelete:
        operation.Set("delete", component.length);
        break;
      case Component::Kind::kText:
        operation.Set("insert", component.text);
        break;
      case Component::Kind::kEmbed:
        operation.Set("insert", *component.embed);
        break;
    }
    if (!component.attributes.empty()) {
      json::Object formats;
      for (const Format& format : component.attributes.formats()) {
        formats.AddNew(format.name(), json::Value(format.value()));
      }
      operation.Set("attributes", std::move(formats));
    }
  }
  return operations;
}

}  // namespace bdcsync::ot
