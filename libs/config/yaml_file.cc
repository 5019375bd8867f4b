#include "libs/config/yaml_file.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/config/suggest.h"
#include "libs/config/yaml_document.h"

namespace bdcsync::config {
namespace {

class Reader {
 public:
  Reader(const std::string& path, const Schema& schema, absl::Span<const SuiteKey> others,
         Settings& settings, std::vector<PassedOver>& passed_over, Mistakes& mistakes)
      : path_(path),
        schema_(schema),
        others_(others),
        settings_(settings),
        passed_over_(passed_over),
        mistakes_(mistakes) {}

  void ReadSection(const std::string& prefix, const YAML::Node& section, int depth) {
    for (const auto& item : section) {
      if (stopped_) return;
      if (++entries_ > kEntriesMax) {
        return Stop(item.first, absl::StrCat("more than ", kEntriesMax, " entries"));
      }
      if (!item.first.IsScalar()) {
        Add(item.first, prefix, "a name is plain text");
      } else if (item.first.Scalar().size() > kNameBytesMax) {
        Add(item.first, prefix, absl::StrCat("a name of more than ", kNameBytesMax, " bytes"));
      } else {
        ReadEntry(absl::StrCat(prefix, item.first.Scalar()), item.first, item.second, depth);
      }
    }
  }

 private:
  void ReadEntry(const std::string& name, const YAML::Node& at, const YAML::Node& value,
                 int depth) {
    const Key* const key = schema_.Find(name);
    const SuiteKey* const other = key == nullptr ? FindKey(others_, name) : nullptr;
    if ((key != nullptr || other != nullptr) && !seen_.insert(name).second) {
      Add(at, name, "is set twice");
    } else if (key != nullptr) {
      ReadValue(*key, value);
    } else if (other != nullptr) {
      passed_over_.push_back({other, absl::StrCat("file ", path_)});
    } else if (IsSection(name) && value.IsNull()) {
      // Nothing is left of it, as when its keys are made comments.
    } else if (!value.IsMap() && IsSection(name)) {
      Add(at, name, "is a section of keys, not a value");
    } else if (!value.IsMap() || (value.size() == 0 && !IsSection(name))) {
      Add(at, name, absl::StrCat("unknown key", Suggestion(name, KnownNames())));
    } else if (depth == kSectionDepthMax) {
      Add(at, name, "sections nest too deep");
    } else {
      ReadSection(name + ".", value, depth + 1);
    }
  }

  void ReadValue(const Key& key, const YAML::Node& node) {
    if (node.IsScalar() || node.IsNull()) {
      const std::string text = node.IsNull() ? "" : node.Scalar();
      absl::StatusOr<Value> value = ParseValue(key, text);
      if (value.ok()) {
        Set(key, *std::move(value));
      } else {
        Add(node, key.name, std::string(value.status().message()));
      }
    } else if (node.IsSequence() && key.type == Type::kStringList) {
      ReadList(key, node);
    } else if (node.IsMap() && key.type == Type::kStringMap) {
      ReadMap(key, node);
    } else {
      Add(node, key.name, node.IsMap() ? "is a value, not a section" : "takes a single value");
    }
  }

  // Whether keys of the suite begin with this name.
  bool IsSection(const std::string& name) const {
    const std::string prefix = name + ".";
    const auto begins = [&prefix](const auto& key) { return absl::StartsWith(key.name, prefix); };
    return absl::c_any_of(schema_.keys(), begins) || absl::c_any_of(others_, begins);
  }

  std::vector<std::string> KnownNames() const {
    std::vector<std::string> names;
    for (const Key& key : schema_.keys()) names.push_back(key.name);
    for (const SuiteKey& key : others_) names.emplace_back(key.name);
    return names;
  }

  void ReadList(const Key& key, const YAML::Node& node) {
    std::vector<std::string> items;
    for (const auto& item : node) {
      if (!item.IsScalar()) return Add(item, key.name, "takes a list of plain texts");
      items.push_back(item.Scalar());
    }
    Set(key, std::move(items));
  }

  void ReadMap(const Key& key, const YAML::Node& node) {
    std::map<std::string, std::string> pairs;
    for (const auto& item : node) {
      if (!item.first.IsScalar()) return Add(item.first, key.name, "takes plain names");
      if (!item.second.IsScalar()) return Add(item.second, key.name, "takes plain texts");
      const std::string& name = item.first.Scalar();
      if (!pairs.emplace(name, item.second.Scalar()).second) {
        return Add(item.first, absl::StrCat(key.name, ".", name), "is set twice");
      }
    }
    Set(key, std::move(pairs));
  }

  void Set(const Key& key, Value value) {
    settings_.push_back({key.name, absl::StrCat("file ", path_), std::move(value)});
  }

  void Add(const YAML::Node& node, const std::string& name, const std::string& what) {
    if (stopped_) return;
    const int line = node.Mark().line + 1;
    mistakes_.Add(absl::StrCat("file ", path_, ":", line, ": ", name), what);
    if (++wrong_ == kFileMistakesMax) Stop(node, "more may be wrong, which is not told");
  }

  void Stop(const YAML::Node& node, const std::string& why) {
    stopped_ = true;
    mistakes_.Add(absl::StrCat("file ", path_, ":", node.Mark().line + 1), why);
  }

  const std::string& path_;
  const Schema& schema_;
  const absl::Span<const SuiteKey> others_;
  Settings& settings_;
  std::vector<PassedOver>& passed_over_;
  Mistakes& mistakes_;
  std::set<std::string> seen_;
  int entries_ = 0;
  int wrong_ = 0;
  bool stopped_ = false;
};

}  // namespace

std::string ReadFile(const std::string& path, absl::string_view where, Mistakes& mistakes) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  if (!file || !file.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
    mistakes.Add(where, file.good() ? absl::StrCat(path, " is larger than 1 MiB")
                                    : absl::StrCat("cannot read ", path));
    return "";
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

void ReadYamlText(const std::string& path, const std::string& text, const Schema& schema,
                  absl::Span<const SuiteKey> others, Settings& settings,
                  std::vector<PassedOver>& passed_over, Mistakes& mistakes) {
  const std::string where = absl::StrCat("file ", path);
  try {
    const YAML::Node root = YAML::Load(text);
    if (!IsOneYamlDocument(text)) return mistakes.Add(where, "is more than one document");
    if (root.IsMap()) {
      Reader(path, schema, others, settings, passed_over, mistakes).ReadSection("", root, 1);
    } else if (!root.IsNull()) {
      mistakes.Add(where, "is not a mapping of keys to values");
    }
  } catch (const YAML::Exception& error) {
    mistakes.Add(absl::StrCat(where, ":", error.mark.line + 1), error.msg);
  }
}

void ReadYaml(const std::string& path, const Schema& schema, absl::Span<const SuiteKey> others,
              Settings& settings, std::vector<PassedOver>& passed_over, Mistakes& mistakes) {
  const std::string text = ReadFile(path, absl::StrCat("file ", path), mistakes);
  ReadYamlText(path, text, schema, others, settings, passed_over, mistakes);
}

}  // namespace bdcsync::config
