// Configuration as people read it: YAML with sources, a Markdown table, the text of --help.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "libs/config/loader.h"
#include "libs/config/secret_mask.h"

namespace bdcsync::config {
namespace {

constexpr absl::string_view kIndent = "  ";

// YAML knows the escapes of C but that of the apostrophe.
std::string Quote(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(absl::Utf8SafeCHexEscape(text), {{"\\'", "'"}}),
                      "\"");
}

// The value as one line of YAML.
std::string YamlValue(const Key& key, const Value& value) {
  if (key.type == Type::kString) return Quote(std::get<std::string>(value));
  if (key.type == Type::kStringList) {
    const auto& items = std::get<std::vector<std::string>>(value);
    return absl::StrCat(
        "[",
        absl::StrJoin(items, ", ",
                      [](std::string* out, const auto& item) { out->append(Quote(item)); }),
        "]");
  }
  if (key.type == Type::kStringMap) {
    const auto& pairs = std::get<std::map<std::string, std::string>>(value);
    return absl::StrCat("{",
                        absl::StrJoin(pairs, ", ",
                                      [](std::string* out, const auto& pair) {
                                        absl::StrAppend(out, Quote(pair.first), ": ",
                                                        Quote(pair.second));
                                      }),
                        "}");
  }
  return FormatValue(key, value);
}

// Keys and sections in the order in which they first appear.
struct Section {
  std::vector<std::string> order;
  std::map<std::string, Section> sections;
  std::map<std::string, const Key*> keys;
};

Section Arrange(const Schema& schema) {
  Section root;
  for (const Key& key : schema.keys()) {
    std::vector<std::string> path = absl::StrSplit(key.name, '.');
    const std::string last = path.back();
    path.pop_back();
    Section* section = &root;
    for (const std::string& part : path) {
      if (section->sections.count(part) == 0) section->order.push_back(part);
      section = &section->sections[part];
    }
    section->order.push_back(last);
    section->keys[last] = &key;
  }
  return root;
}

void Append(const Section& section, const Values& values, const std::string& indent,
            std::string& out) {
  for (const std::string& name : section.order) {
    if (const auto inner = section.sections.find(name); inner != section.sections.end()) {
      absl::StrAppend(&out, indent, name, ":\n");
      Append(inner->second, values, absl::StrCat(indent, kIndent), out);
      continue;
    }
    const Key& key = *section.keys.at(name);
    const bool masked =
        key.secret && values.IsSet(key.name) && !FormatValue(key, values.GetAny(key.name)).empty();
    absl::StrAppend(&out, indent, name, ": ",
                    masked ? Quote(kSecretMask) : YamlValue(key, values.GetAny(key.name)), "  # ",
                    values.SourceOf(key.name), "\n");
  }
}

std::string TypeName(Type type) {
  switch (type) {
    case Type::kBool:
      return "true or false";
    case Type::kInt:
      return "whole number";
    case Type::kDouble:
      return "number";
    case Type::kDuration:
      return "duration";
    case Type::kBytes:
      return "size";
    case Type::kString:
      return "text";
    case Type::kStringList:
      return "list";
    case Type::kStringMap:
      return "mapping";
  }
  return "";
}

std::string Cell(absl::string_view text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

std::string CodeCell(absl::string_view text) {
  return text.empty() ? "" : absl::StrCat("`", Cell(text), "`");
}

}  // namespace

std::string PrintYaml(const Schema& schema, const Values& values) {
  std::string out;
  Append(Arrange(schema), values, "", out);
  return out;
}

std::string PrintPassedOver(const std::vector<PassedOver>& passed_over) {
  if (passed_over.empty()) return "";
  std::string out = "# Set, but for other services:\n";
  for (const PassedOver& one : passed_over) {
    absl::StrAppend(&out, "#   ", one.key->name, " (", one.key->service, ")  ", one.source, "\n");
  }
  return out;
}

std::string PrintDocs(const Schema& schema) {
  std::string out =
      "| key | environment | type | default | allowed | reload | meaning |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Key& key : schema.keys()) {
    std::string environment = CodeCell(EnvironmentName(key.name));
    if (!key.env_alias.empty()) absl::StrAppend(&environment, ", ", CodeCell(key.env_alias));
    if (key.secret) absl::StrAppend(&environment, ", `…_FILE`");
    absl::StrAppend(&out, "| `", key.name, "` | ", environment, " | ", TypeName(key.type), " | ",
                    CodeCell(FormatValue(key, key.default_value)), " | ");
    absl::StrAppend(&out, Cell(DescribeRange(key)), " | ", key.reloadable ? "yes" : "no", " | ",
                    Cell(key.doc), key.secret ? " Secret." : "", " |\n");
  }
  return out;
}

std::string PrintHelp(const Schema& schema, absl::string_view program) {
  std::string out = absl::StrCat(
      "usage: ", program, " [--config FILE] [--KEY=VALUE …]\n\n",
      "Values come from defaults, then the YAML file (--config or BDC_SYNC_CONFIG), then the\n"
      "environment, then flags; the last one wins.\n\n"
      "  --config FILE         read this YAML file\n"
      "  --check-config        check all sources and stop\n"
      "  --print-config        print the values in effect, with their sources, and stop\n"
      "  --print-config-docs   print all keys as a Markdown table and stop\n"
      "  --version             print the version of this program and stop\n"
      "  --help                print this and stop\n\nKeys:\n");
  for (const Key& key : schema.keys()) {
    const std::string range = DescribeRange(key);
    absl::StrAppend(&out, "\n  ", KebabFlag(key.name), ", --", key.name, ", ",
                    EnvironmentName(key.name));
    if (!key.env_alias.empty()) absl::StrAppend(&out, ", ", key.env_alias);
    absl::StrAppend(&out, "\n      ", key.doc, "\n      ", TypeName(key.type));
    const std::string text = FormatValue(key, key.default_value);
    if (!text.empty()) absl::StrAppend(&out, ", default ", text);
    if (!range.empty()) absl::StrAppend(&out, ", allowed: ", range);
    absl::StrAppend(&out, "\n");
  }
  return out;
}

}  // namespace bdcsync::config
