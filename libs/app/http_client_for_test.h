// The least HTTP client that a test needs: one request on one connection to this machine, raw bytes
// in and out. Thread-safe: functions only.
#pragma once

#include <string>

namespace bdcsync::app {

struct HttpAnswer {
  int status = 0;  // 0: no answer before the connection closed.
  std::string body;
};

// Sends `bytes` as they are and reads until the other side closes.
std::string HttpExchange(int port, const std::string& bytes);
HttpAnswer HttpGet(int port, const std::string& target);

}  // namespace bdcsync::app
