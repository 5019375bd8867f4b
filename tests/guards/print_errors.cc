// Prints every error code that a client can be told, one a line: code, canonical status, whether
// the same request may succeed later. The test golden_errors compares it with tests/golden.
#include <cstdio>
#include <string>

#include "libs/base/errors.h"

int main() {
  for (const bdcsync::ReasonInfo& info : bdcsync::AllReasons()) {
    std::printf("%s %s %s\n", std::string(info.name).c_str(),
                absl::StatusCodeToString(info.code).c_str(),
                info.retryable ? "retryable" : "final");
  }
}
