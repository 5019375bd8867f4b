// Keeps the threads that gRPC shares for callbacks until the process ends.
//
// gRPC 1.51 ends them with the last channel or server that uses them, on the thread that lets go of
// it. Where that is one of these threads, as when a callback holds its channel's last reference or
// a call outlives all else, it joins itself and goes on with a queue that it has freed: the process
// aborts (grpc/grpc#32584).
#pragma once

namespace bdcsync::rpc {

// Called before the first channel or server; later calls do nothing. Thread-safe.
void KeepCallbackThreads();

}  // namespace bdcsync::rpc
