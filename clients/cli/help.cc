#include "clients/cli/help.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "clients/cli/command_table.h"

namespace bdcsync::cli {
namespace {

constexpr char kProcesses[] =
    "  serve [FLAGS]             run all services in this process (serve --help)\n"
    "  bench ...                 generate load and measure (bench --help)\n";
constexpr char kExitStatus[] =
    "Exit status: 0 done, 1 refused or not found, 2 wrong command line or file, or output lost,\n"
    "3 server not reachable.\n";

std::string OptionLines(const std::vector<OptionSpec>& options) {
  std::string text;
  for (const OptionSpec& option : options) {
    const std::string name =
        absl::StrCat("--", option.name, option.value.empty() ? "" : " ", option.value);
    const std::string environment =
        option.environment.empty() ? "" : absl::StrCat(" [", option.environment, "]");
    absl::StrAppend(&text, absl::StrFormat("  %-22s  %s%s\n", name, option.help, environment));
  }
  return text;
}

std::string Indented(absl::string_view lines) {
  return absl::StrCat("  ", absl::StrJoin(absl::StrSplit(lines, '\n'), "\n  "), "\n");
}

}  // namespace

std::string OverviewHelp() {
  std::string text = "bdc-sync: data that is the same on every client and device\n\n";
  for (const Command& command : Commands()) {
    const std::string usage = absl::StrCat(command.spec.name, " ", command.spec.operands);
    absl::StrAppend(&text, absl::StrFormat("  %-24s  %s\n", usage, command.spec.summary));
  }
  absl::StrAppend(&text, "  help [COMMAND]            how to use a command, with examples\n\n",
                  kProcesses, "\nOptions of every command:\n", OptionLines(CommonOptions()), "\n",
                  kExitStatus);
  return text;
}

std::string CommandHelp(const CommandSpec& command) {
  std::string text = absl::StrCat("bdc-sync ", command.name, " ", command.operands, "\n\n");
  std::string summary(command.summary);
  summary.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(summary.front())));
  absl::StrAppend(&text, summary, ".\n");
  if (!command.details.empty()) absl::StrAppend(&text, command.details, "\n");
  absl::StrAppend(&text, "\nExamples:\n", Indented(command.examples));
  if (!command.options.empty()) {
    absl::StrAppend(&text, "\nOptions:\n", OptionLines(command.options));
  }
  absl::StrAppend(&text, "\nOptions of every command:\n", OptionLines(CommonOptions()), "\n",
                  kExitStatus);
  return text;
}

}  // namespace bdcsync::cli
