// Work for the threads that gRPC has for callbacks anyway. Thread-safe: a function only.
#pragma once

#include <functional>

namespace bdcsync::rpc {

// Runs `task` soon on a thread of gRPC's, never on this stack. It must not block.
void RunElsewhere(std::function<void()> task);

}  // namespace bdcsync::rpc
