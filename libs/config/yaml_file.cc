#include "libs/config/yaml_file.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/config/suggest.h"

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

  void ReadSection(const std::string& prefix, const YAML::Node& section) {
    for (const auto& item : section) {
      const std::string name = absl::StrCat(prefix, item.first.Scalar());
      const Key* key = schema_.Find(name);
      if (key != nullptr) {
        if (!seen_.insert(name).second) {
          Add(item.first, name, "is set twice");
        } else {
          ReadValue(*key, item.second);
        }
      } else if (const SuiteKey* const other = FindKey(others_, name); other != nullptr) {
        passed_over_.push_back({other, absl::StrCat("file ", path_)});
      } else if (item.second.IsMap()) {
        ReadSection(name + ".", item.second);
      } else {
        Add(item.first, name, absl::StrCat("unknown key", Suggestion(name, KnownNames())));
      }
    }
  }

 private:
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
    const int line = node.Mark().line + 1;
    mistakes_.Add(absl::StrCat("file ", path_, ":", line, ": ", name), what);
  }

  const std::string& path_;
  const Schema& schema_;
  const absl::Span<const SuiteKey> others_;
  Settings& settings_;
  std::vector<PassedOver>& passed_over_;
  Mistakes& mistakes_;
  std::set<std::string> seen_;
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

void ReadYaml(const std::string& path, const Schema& schema, absl::Span<const SuiteKey> others,
              Settings& settings, std::vector<PassedOver>& passed_over, Mistakes& mistakes) {
  const std::string where = absl::StrCat("file ", path);
  const std::string text = ReadFile(path, where, mistakes);
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsMap()) {
      Reader(path, schema, others, settings, passed_over, mistakes).ReadSection("", root);
    } else if (!root.IsNull()) {
      mistakes.Add(where, "is not a mapping of keys to values");
    }
  } catch (const YAML::Exception& error) {
    mistakes.Add(absl::StrCat(where, ":", error.mark.line + 1), error.msg);
  }
}

}  // namespace bdcsync::config
