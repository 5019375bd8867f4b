#include "libs/rpc/deadline.h"

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"

namespace bdcsync::rpc {
namespace {

// Safe from jumps of the time of day.
gpr_timespec DeadlineAfter(absl::Duration timeout) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(absl::ToInt64Nanoseconds(timeout), GPR_TIMESPAN));
}

absl::Duration Until(gpr_timespec deadline) {
  const gpr_timespec monotonic = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);
  if (gpr_time_cmp(monotonic, gpr_inf_future(GPR_CLOCK_MONOTONIC)) == 0) {
    return absl::InfiniteDuration();
  }
  const gpr_timespec left = gpr_time_sub(monotonic, gpr_now(GPR_CLOCK_MONOTONIC));
  return absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

}  // namespace

void PrepareCall(grpc::ClientContext& context, const CallOptions& options) {
  context.set_deadline(DeadlineAfter(options.timeout));
  if (options.wait_for_ready) context.set_wait_for_ready(true);
  if (!options.request_id.empty()) {
    context.AddMetadata(std::string(kRequestIdMetadata), options.request_id);
  }
}

absl::Duration Remaining(const grpc::ServerContextBase& context, absl::Duration timeout_max) {
  return std::clamp(Until(context.raw_deadline()), absl::ZeroDuration(), timeout_max);
}

std::string RequestIdOf(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  const auto found =
      metadata.find(grpc::string_ref(kRequestIdMetadata.data(), kRequestIdMetadata.size()));
  if (found == metadata.end()) return "";
  std::string id;
  for (const char c : found->second) {
    if (absl::ascii_isgraph(c) && id.size() < kRequestIdBytesMax) id += c;
  }
  return id;
}

CallOptions Forward(const grpc::ServerContextBase& context, absl::Duration timeout_max) {
  CallOptions options;
  options.timeout = Remaining(context, timeout_max);
  options.request_id = RequestIdOf(context);
  return options;
}

}  // namespace bdcsync::rpc
