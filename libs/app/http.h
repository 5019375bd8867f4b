// What the HTTP listener asks a handler and gets back. Values only.
#pragma once

#include <functional>
#include <string>

namespace bdcsync::app {

struct HttpRequest {
  std::string method;         // "GET"
  std::string path;           // Without the query.
  std::string query;          // What follows '?', undecoded.
  std::string authorization;  // The header of that name.
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

// Runs on the listener's only thread: quick, and never waits for anybody.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace bdcsync::app
