#include "libs/config/loader.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "libs/base/status.h"
#include "libs/config/environment.h"
#include "libs/config/flags.h"
#include "libs/config/mistakes.h"
#include "libs/config/yaml_file.h"

namespace bdcsync::config {
namespace {

constexpr char kFileVariable[] = "BDC_SYNC_CONFIG";

Values::Table Defaults(const Schema& schema) {
  Values::Table table;
  for (const Key& key : schema.keys()) table[key.name] = {key.default_value, "default"};
  return table;
}

void Apply(Settings settings, Values::Table& table) {
  for (Setting& setting : settings) {
    table[setting.key] = {std::move(setting.value), std::move(setting.source)};
  }
}

}  // namespace

absl::StatusOr<Loaded> Load(const Schema& schema, const Sources& sources) {
  Mistakes mistakes;
  Flags flags = ReadFlags(sources.arguments, schema, sources.other_keys, mistakes);
  Values::Table table = Defaults(schema);
  if (flags.action == Action::kHelp || flags.action == Action::kVersion ||
      flags.action == Action::kPrintConfigDocs) {
    RETURN_IF_ERROR(mistakes.ToStatus());
    return Loaded{Values(std::move(table)), flags.action, "", {}};
  }

  std::string file = flags.file;
  const auto variable = sources.environment.find(kFileVariable);
  if (file.empty() && variable != sources.environment.end()) file = variable->second;
  Settings settings;
  std::vector<PassedOver> passed_over;
  if (!file.empty()) {
    ReadYaml(file, schema, sources.other_keys, settings, passed_over, mistakes);
  }
  ReadEnvironment(sources, schema, settings, passed_over, mistakes);
  RETURN_IF_ERROR(mistakes.ToStatus());

  Apply(std::move(settings), table);
  Apply(std::move(flags.settings), table);
  return Loaded{Values(std::move(table)), flags.action, std::move(file), std::move(passed_over)};
}

Sources ProcessSources(int argc, char** argv) {
  Sources sources;
  sources.other_keys = SuiteKeys();
  for (int i = 1; i < argc; ++i) sources.arguments.emplace_back(argv[i]);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    sources.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return sources;
}

}  // namespace bdcsync::config
