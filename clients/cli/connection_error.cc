#include "clients/cli/connection_error.h"

#include "absl/strings/cord.h"

namespace bdcsync::cli {
namespace {

constexpr char kPayload[] = "bdcsync.cli/not_connected";

}  // namespace

absl::Status NotConnected(absl::Status failure) {
  failure.SetPayload(kPayload, absl::Cord());
  return failure;
}

bool IsNotConnected(const absl::Status& status) { return status.GetPayload(kPayload).has_value(); }

}  // namespace bdcsync::cli
