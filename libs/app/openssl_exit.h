// OpenSSL at the end of a process. Called once, before anything uses OpenSSL.
#pragma once

namespace bdcsync::app {

// Leaves OpenSSL whole when the process exits, where it would free what all use: the threads of
// gRPC go on until then (libs/rpc/callback_threads.h), some in the midst of a handshake.
void KeepOpenSslAtExit();

}  // namespace bdcsync::app
