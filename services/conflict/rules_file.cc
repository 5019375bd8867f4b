#include "services/conflict/rules_file.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/config/yaml_document.h"
#include "libs/json/serialize.h"
#include "libs/json/value.h"

namespace bdcsync::conflict {
namespace {

using json::Value;

absl::Status WrongAt(const YAML::Node& node, absl::string_view what) {
  return MakeError(Reason::kInvalidArgument,
                   absl::StrCat("line ", node.Mark().line + 1, ": ", what));
}

// An alias may stand for much: what is read counts.
class NodeReader {
 public:
  absl::StatusOr<Value> Read(const YAML::Node& node, size_t depth) {
    if (depth > kRuleSetDepthMax) return MakeError(Reason::kTooDeep, "the rules nest too deep");
    if (++nodes_ > kRulesFileNodesMax) {
      return MakeError(Reason::kTooLarge, "the file holds too much");
    }
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return Value(node.Scalar());
      case YAML::NodeType::Sequence: {
        json::Array array;
        for (const YAML::Node& element : node) {
          ASSIGN_OR_RETURN(Value value, Read(element, depth + 1));
          array.push_back(std::move(value));
        }
        return Value(std::move(array));
      }
      case YAML::NodeType::Map: {
        json::Object object;
        for (const auto& member : node) {
          if (!member.first.IsScalar()) return WrongAt(member.first, "expected a name");
          if (object.contains(member.first.Scalar())) return WrongAt(member.first, "set twice");
          ASSIGN_OR_RETURN(Value value, Read(member.second, depth + 1));
          object.Set(member.first.Scalar(), std::move(value));
        }
        return Value(std::move(object));
      }
      default:
        return Value();
    }
  }

 private:
  size_t nodes_ = 0;
};

}  // namespace

absl::StatusOr<RuleTexts> ParseRulesFile(absl::string_view text) {
  RuleTexts sets;
  try {
    const std::string document(text);
    const YAML::Node root = YAML::Load(document);
    if (!config::IsOneYamlDocument(document)) {
      return MakeError(Reason::kInvalidArgument, "the file is more than one document");
    }
    if (root.IsNull()) return sets;
    if (!root.IsMap()) return WrongAt(root, "expected {entity type: rule set}");
    NodeReader reader;
    ASSIGN_OR_RETURN(const Value value, reader.Read(root, 0));
    for (const json::Member& member : value.object()) {
      sets.emplace(member.key, json::Serialize(member.value));
    }
  } catch (const YAML::Exception& error) {
    return MakeError(Reason::kInvalidArgument,
                     absl::StrCat("line ", error.mark.line + 1, ": ", error.msg));
  }
  return sets;
}

absl::StatusOr<bool> RulesFile::Look() {
  std::ifstream file(path_, std::ios::binary);
  std::string text(kRulesFileBytesMax + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file && !file.eof()) {
    return MakeError(Reason::kInvalidArgument, absl::StrCat("cannot read ", path_));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kRulesFileBytesMax) {
    return MakeError(Reason::kTooLarge,
                     absl::StrCat(path_, " has more than ", kRulesFileBytesMax, " bytes"));
  }
  unsettled_ = accepted_ && text != text_;
  text_ = std::move(text);
  return !unsettled_ && accepted_ != text_;
}

}  // namespace bdcsync::conflict
