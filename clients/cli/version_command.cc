#include "clients/cli/commands.h"
#include "libs/base/suite_version.h"
#include "libs/json/serialize.h"

namespace bdcsync::cli {

absl::StatusOr<int> RunVersion(const Arguments& arguments, const Environment& environment) {
  if (!arguments.Has("json")) {
    environment.out << "bdc-sync " << kSuiteVersion << "\n";
    return 0;
  }
  json::Value line;
  line.Set("version", kSuiteVersion);
  environment.out << json::Serialize(line) << "\n";
  return 0;
}

}  // namespace bdcsync::cli
