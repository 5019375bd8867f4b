// The fields of `conflicts` and `resolve_conflict` to requests. Pure.
#pragma once

#include <cstddef>

#include "services/gateway/protocol/client_message.h"

namespace bdcsync::gateway {

class FieldReader;

inline constexpr size_t kConflictIdBytesMax = 64;
inline constexpr size_t kConflictPathsMax = 64;  // In one choice.
inline constexpr size_t kConflictPathBytesMax = 4096;
inline constexpr size_t kConflictChoicesMax = 64;  // In one message.
inline constexpr int64_t kConflictsLimitMax = 500;

ConflictsRequest ReadConflicts(FieldReader& in);
ResolveConflictRequest ReadResolveConflict(FieldReader& in);

}  // namespace bdcsync::gateway
