#include "libs/rpc/deadline.h"

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <cstdint>

#include "libs/base/clock.h"

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
  const CallTrace& current = CallScope::Current();
  absl::Duration timeout = options.timeout;
  if (current.not_after != absl::InfiniteDuration()) {
    const absl::Duration left = current.not_after - SystemClock().Monotonic();
    timeout = std::clamp(left, absl::ZeroDuration(), options.timeout);
  }
  context.set_deadline(DeadlineAfter(timeout));
  if (options.wait_for_ready) context.set_wait_for_ready(true);
  const std::string& id = options.request_id.empty() ? current.request_id : options.request_id;
  if (!id.empty()) context.AddMetadata(std::string(kRequestIdMetadata), id);
}

std::string RequestIdOf(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  const auto found =
      metadata.find(grpc::string_ref(kRequestIdMetadata.data(), kRequestIdMetadata.size()));
  if (found == metadata.end()) return "";
  return CleanRequestId(absl::string_view(found->second.data(), found->second.size()));
}

CallTrace TraceOf(const grpc::ServerContextBase& context) {
  CallTrace trace;
  trace.request_id = RequestIdOf(context);
  const absl::Duration left = Until(context.raw_deadline());
  if (left != absl::InfiniteDuration()) trace.not_after = SystemClock().Monotonic() + left;
  return trace;
}

}  // namespace bdcsync::rpc
