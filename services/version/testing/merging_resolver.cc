#include "services/version/testing/merging_resolver.h"

#include <optional>
#include <string>
#include <utility>

#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"
#include "libs/rpc/status.h"

namespace bdcsync::version::testing {
namespace {

absl::StatusOr<std::optional<json::Value>> Read(const conflict::v1::Side& side) {
  if (!side.exists()) return std::optional<json::Value>();
  absl::StatusOr<json::Value> value = json::Parse(side.data());
  if (!value.ok()) return MakeError(Reason::kInvalidArgument, "a side is not JSON");
  return std::optional<json::Value>(*std::move(value));
}

conflict::v1::ResolveResult Decide(const conflict::v1::ResolveItem& item,
                                   const conflict::v1::Side& theirs_side) {
  conflict::v1::ResolveResult result;
  const auto base = Read(item.base());
  const auto theirs = Read(theirs_side);
  const auto ours = Read(item.ours());
  for (const auto* side : {&base, &theirs, &ours}) {
    if (side->ok()) continue;
    rpc::ToProto(side->status(), *result.mutable_error());
    return result;
  }
  const merge::MergeResult merged = merge::Merge(*base, *theirs, *ours);
  result.mutable_merged()->set_exists(merged.value.has_value());
  if (merged.value) result.mutable_merged()->set_data(json::Serialize(*merged.value));
  return result;
}

}  // namespace

void MergingResolver::Resolve(conflict::v1::ResolveRequest request, Callback callback) {
  absl::StatusOr<conflict::v1::ResolveResponse> answer = conflict::v1::ResolveResponse();
  {
    absl::MutexLock lock(&mutex_);
    ++calls_;
    last_ = request;
    for (const auto& item : request.items()) {
      const bool chained = item.theirs_item() != 0;
      const conflict::v1::Side theirs =
          chained ? answer->results(static_cast<int>(item.theirs_item()) - 1).merged()
                  : item.theirs();
      *answer->add_results() = Decide(item, theirs);
    }
    if (!failure_.ok()) answer = failure_;
  }
  callback(std::move(answer));
}

void MergingResolver::FailWith(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

int MergingResolver::calls() {
  absl::MutexLock lock(&mutex_);
  return calls_;
}

conflict::v1::ResolveRequest MergingResolver::last_request() {
  absl::MutexLock lock(&mutex_);
  return last_;
}

void MergingResolver::NoteCaller(CallTrace trace) {
  absl::MutexLock lock(&mutex_);
  last_caller_ = std::move(trace);
}

CallTrace MergingResolver::last_caller() {
  absl::MutexLock lock(&mutex_);
  return last_caller_;
}

}  // namespace bdcsync::version::testing
