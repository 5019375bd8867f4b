// A batch as two that may be written apart: logs know nothing of each other. Pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "services/event-store/append_call.h"

namespace bdcsync::event_store {

// Below these a second commit costs more than it saves: of the whole, and of the smaller half.
inline constexpr std::size_t kHalvedItemsMin = 128;
inline constexpr std::size_t kHalfItemsMin = 32;

// Divides `items` by their logs into two of about the same size; items of a log
// stay in order. Nothing, with `items` untouched, if that is not worth the trip.
std::optional<std::array<ItemsOfLogs, 2>> InHalves(ItemsOfLogs& items);

}  // namespace bdcsync::event_store
