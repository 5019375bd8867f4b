// Configuration files: whatever one holds, it is read or told to be wrong. What was read is
// printed, and that is read again with the same values.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "libs/config/yaml_file.h"

namespace {

namespace config = bdcsync::config;

constexpr config::SuiteKey kOthers[] = {{.name = "conflict.decisions_max", .service = "conflict"}};
constexpr char kPath[] = "fuzz.yaml";

void Require(bool holds) {
  if (!holds) std::abort();
}

config::Schema MakeSchema() {
  config::Schema schema;
  schema.Add(config::Bool{.name = "a.flag", .default_value = false, .doc = "A flag."});
  schema.Add(config::Int{.name = "a.port", .default_value = 1, .doc = "A port."});
  schema.Add(config::Double{.name = "a.rate", .default_value = 1, .doc = "A rate."});
  schema.Add(
      config::Duration{.name = "a.wait", .default_value = absl::Seconds(1), .doc = "A wait."});
  schema.Add(config::Bytes{.name = "a.size", .default_value = 1, .doc = "A size."});
  schema.Add(config::String{.name = "a.text", .doc = "A text."});
  schema.Add(config::StringList{.name = "a.hosts", .doc = "Hosts."});
  schema.Add(config::StringMap{.name = "a.map", .doc = "A map."});
  schema.Add(config::String{.name = "secret", .doc = "A secret.", .secret = true});
  return schema;
}

// What is wrong with `text`; nothing when it was read into `table`.
absl::Status Read(const config::Schema& schema, const std::string& text,
                  config::Values::Table& table) {
  for (const config::Key& key : schema.keys()) table[key.name] = {key.default_value, "default"};
  config::Settings settings;
  std::vector<config::PassedOver> passed_over;
  config::Mistakes mistakes;
  config::ReadYamlText(kPath, text, schema, kOthers, settings, passed_over, mistakes);
  for (config::Setting& setting : settings) {
    table[setting.key] = {std::move(setting.value), std::move(setting.source)};
  }
  return mistakes.ToStatus();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const config::Schema& schema = *new config::Schema(MakeSchema());
  config::Values::Table table;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!Read(schema, text, table).ok()) return 0;
  const config::Values values(table);
  if (values.IsSet("secret")) return 0;  // Printed masked.
  config::Values::Table again;
  Require(Read(schema, config::PrintYaml(schema, values), again).ok());
  for (const config::Key& key : schema.keys()) {
    Require(again[key.name].value == table[key.name].value);
  }
  return 0;
}
