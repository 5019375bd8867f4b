// Commands that are several: `bdc-sync rules put TYPE FILE`. One table of them for each command.
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "clients/cli/commands.h"

namespace bdcsync::cli {

struct Subcommand {
  absl::string_view name;
  size_t operands_min;  // After the name.
  size_t operands_max;
  absl::string_view operands;  // As help writes them.
  absl::StatusOr<int> (*run)(const Call&);
};

// Runs the one that the first operand names, or the first of `all` when there is none. A usage
// error says how it is written, or which there are.
absl::StatusOr<int> RunSubcommand(const Call& call, absl::string_view command,
                                  absl::Span<const Subcommand> all);

}  // namespace bdcsync::cli
