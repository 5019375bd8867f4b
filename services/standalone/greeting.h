// What `bdc-sync serve` tells the person who started it: where it listens and how to try it. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bdcsync::standalone {

struct GreetingInfo {
  std::string program;  // As the person typed it.
  std::string host;
  int websocket_port = 0;
  int grpc_port = 0;
  int http_port = 0;
  // Whether these listeners speak TLS.
  bool websocket_tls = false;
  bool grpc_tls = false;
  bool http_tls = false;
  std::string data_dir;
  std::string secret;  // A development secret to make a token from; empty: the operator has one.
  absl::Time now;
};

std::string Greeting(const GreetingInfo& info);

}  // namespace bdcsync::standalone
