// event-store as a part of a process; see libs/app/module.h.
#pragma once

#include <memory>

#include "libs/app/module.h"

namespace bdcsync::event_store {

std::unique_ptr<app::Module> MakeModule();

}  // namespace bdcsync::event_store
