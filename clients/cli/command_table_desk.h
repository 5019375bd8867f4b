// The commands about conflicts and rules. Constants only.
#pragma once

#include <vector>

#include "clients/cli/command_table.h"

namespace bdcsync::cli {

const std::vector<Command>& DeskCommands();

}  // namespace bdcsync::cli
