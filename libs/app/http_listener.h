// A small HTTP/1.1 server on one thread of its own, for probes, metrics and administration: exact
// paths, bounded requests, connections and waits. AddRoute before Start, on one thread; Stop and
// the destructor on that thread too.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/app/http.h"

namespace bdcsync::app {

class TlsFiles;

class HttpListener {
 public:
  HttpListener();
  ~HttpListener();

  // A path without a handler for the method is answered 405, an unknown path 404.
  void AddRoute(absl::string_view method, absl::string_view path, HttpHandler handler);
  // With TLS from `tls` (borrowed) unless it is null. UNAVAILABLE: the port is taken.
  // INVALID_ARGUMENT: `address` is not an IP address or localhost.
  absl::Status Start(const std::string& address, int port, const TlsFiles* tls = nullptr);
  // Where it listens; 0 before Start.
  int port() const { return port_; }
  // Closes everything; no handler runs afterwards. Calling it again does nothing.
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;  // Null once stopped.
  int port_ = 0;
};

}  // namespace bdcsync::app
