// The gateway as a part of a process (libs/app/module.h).
#pragma once

#include <memory>

#include "libs/app/module.h"

namespace bdcsync::gateway {

std::unique_ptr<app::Module> MakeModule();

}  // namespace bdcsync::gateway
