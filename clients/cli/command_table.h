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
  absl::StatusOr<int> (*run)(const Call& call);  // Null: it calls no server.
  absl::StatusOr<int> (*run_here)(const Arguments& arguments,
                                  const Environment& environment) = nullptr;  // Then this one.
};

const std::vector<Command>& Commands();
// Null when there is none of this name.
const Command* FindCommand(absl::string_view name);

}  // namespace bdcsync::cli
