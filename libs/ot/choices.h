// The random choices of a property test, as a list of numbers: a case is made again from its list,
// and made smaller by making the list smaller, whatever the case is about. For tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace bdcsync::ot {

class Choices {
 public:
  using List = std::vector<uint32_t>;

  explicit Choices(uint64_t seed) : random_(seed) {}
  // The choices of `list`, and 0 from its end on, which generators take for "no more".
  explicit Choices(List list) : replayed_(std::move(list)), replaying_(true) {}

  // A number below `bound`.
  size_t Below(size_t bound);
  bool OneIn(size_t bound) { return Below(bound) == bound - 1; }
  const List& made() const { return made_; }

 private:
  std::mt19937_64 random_;
  List replayed_;
  bool replaying_ = false;
  List made_;
};

// Whether a law holds for the case that these choices make; `story` is told what the case was.
using Law = std::function<bool(Choices& choices, std::string& story)>;

// Tries the seeds from 1 on. Empty when the law held for all; else the seed and the smallest case
// that was found to break it.
std::string FindCounterexample(const Law& law, uint64_t cases);

}  // namespace bdcsync::ot
