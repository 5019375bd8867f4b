// Random rich text and operations on it, with the outcome worked out character by character, by
// nothing of the code under test. For tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/json/value.h"
#include "libs/ot/choices.h"
#include "libs/ot/delta.h"

namespace bdcsync::ot {

// One code point, or an embed.
struct Cell {
  std::string text;   // Empty for an embed.
  json::Value embed;  // Null for text.
  std::map<std::string, json::Value> formats;

  int64_t units() const { return text.size() == 4 ? 2 : 1; }
};
using Cells = std::vector<Cell>;

// An operation and what it does.
struct Edit {
  json::Value json;  // As a client may send it: valid, but not always canonical.
  Delta delta;       // The same, parsed.
  Cells after;       // The outcome.

  // Units inserted before each cell of the text before it, and at its end; and how much of each
  // cell stays. An insert after deleted cells counts as before them.
  std::vector<int64_t> inserted;
  std::vector<int64_t> kept;

  // Where a place before cell `gap` comes to be, by the two lists.
  int64_t PlaceOf(size_t gap, bool behind_inserts) const;
};

// At most `pieces_max` pieces of a few characters.
Cells RandomText(Choices& choices, size_t pieces_max = 5);
// At most `steps_max` components, well within `before`.
Edit RandomEdit(Choices& choices, const Cells& before, size_t steps_max = 5);

// The canonical delta that is this text.
Delta ContentOf(const Cells& cells);

}  // namespace bdcsync::ot
