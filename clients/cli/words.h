// Names of enumerations as the WebSocket protocol writes them. Pure.
#pragma once

#include "absl/strings/string_view.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"

namespace bdcsync::cli {

absl::string_view WordOf(common::v1::Outcome outcome);
absl::string_view WordOf(common::v1::OperationKind kind);
absl::string_view WordOf(sync::v1::ChangeKind kind);
absl::string_view WordOf(conflict::v1::ConflictState state);
absl::string_view WordOf(device_sync::v1::Network network);

}  // namespace bdcsync::cli
