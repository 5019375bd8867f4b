// Help, made from the table of commands. Pure.
#pragma once

#include <string>

#include "clients/cli/arguments.h"

namespace bdcsync::cli {

// All commands, a line each.
std::string OverviewHelp();
// How to use one command.
std::string CommandHelp(const CommandSpec& command);

}  // namespace bdcsync::cli
