#include "libs/base/call_trace.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace bdcsync {
namespace {

constexpr int kBatchIdDigits = 9;  // With the prefix, what a std::string holds without allocating.

thread_local const CallScope* innermost = nullptr;

}  // namespace

std::string CleanRequestId(absl::string_view text) {
  std::string id;
  for (const char c : text) {
    if (absl::ascii_isgraph(c) && c != '"' && id.size() < kRequestIdBytesMax) id += c;
  }
  return id;
}

CallScope::CallScope(CallTrace trace) : trace_(std::move(trace)), outer_(innermost) {
  innermost = this;
}

CallScope::~CallScope() { innermost = outer_; }

const CallTrace& CallScope::Current() {
  static const CallTrace kNothing;
  return innermost == nullptr ? kNothing : innermost->trace_;
}

CallTrace TraceOfBatch(const std::vector<const CallTrace*>& requests, Random& random) {
  if (requests.empty()) return {};
  CallTrace trace = *requests.front();
  bool one_id = true;
  for (const CallTrace* request : requests) {
    one_id = one_id && request->request_id == trace.request_id;
    trace.not_after = std::max(trace.not_after, request->not_after);
  }
  if (!one_id || trace.request_id.empty()) {
    trace.request_id = absl::StrCat("batch-", Hex64(random.Bits64()).substr(0, kBatchIdDigits));
  }
  return trace;
}

}  // namespace bdcsync
