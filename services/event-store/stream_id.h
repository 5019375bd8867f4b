// The 128 bits that stand for a stream in tables. Stored, so they never change. Pure.
#pragma once

#include "absl/strings/string_view.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

// SHA-256 over the space's name, a zero byte, which is in no name, and the stream's name. The
// migrations 0002 compute the same in SQL.
StreamId StreamIdOf(absl::string_view space, absl::string_view stream);

}  // namespace bdcsync::event_store
