// What a command takes, declared once for parsing and help, and the parsed command line. Options
// may stand anywhere, as --name value or --name=value; `--` ends them. Values only.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bdcsync::cli {

struct OptionSpec {
  absl::string_view name;         // Without dashes.
  absl::string_view value;        // What stands for its value in help; empty: a switch.
  absl::string_view help;         // A few words.
  absl::string_view environment;  // Where its value is taken from when it is not given.
  // Else an empty value, as of a variable of a script that was never set, is refused.
  bool may_be_empty = false;
};

inline constexpr std::size_t kAnyNumber = 1000;  // Operands of one command line at most.

struct CommandSpec {
  absl::string_view name;
  absl::string_view operands;  // As help shows them, e.g. "TYPE/ID [DATA]".
  absl::string_view summary;   // One line.
  std::size_t operands_min = 0;
  std::size_t operands_max = 0;
  std::vector<OptionSpec> options;
  absl::string_view details;   // More to say; may be empty.
  absl::string_view examples;  // Lines to paste.
};

// Options of every command.
const std::vector<OptionSpec>& CommonOptions();

class Arguments {
 public:
  const std::vector<std::string>& operands() const { return operands_; }
  // The operand at `position`; empty when there is none.
  std::string operand(std::size_t position) const;
  // Whether the switch or option was given.
  bool Has(absl::string_view name) const { return options_.find(name) != options_.end(); }
  // The last value given for the option; empty when there is none.
  std::string Get(absl::string_view name) const;
  // Every value given, in order.
  std::vector<std::string> GetAll(absl::string_view name) const;

 private:
  friend absl::StatusOr<Arguments> ParseArguments(const CommandSpec&,
                                                  const std::vector<std::string>&,
                                                  const std::map<std::string, std::string>&);
  std::vector<std::string> operands_;
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
};

// Reads `words` (what follows the command's name). `environment` is asked for options not given.
// INVALID_ARGUMENT says what is wrong, and names the option that may have been meant.
absl::StatusOr<Arguments> ParseArguments(const CommandSpec& command,
                                         const std::vector<std::string>& words,
                                         const std::map<std::string, std::string>& environment);

// The word of `words` that `word` may have been meant to be: at most two letters away.
std::optional<std::string> Suggestion(absl::string_view word,
                                      const std::vector<std::string>& words);

}  // namespace bdcsync::cli
