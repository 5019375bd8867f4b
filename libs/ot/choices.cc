#include "libs/ot/choices.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace bdcsync::ot {
namespace {

bool Breaks(const Law& law, const Choices::List& list) {
  Choices choices(list);
  std::string story;
  return !law(choices, story);
}

// Takes `candidate` for the case if it breaks the law too.
bool Take(const Law& law, Choices::List& failing, Choices::List candidate) {
  if (!Breaks(law, candidate)) return false;
  failing = std::move(candidate);
  return true;
}

// One step towards a shorter list, or one of smaller numbers; false when there is none.
bool Shrink(const Law& law, Choices::List& failing) {
  for (size_t length = failing.size(); length > 0; length /= 2) {
    for (size_t begin = 0; begin + length <= failing.size();
         begin += std::max<size_t>(1, length / 2)) {
      Choices::List shorter = failing;
      const auto first = shorter.begin() + static_cast<std::ptrdiff_t>(begin);
      shorter.erase(first, first + static_cast<std::ptrdiff_t>(length));
      if (Take(law, failing, std::move(shorter))) return true;
    }
  }
  for (size_t i = 0; i < failing.size(); ++i) {
    for (const uint32_t smaller : {0u, failing[i] / 2, failing[i] - 1}) {
      if (smaller >= failing[i]) continue;
      Choices::List lower = failing;
      lower[i] = smaller;
      if (Take(law, failing, std::move(lower))) return true;
    }
  }
  return false;
}

}  // namespace

size_t Choices::Below(size_t bound) {
  size_t choice = 0;
  if (!replaying_) {
    choice = random_() % bound;
  } else if (made_.size() < replayed_.size()) {
    choice = replayed_[made_.size()] % bound;
  }
  made_.push_back(static_cast<uint32_t>(choice));
  return choice;
}

std::string FindCounterexample(const Law& law, uint64_t cases) {
  for (uint64_t seed = 1; seed <= cases; ++seed) {
    Choices choices(seed);
    std::string story;
    if (law(choices, story)) continue;
    Choices::List failing = choices.made();
    while (Shrink(law, failing)) {
    }
    Choices smallest(failing);
    story.clear();
    law(smallest, story);
    return absl::StrCat("seed ", seed, ", shrunk to\n", story);
  }
  return "";
}

}  // namespace bdcsync::ot
