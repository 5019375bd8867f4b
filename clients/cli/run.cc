#include "clients/cli/run.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/address.h"
#include "clients/cli/advice.h"
#include "clients/cli/command_table.h"
#include "clients/cli/help.h"
#include "clients/cli/input.h"
#include "clients/cli/render.h"
#include "clients/cli/token_source.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/serialize.h"

namespace bdcsync::cli {
namespace {

constexpr char kDefaultAddress[] = "127.0.0.1:8766";
constexpr char kHelp[] = "help";
constexpr char kVersion[] = "version";
constexpr absl::Duration kDefaultTimeout = absl::Seconds(10);

int ExitStatusOf(const absl::Status& status) {
  if (IsUsageError(status)) return kExitUsage;
  const Reason reason = ReasonOf(status);
  const bool unreachable = reason == Reason::kUnavailable || reason == Reason::kDeadlineExceeded;
  return unreachable ? kExitUnreachable : kExitRefused;
}

// Why a call went out without a token, where that is what it failed of; else empty.
std::string MissingSecret(const absl::Status& status, const Arguments* arguments,
                          const Environment& environment) {
  const bool without_token = arguments != nullptr && !arguments->Has("token");
  if (!without_token || ReasonOf(status) != Reason::kUnauthenticated) return "";
  const absl::Status missing = FindSecret(*arguments, environment).status();
  return missing.ok() ? "" : absl::StrCat(missing.message(), ", or give a --token");
}

int Report(const absl::Status& status, const std::string& command, const Arguments* arguments,
           bool json, const Environment& environment) {
  const int exit_status = ExitStatusOf(status);
  if (json) {
    environment.err << json::Serialize(JsonOf(status)) << "\n";
    return exit_status;
  }
  const std::string address = arguments != nullptr && arguments->Has("address")
                                  ? arguments->Get("address")
                                  : kDefaultAddress;
  environment.err << "bdc-sync " << command << ": ";
  if (!IsUsageError(status)) {
    const absl::string_view name = InfoOf(ReasonOf(status)).name;
    environment.err << std::string(name) << ": ";
  }
  environment.err << std::string(status.message()) << "\n";
  const std::string path = PathOf(status);
  if (!path.empty() && !absl::StartsWith(status.message(), path)) {  // It may begin with the path.
    environment.err << "  at " << path << "\n";
  }
  std::string advice = MissingSecret(status, arguments, environment);
  if (advice.empty()) advice = AdviceOn(status, command, arguments, address);
  if (!advice.empty()) environment.err << "  " << advice << "\n";
  return exit_status;
}

absl::StatusOr<int> RunAgainstServer(const Command& command, const Arguments& arguments,
                                     const Environment& environment, const Dial& dial) {
  SyncClientOptions options;
  options.address = arguments.Has("address") ? arguments.Get("address") : kDefaultAddress;
  if (const absl::Status wrong = CheckAddress(options.address); !wrong.ok()) {
    return UsageError(wrong);
  }
  if (!IsToken(arguments.Get("token"))) {
    return UsageError(absl::InvalidArgumentError(
        "--token (or BDC_SYNC_TOKEN) is no token: it holds spaces or other letters that none has"));
  }
  options.token = MakeTokenSource(arguments, environment);
  options.tls_ca_file = arguments.Get("tls-ca");
  const auto timeout = ReadDuration(arguments, "timeout", kDefaultTimeout);
  if (!timeout.ok()) return UsageError(timeout.status());
  options.timeout = *timeout;
  const auto client = dial(std::move(options));
  if (!client.ok()) return UsageError(client.status());
  return command.run(Call{arguments, environment, **client});
}

// `bdc-sync help COMMAND`; those of serve and bench are their own (services/standalone/main.cc).
int Help(const std::vector<std::string>& words, const Environment& environment) {
  const Command* const command = words.size() > 1 ? FindCommand(words[1]) : nullptr;
  if (words.size() > 1 && command == nullptr && words[1] != kHelp) {
    environment.err << "bdc-sync help: there is no command '" << words[1] << "'\n"
                    << OverviewHelp();
    return kExitUsage;
  }
  environment.out << (command == nullptr ? OverviewHelp() : CommandHelp(command->spec));
  return kExitDone;
}

// Options of every command may stand before its name too: `words` with the name first.
std::vector<std::string> NameFirst(const std::vector<std::string>& words) {
  std::size_t name = 0;
  while (name < words.size() && absl::StartsWith(words[name], "--")) {
    const bool has_value = absl::StrContains(words[name], '=');
    const absl::string_view option = absl::string_view(words[name]).substr(2);
    const bool takes_value = std::any_of(
        CommonOptions().begin(), CommonOptions().end(),
        [option](const OptionSpec& one) { return one.name == option && !one.value.empty(); });
    name += takes_value && !has_value ? 2 : 1;
  }
  if (name >= words.size()) return words;
  std::vector<std::string> ordered = {words[name]};
  ordered.insert(ordered.end(), words.begin(), words.begin() + static_cast<std::ptrdiff_t>(name));
  ordered.insert(ordered.end(), words.begin() + static_cast<std::ptrdiff_t>(name) + 1, words.end());
  return ordered;
}

int UnknownCommand(const std::string& name, const Environment& environment) {
  std::vector<std::string> names = {"serve", "bench", kHelp};
  for (const Command& command : Commands()) names.emplace_back(command.spec.name);
  const std::optional<std::string> meant = Suggestion(name, names);
  environment.err << "bdc-sync: there is no command '" << name << "'"
                  << (meant ? absl::StrCat("; did you mean ", *meant, "?") : std::string())
                  << "\n  `bdc-sync help` lists them\n";
  return kExitUsage;
}

int RunWords(const std::vector<std::string>& given, const Environment& environment,
             const Dial& dial) {
  if (given.empty()) {
    environment.err << OverviewHelp();
    return kExitUsage;
  }
  const std::vector<std::string> words = NameFirst(given);
  const std::string name = words.front() == "--version" ? kVersion : words.front();
  if (name == kHelp || name == "--help" || name == "-h") return Help(words, environment);
  const Command* const command = FindCommand(name);
  if (command == nullptr) return UnknownCommand(name, environment);
  const auto arguments =
      ParseArguments(command->spec, {words.begin() + 1, words.end()}, environment.variables);
  if (!arguments.ok()) {
    // Nobody can tell what the words mean, but who says --json reads errors in it.
    const bool json = absl::c_linear_search(words, "--json");
    return Report(UsageError(arguments.status()), name, nullptr, json, environment);
  }
  if (arguments->Has("help")) {
    environment.out << CommandHelp(command->spec);
    return kExitDone;
  }
  const absl::StatusOr<int> result =
      command->run_here != nullptr ? command->run_here(*arguments, environment)
                                   : RunAgainstServer(*command, *arguments, environment, dial);
  return result.ok()
             ? *result
             : Report(result.status(), name, &*arguments, arguments->Has("json"), environment);
}

}  // namespace

int RunCommandLine(const std::vector<std::string>& words, const Environment& environment,
                   const Dial& dial) {
  const int status = RunWords(words, environment, dial);
  if (environment.out.flush()) return status;
  // Whoever reads the output must not take what is there for all of it.
  environment.err << "bdc-sync: standard output could not be written: some of it is lost\n";
  return std::max(status, kExitUsage);
}

}  // namespace bdcsync::cli
