#include "libs/rpc/deadline.h"

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <cstdint>

#include "libs/base/clock.h"
#include "libs/rpc/direct_context.h"

namespace bdcsync::rpc {
namespace {

absl::Duration Until(gpr_timespec deadline) {
  const gpr_timespec monotonic = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);
  if (gpr_time_cmp(monotonic, gpr_inf_future(GPR_CLOCK_MONOTONIC)) == 0) {
    return absl::InfiniteDuration();
  }
  const gpr_timespec left = gpr_time_sub(monotonic, gpr_now(GPR_CLOCK_MONOTONIC));
  return absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

}  // namespace

gpr_timespec DeadlineAfter(absl::Duration left) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(absl::ToInt64Nanoseconds(left), GPR_TIMESPAN));
}

CallTrace TraceToSend(const CallOptions& options) {
  const CallTrace& current = CallScope::Current();
  CallTrace trace;
  trace.request_id = options.request_id.empty() ? current.request_id : options.request_id;
  const absl::Duration now = SystemClock().Monotonic();
  trace.not_after = std::max(std::min(now + options.timeout, current.not_after), now);
  return trace;
}

void PrepareCall(grpc::ClientContext& context, const CallOptions& options) {
  const CallTrace trace = TraceToSend(options);
  context.set_deadline(DeadlineAfter(trace.not_after - SystemClock().Monotonic()));
  if (options.wait_for_ready) context.set_wait_for_ready(true);
  if (!trace.request_id.empty()) {
    context.AddMetadata(std::string(kRequestIdMetadata), trace.request_id);
  }
}

std::string RequestIdOf(const grpc::ServerContextBase& context) {
  if (const auto* const direct = dynamic_cast<const DirectContext*>(&context)) {
    return direct->trace().request_id;
  }
  const auto& metadata = context.client_metadata();
  const auto found =
      metadata.find(grpc::string_ref(kRequestIdMetadata.data(), kRequestIdMetadata.size()));
  if (found == metadata.end()) return "";
  return CleanRequestId(absl::string_view(found->second.data(), found->second.size()));
}

CallTrace TraceOf(const grpc::ServerContextBase& context) {
  if (const auto* const direct = dynamic_cast<const DirectContext*>(&context)) {
    return direct->trace();
  }
  CallTrace trace;
  trace.request_id = RequestIdOf(context);
  const absl::Duration left = Until(context.raw_deadline());
  if (left != absl::InfiniteDuration()) trace.not_after = SystemClock().Monotonic() + left;
  return trace;
}

}  // namespace bdcsync::rpc
