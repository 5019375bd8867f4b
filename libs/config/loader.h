// Reads configuration: defaults < YAML file < environment < flags. Every mistake of every source is
// reported at once, each line naming source, key, what is wrong and what is allowed; unknown keys
// are mistakes, keys of other services are not. Functions keep no state; thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/config/schema.h"
#include "libs/config/suite_keys.h"
#include "libs/config/values.h"

namespace bdcsync::config {

// Names every BDC_SYNC_* variable that is not a key: tests and scripts own them, and `bdc-sync`
// takes its options from them, which users export in the shell where they start services too
// (tests/command_line/test_variables.py holds the two together). A '*' at the end stands for
// anything.
inline constexpr absl::string_view kIgnoredEnvironment[] = {
    "BDC_SYNC_CONFIG", "BDC_SYNC_TEST_*", "BDC_SYNC_REQUIRE_*", "BDC_SYNC_ADDRESS",
    "BDC_SYNC_SPACE",  "BDC_SYNC_TLS_CA", "BDC_SYNC_TOKEN",     "BDC_SYNC_USER"};

struct Sources {
  std::vector<std::string> arguments;  // Without the program's name.
  std::map<std::string, std::string> environment;
  // More names that are no mistake, beside kIgnoredEnvironment; a '*' at the end stands for
  // anything.
  std::vector<std::string> ignored_environment;
  // Keys of other services: passed over in file and environment, whatever their values. A key that
  // the schema has is never passed over.
  absl::Span<const SuiteKey> other_keys;
};

// What the command line asks for beside running.
enum class Action { kRun, kHelp, kVersion, kCheckConfig, kPrintConfig, kPrintConfigDocs };

// A key of another service that a source sets.
struct PassedOver {
  const SuiteKey* key;
  std::string source;  // As Values::SourceOf tells it.
};

struct Loaded {
  Values values;
  Action action = Action::kRun;
  std::string file;  // The YAML file that was read; empty when there was none.
  std::vector<PassedOver> passed_over;
};

// Reads all sources. INVALID_ARGUMENT: a text of one line per mistake, for the operator.
// With --help, --version or --print-config-docs nothing but the flags' form is checked.
absl::StatusOr<Loaded> Load(const Schema& schema, const Sources& sources);

// The process's own arguments (after the program's name) and environment, with SuiteKeys().
Sources ProcessSources(int argc, char** argv);

// All values as YAML that Load reads again, each with its source as a comment; secrets are masked.
std::string PrintYaml(const Schema& schema, const Values& values);
// A comment that lists keys of other services; empty without any.
std::string PrintPassedOver(const std::vector<PassedOver>& passed_over);
// A Markdown table of all keys, for docs/configuration.md.
std::string PrintDocs(const Schema& schema);
// What --help shows.
std::string PrintHelp(const Schema& schema, absl::string_view program);

}  // namespace bdcsync::config
