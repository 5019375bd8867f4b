// The secret of a development server that was given none: made once, kept in the data folder,
// readable by its owner only. `bdc-sync token` and the other commands find it there.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bdcsync::standalone {

// Reads <data_dir>/secret, or makes it. UNAVAILABLE: the folder cannot be written.
absl::StatusOr<std::string> DevelopmentSecret(absl::string_view data_dir);

}  // namespace bdcsync::standalone
