// Data that the version service leaves out of the results of a commit, as its answer would be too
// large, and that is read after it. Thread-safe: functions only.
#pragma once

#include <cstddef>
#include <memory>

#include "services/gateway/pipeline/version_client.h"

namespace bdcsync::gateway {

// Reads it for the result of `item`. Where it cannot be read now the result is UNAVAILABLE, as if
// nothing were known of the operation: repeated, it is a duplicate. Where it is not there any more,
// e.g. erased, the outcome stays without it. `version` is borrowed until `done`.
void ReadLeftOut(VersionClient& version, size_t replica, const version::v1::CommitItem& item,
                 version::v1::CommitResult result,
                 absl::AnyInvocable<void(version::v1::CommitResult)> done);

// VersionClient::Commit, and ReadLeftOut for each result that needs it, one after the other.
void CommitWhole(VersionClient& version, size_t replica,
                 std::shared_ptr<const version::v1::CommitRequest> request,
                 VersionClient::Done<version::v1::CommitResponse> done);

}  // namespace bdcsync::gateway
