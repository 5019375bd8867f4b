#include "libs/config/environment.h"

#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "libs/config/suggest.h"
#include "libs/config/yaml_file.h"

namespace bdcsync::config {
namespace {

constexpr absl::string_view kPrefix = "BDC_SYNC_";

bool Matches(absl::string_view name, absl::string_view pattern) {
  if (absl::ConsumeSuffix(&pattern, "*")) return absl::StartsWith(name, pattern);
  return name == pattern;
}

// <SERVICE>_SERVICE_HOST, <SERVICE>_PORT=tcp://… and so on, as Kubernetes sets in every container.
bool IsServiceLink(absl::string_view name, absl::string_view value) {
  return absl::EndsWith(name, "_SERVICE_HOST") || absl::StrContains(name, "_SERVICE_PORT") ||
         absl::StartsWith(value, "tcp://") || absl::StartsWith(value, "udp://") ||
         absl::StrContains(name, "_TCP_") || absl::StrContains(name, "_UDP_");
}

bool IsIgnored(const Sources& sources, absl::string_view name, absl::string_view value) {
  for (const absl::string_view pattern : kIgnoredEnvironment) {
    if (Matches(name, pattern)) return true;
  }
  for (const std::string& pattern : sources.ignored_environment) {
    if (Matches(name, pattern)) return true;
  }
  return IsServiceLink(name, value);
}

// All names that can set `key`, a Key or a SuiteKey.
template <typename AnyKey>
std::vector<std::string> NamesOf(const AnyKey& key) {
  std::vector<std::string> names = {EnvironmentName(key.name)};
  if (!key.env_alias.empty() && key.env_alias != names.front()) names.emplace_back(key.env_alias);
  if (key.secret) {
    for (std::size_t i = 0, plain = names.size(); i < plain; ++i) {
      names.push_back(absl::StrCat(names[i], "_FILE"));
    }
  }
  return names;
}

void ReadKey(const Sources& sources, const Key& key, std::set<std::string>& known,
             Settings& settings, Mistakes& mistakes) {
  std::string used;
  for (const std::string& name : NamesOf(key)) {
    known.insert(name);
    const auto variable = sources.environment.find(name);
    if (variable == sources.environment.end() || variable->second.empty()) continue;
    const std::string where = absl::StrCat("environment ", name);
    if (!used.empty()) {
      mistakes.Add(where, absl::StrCat("sets ", key.name, ", as ", used, " does: use one"));
      continue;
    }
    used = name;
    std::string text = variable->second;
    if (key.secret && absl::EndsWith(name, "_FILE")) {
      text = ReadFile(text, where, mistakes);
      text = std::string(absl::StripTrailingAsciiWhitespace(text));
    }
    AddSetting(key, where, text, settings, mistakes);
  }
}

void PassOver(const Sources& sources, const SuiteKey& key, std::set<std::string>& known,
              std::vector<PassedOver>& passed_over) {
  for (const std::string& name : NamesOf(key)) {
    known.insert(name);
    const auto variable = sources.environment.find(name);
    if (variable == sources.environment.end() || variable->second.empty()) continue;
    passed_over.push_back({&key, absl::StrCat("environment ", name)});
  }
}

}  // namespace

void ReadEnvironment(const Sources& sources, const Schema& schema, Settings& settings,
                     std::vector<PassedOver>& passed_over, Mistakes& mistakes) {
  std::set<std::string> known;
  for (const Key& key : schema.keys()) ReadKey(sources, key, known, settings, mistakes);
  for (const SuiteKey& key : sources.other_keys) {
    if (schema.Find(key.name) == nullptr) PassOver(sources, key, known, passed_over);
  }

  const std::vector<std::string> candidates(known.begin(), known.end());
  for (const auto& [name, value] : sources.environment) {
    if (!absl::StartsWith(name, kPrefix) || known.count(name) > 0) continue;
    if (IsIgnored(sources, name, value)) continue;
    mistakes.Add(absl::StrCat("environment ", name),
                 absl::StrCat("unknown name", Suggestion(name, candidates)));
  }
}

}  // namespace bdcsync::config
