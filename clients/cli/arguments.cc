#include "clients/cli/arguments.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/edit_distance.h"

namespace bdcsync::cli {
namespace {

constexpr std::size_t kTyposMax = 2;
constexpr absl::string_view kEntity = "TYPE/ID";
constexpr absl::string_view kDataBegins = "{[\"@-/";  // Of operands that are data, not an id.

std::vector<OptionSpec> OptionsOf(const CommandSpec& command) {
  std::vector<OptionSpec> options = command.options;
  const std::vector<OptionSpec>& common = CommonOptions();
  options.insert(options.end(), common.begin(), common.end());
  return options;
}

absl::Status UnknownOption(absl::string_view name, const std::vector<OptionSpec>& options) {
  std::vector<std::string> names;
  names.reserve(options.size());
  for (const OptionSpec& option : options) names.emplace_back(option.name);
  const std::optional<std::string> meant = Suggestion(name, names);
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no option --", name, meant ? absl::StrCat("; did you mean --", *meant, "?") : ""));
}

// Somebody may write `get note n1` for `get note/n1`: what has no slash names no entity.
void JoinEntity(const CommandSpec& command, std::vector<std::string>& operands) {
  if (!absl::StartsWith(command.operands, kEntity) || operands.size() < command.operands_min + 1) {
    return;
  }
  const std::string& type = operands[0];
  const std::string& id = operands[1];
  const bool is_data = id.empty() || kDataBegins.find(id[0]) != kDataBegins.npos;
  if (type.empty() || absl::StrContains(type, '/') || is_data) return;
  operands[0] = absl::StrCat(type, "/", id);
  operands.erase(operands.begin() + 1);
}

}  // namespace

const std::vector<OptionSpec>& CommonOptions() {
  static const auto& options = *new std::vector<OptionSpec>{
      {"address", "HOST:PORT", "the gateway's gRPC address (127.0.0.1:8766)", "BDC_SYNC_ADDRESS"},
      {"token", "JWT", "who you are; see `bdc-sync help token`", "BDC_SYNC_TOKEN"},
      {"user", "NAME", "whose token is made from a development secret (dev)", "BDC_SYNC_USER"},
      {"data-dir", "DIR", "where `bdc-sync serve` keeps its development secret (./data)",
       "BDC_SYNC_DATA_DIR"},
      {"tls-ca", "FILE", "use TLS and trust these CA certificates (PEM)", "BDC_SYNC_TLS_CA"},
      {"timeout", "DURATION", "how long to wait for an answer (10s)", ""},
      {"json", "", "one JSON value per line, for scripts", ""},
      {"help", "", "how to use the command", ""},
  };
  return options;
}

std::string Arguments::operand(std::size_t position) const {
  return position < operands_.size() ? operands_[position] : std::string();
}

std::string Arguments::Get(absl::string_view name) const {
  const auto found = options_.find(name);
  return found == options_.end() || found->second.empty() ? std::string() : found->second.back();
}

std::vector<std::string> Arguments::GetAll(absl::string_view name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? std::vector<std::string>() : found->second;
}

std::optional<std::string> Suggestion(absl::string_view word,
                                      const std::vector<std::string>& words) {
  std::optional<std::string> best;
  std::size_t best_distance = kTyposMax + 1;
  for (const std::string& candidate : words) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

absl::StatusOr<Arguments> ParseArguments(const CommandSpec& command,
                                         const std::vector<std::string>& words,
                                         const std::map<std::string, std::string>& environment) {
  const std::vector<OptionSpec> options = OptionsOf(command);
  Arguments arguments;
  bool options_ended = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const absl::string_view word = words[i];
    if (options_ended || !absl::StartsWith(word, "--")) {
      if (!options_ended && word == "-h") {
        arguments.options_["help"];
      } else {
        arguments.operands_.emplace_back(word);
      }
      continue;
    }
    if (word == "--") {
      options_ended = true;
      continue;
    }
    const std::size_t equals = word.find('=');
    const absl::string_view name = word.substr(2, equals == word.npos ? equals : equals - 2);
    const auto option = std::find_if(options.begin(), options.end(),
                                     [name](const OptionSpec& o) { return o.name == name; });
    if (option == options.end()) return UnknownOption(name, options);
    std::vector<std::string>& values = arguments.options_[std::string(name)];
    if (option->value.empty()) {
      if (equals != word.npos) {
        return absl::InvalidArgumentError(absl::StrCat("--", name, " takes no value"));
      }
    } else if (equals != word.npos) {
      values.emplace_back(word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      values.push_back(words[++i]);
    } else {
      return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a ", option->value));
    }
    if (!values.empty() && values.back().empty() && !option->may_be_empty) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, " is given an empty ", option->value, "; leave it out"));
    }
  }
  if (arguments.Has("help")) return arguments;
  for (const OptionSpec& option : options) {
    const auto found = environment.find(std::string(option.environment));
    if (option.environment.empty() || found == environment.end() || found->second.empty()) continue;
    if (!arguments.Has(option.name)) {
      arguments.options_[std::string(option.name)].push_back(found->second);
    }
  }
  JoinEntity(command, arguments.operands_);
  const std::size_t count = arguments.operands_.size();
  if (count < command.operands_min) {
    return absl::InvalidArgumentError(absl::StrCat("expected ", command.operands));
  }
  if (count > command.operands_max) {
    return absl::InvalidArgumentError(absl::StrCat("unexpected '",
                                                   arguments.operands_[command.operands_max],
                                                   "'; quote data that has spaces"));
  }
  return arguments;
}

}  // namespace bdcsync::cli
