// Every command, declared once: what it takes, how help shows it, and what runs it. Constants only.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/cli/arguments.h"
#include "clients/cli/commands.h"

namespace bdcsync::cli {

struct Command {
  CommandSpec spec;
  // One of the two: against a server, or here.
  absl::StatusOr<int> (*run)(const Call& call);
  absl::StatusOr<int> (*run_here)(const Arguments&, const Environment&) = nullptr;
};

const std::vector<Command>& Commands();
// Null when there is none of this name.
const Command* FindCommand(absl::string_view name);

}  // namespace bdcsync::cli
