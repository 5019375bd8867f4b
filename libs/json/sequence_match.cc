#include "libs/json/sequence_match.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace bdcsync::json {
namespace {

using Ids = std::vector<uint32_t>;

// Gives equal elements the same small number, so that matching compares numbers.
class Interner {
 public:
  explicit Interner(ElementEquality equality) : equality_(equality) {}

  uint32_t IdOf(const Value& element) {
    const uint64_t hash =
        equality_ == ElementEquality::kEqual ? HashOf(element) : HashOfIdentical(element);
    const auto [entry, inserted] =
        first_with_hash_.try_emplace(hash, static_cast<uint32_t>(known_.size()));
    if (inserted) return Add(element);
    uint32_t id = entry->second;
    while (!Same(*known_[id].element, element)) {
      if (known_[id].next == kNone) {
        known_[id].next = static_cast<uint32_t>(known_.size());
        return Add(element);
      }
      id = known_[id].next;
    }
    return id;
  }
  bool Same(const Value& a, const Value& b) const {
    return equality_ == ElementEquality::kEqual ? a == b : Identical(a, b);
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Known {
    const Value* element;
    uint32_t next = kNone;  // Another element with the same hash.
  };

  uint32_t Add(const Value& element) {
    known_.push_back({&element});
    return static_cast<uint32_t>(known_.size() - 1);
  }

  const ElementEquality equality_;
  absl::flat_hash_map<uint64_t, uint32_t> first_with_hash_;
  std::vector<Known> known_;
};

// One step of Myers' algorithm: how far in `a` a path gets on a diagonal, and by which change.
struct Reach {
  int64_t x;
  bool by_insertion;
};

constexpr int64_t kOutside = INT64_MIN / 2;
constexpr size_t kDirectStepsPerElement = 4;

// `last[k + d - 1]` is how far the best path with d - 1 changes gets on diagonal k.
Reach StartOf(const std::vector<int64_t>& last, int64_t d, int64_t k) {
  if (d == 0) return {0, false};
  const int64_t inserted = k < d - 1 ? last[static_cast<size_t>(k + d)] : kOutside;
  const int64_t removed = k > -d + 1 ? last[static_cast<size_t>(k + d - 2)] + 1 : kOutside;
  return {std::max(inserted, removed), inserted >= removed};
}

// Adds a run that comes after all of `runs`.
void AddRun(MatchedRun run, std::vector<MatchedRun>& runs) {
  if (run.length == 0) return;
  if (!runs.empty() && runs.back().a_begin + runs.back().length == run.a_begin &&
      runs.back().b_begin + runs.back().length == run.b_begin) {
    runs.back().length += run.length;
  } else {
    runs.push_back(run);
  }
}

// Myers' greedy algorithm on one part; `equal(i, j)` compares a[i] with b[j]. Ends early behind
// `enough` equal elements in a row, when that is not 0.
template <typename Equal>
class ExactMatcher {
 public:
  ExactMatcher(const ChangedRun& part, const Equal& equal, size_t enough = 0)
      : part_(part),
        enough_(enough == 0 ? INT64_MAX : static_cast<int64_t>(enough)),
        a_size_(static_cast<int64_t>(part.a_end - part.a_begin)),
        b_size_(static_cast<int64_t>(part.b_end - part.b_begin)),
        equal_(equal) {}

  // Takes the steps off `budget`; nothing when they did not suffice.
  std::optional<std::vector<MatchedRun>> Run(size_t& budget) {
    bool matched = false;
    for (size_t d = 0; !matched; ++d) {
      const size_t diagonals = 2 * d + 1;
      if (budget < diagonals) return std::nullopt;
      budget -= diagonals;
      std::vector<int64_t> row(diagonals, kOutside);
      matched = Advance(d == 0 ? none_ : furthest_.back(), row, budget);
      furthest_.push_back(std::move(row));
    }
    return WalkBack();
  }
  // What is left behind where Run ended.
  ChangedRun Rest() const {
    return {part_.a_begin + static_cast<size_t>(end_x_), part_.a_end,
            part_.b_begin + static_cast<size_t>(end_x_ - end_k_), part_.b_end};
  }

 private:
  // Fills `row` from `last`; true when one path has reached the end of both, or comes the furthest
  // with enough equal elements.
  bool Advance(const std::vector<int64_t>& last, std::vector<int64_t>& row, size_t& budget) {
    bool ended = false;
    const auto d = static_cast<int64_t>(row.size() / 2);
    for (int64_t k = -d; k <= d; k += 2) {
      const int64_t start = StartOf(last, d, k).x;
      if (start < 0 || start > a_size_ || start - k > b_size_) continue;
      int64_t x = start;
      while (x < a_size_ && x - k < b_size_ &&
             equal_(part_.a_begin + static_cast<size_t>(x),
                    part_.b_begin + static_cast<size_t>(x - k))) {
        ++x;
      }
      budget -= std::min(budget, static_cast<size_t>(x - start));
      row[static_cast<size_t>(k + d)] = x;
      const bool at_end = x == a_size_ && x - k == b_size_;
      const bool further = x - start >= enough_ && (!ended || 2 * x - k > 2 * end_x_ - end_k_);
      if (at_end || further) {
        ended = true;
        end_x_ = x;
        end_k_ = k;
      }
      if (at_end) return true;
    }
    return ended;
  }

  std::vector<MatchedRun> WalkBack() const {
    std::vector<MatchedRun> reversed;
    int64_t x = end_x_;
    int64_t k = end_k_;
    for (auto d = static_cast<int64_t>(furthest_.size()) - 1; d >= 0; --d) {
      const Reach start = StartOf(d == 0 ? none_ : furthest_[static_cast<size_t>(d - 1)], d, k);
      reversed.push_back({part_.a_begin + static_cast<size_t>(start.x),
                          part_.b_begin + static_cast<size_t>(start.x - k),
                          static_cast<size_t>(x - start.x)});
      x = start.by_insertion ? start.x : start.x - 1;
      k = start.by_insertion ? k + 1 : k - 1;
    }
    std::vector<MatchedRun> runs;
    for (auto run = reversed.rbegin(); run != reversed.rend(); ++run) AddRun(*run, runs);
    return runs;
  }

  const ChangedRun part_;
  const int64_t enough_;
  const int64_t a_size_;
  const int64_t b_size_;
  const Equal& equal_;
  int64_t end_x_ = 0;  // Where the best path has ended.
  int64_t end_k_ = 0;
  const std::vector<int64_t> none_;
  std::vector<std::vector<int64_t>> furthest_;  // By number of changes; see StartOf.
};

// Matches a part stretch by stretch; nothing when the steps did not suffice.
template <typename Equal>
std::optional<std::vector<MatchedRun>> MatchStretches(ChangedRun part, const Equal& equal,
                                                      size_t& budget) {
  const size_t elements = part.a_end - part.a_begin + part.b_end - part.b_begin;
  const size_t enough = elements < kLongArrayElements ? 0 : kEqualElementsEnough;
  std::vector<MatchedRun> runs;
  while (true) {
    ExactMatcher matcher(part, equal, enough);
    const auto stretch = matcher.Run(budget);
    if (!stretch) return std::nullopt;
    for (const MatchedRun& run : *stretch) AddRun(run, runs);
    part = matcher.Rest();
    if (part.a_begin == part.a_end || part.b_begin == part.b_end) return runs;
  }
}

class Matcher {
 public:
  Matcher(Ids a, Ids b, size_t work) : a_(std::move(a)), b_(std::move(b)), work_(work) {}

  std::vector<MatchedRun> Run() {
    Match({0, a_.size(), 0, b_.size()}, kSplitsMax);
    return std::move(runs_);
  }
  size_t work_left() const { return work_; }

 private:
  static constexpr int kSplitsMax = 8;
  using Pair = std::pair<size_t, size_t>;

  void Match(ChangedRun part, int splits_left);
  bool MatchExactly(const ChangedRun& part);
  std::vector<Pair> Anchors(const ChangedRun& part) const;
  void Emit(size_t a, size_t b, size_t length);

  const Ids a_;
  const Ids b_;
  size_t work_;  // Steps left.
  std::vector<MatchedRun> runs_;
};

void Matcher::Emit(size_t a, size_t b, size_t length) { AddRun({a, b, length}, runs_); }

// Matches a part exactly while the work lasts, else around the elements that occur once on each
// side (as patience diff does).
void Matcher::Match(ChangedRun part, int splits_left) {
  size_t suffix = 0;
  while (part.a_begin < part.a_end && part.b_begin < part.b_end &&
         a_[part.a_begin] == b_[part.b_begin]) {
    Emit(part.a_begin++, part.b_begin++, 1);
  }
  while (part.a_begin < part.a_end && part.b_begin < part.b_end &&
         a_[part.a_end - 1] == b_[part.b_end - 1]) {
    --part.a_end;
    --part.b_end;
    ++suffix;
  }
  const bool open = part.a_begin < part.a_end && part.b_begin < part.b_end;
  if (open && !MatchExactly(part) && splits_left > 0) {
    const std::vector<Pair> anchors = Anchors(part);
    for (const auto& [a, b] : anchors) {
      Match({part.a_begin, a, part.b_begin, b}, splits_left - 1);
      Emit(a, b, 1);
      part.a_begin = a + 1;
      part.b_begin = b + 1;
    }
    if (!anchors.empty()) Match(part, splits_left - 1);
  }
  Emit(part.a_end, part.b_end, suffix);
}

// Matches with half of the work that is left; false when that did not suffice.
bool Matcher::MatchExactly(const ChangedRun& part) {
  size_t budget = work_ / 2;
  work_ -= budget;
  const auto equal = [this](size_t in_a, size_t in_b) { return a_[in_a] == b_[in_b]; };
  const auto runs = ExactMatcher(part, equal).Run(budget);
  if (!runs) return false;
  work_ += budget;
  for (const MatchedRun& run : *runs) Emit(run.a_begin, run.b_begin, run.length);
  return true;
}

// The longest ascending series of pairs of elements that occur exactly once in each part.
std::vector<Matcher::Pair> Matcher::Anchors(const ChangedRun& part) const {
  struct Seen {
    uint32_t in_a = 0, in_b = 0;
    size_t b = 0;
  };
  absl::flat_hash_map<uint32_t, Seen> seen;
  for (size_t i = part.a_begin; i < part.a_end; ++i) ++seen[a_[i]].in_a;
  for (size_t j = part.b_begin; j < part.b_end; ++j) {
    const auto entry = seen.find(b_[j]);
    if (entry == seen.end()) continue;
    ++entry->second.in_b;
    entry->second.b = j;
  }
  std::vector<Pair> pairs;
  std::vector<size_t> previous;  // The pair before this one in the best series that ends in it.
  std::vector<size_t> tails;     // The pair with the least b that ends a series of each length.
  constexpr size_t kNone = static_cast<size_t>(-1);
  for (size_t i = part.a_begin; i < part.a_end; ++i) {
    const Seen& both = seen.find(a_[i])->second;
    if (both.in_a != 1 || both.in_b != 1) continue;
    const auto place = std::partition_point(
        tails.begin(), tails.end(), [&](size_t tail) { return pairs[tail].second < both.b; });
    previous.push_back(place == tails.begin() ? kNone : *(place - 1));
    if (place == tails.end()) {
      tails.push_back(pairs.size());
    } else {
      *place = pairs.size();
    }
    pairs.emplace_back(i, both.b);
  }
  std::vector<Pair> series;
  for (size_t i = tails.empty() ? kNone : tails.back(); i != kNone; i = previous[i]) {
    series.push_back(pairs[i]);
  }
  std::reverse(series.begin(), series.end());
  return series;
}

// Matches what lies between the common ends. Returns the steps that are left.
size_t MatchMiddle(const Array& a, const Array& b, const ChangedRun& middle, Interner& interner,
                   size_t work, std::vector<MatchedRun>& runs) {
  // While changes are few, comparing elements is cheaper than giving each a number.
  const size_t elements = middle.a_end - middle.a_begin + middle.b_end - middle.b_begin;
  size_t direct = std::min(work / 2, elements * kDirectStepsPerElement);
  work -= direct;
  const auto equal = [&](size_t in_a, size_t in_b) { return interner.Same(a[in_a], b[in_b]); };
  if (const auto few = MatchStretches(middle, equal, direct)) {
    runs.insert(runs.end(), few->begin(), few->end());
    return work + direct;
  }
  const auto ids = [&interner](const Array& array, size_t begin, size_t end) {
    Ids result;
    result.reserve(end - begin);
    for (size_t i = begin; i < end; ++i) result.push_back(interner.IdOf(array[i]));
    return result;
  };
  Ids a_ids = ids(a, middle.a_begin, middle.a_end);
  Ids b_ids = ids(b, middle.b_begin, middle.b_end);
  Matcher matcher(std::move(a_ids), std::move(b_ids), work);
  for (const MatchedRun& run : matcher.Run()) {
    runs.push_back({run.a_begin + middle.a_begin, run.b_begin + middle.b_begin, run.length});
  }
  return matcher.work_left();
}

}  // namespace

std::vector<MatchedRun> MatchSequences(const Array& a, const Array& b, ElementEquality equality,
                                       size_t work_max, size_t* used) {
  Interner interner(equality);
  const size_t shorter = std::min(a.size(), b.size());
  size_t prefix = 0;
  while (prefix < shorter && interner.Same(a[prefix], b[prefix])) ++prefix;
  size_t suffix = 0;
  while (suffix < shorter - prefix &&
         interner.Same(a[a.size() - suffix - 1], b[b.size() - suffix - 1])) {
    ++suffix;
  }
  std::vector<MatchedRun> runs;
  if (prefix > 0) runs.push_back({0, 0, prefix});
  if (prefix + suffix < shorter) {
    const ChangedRun middle{prefix, a.size() - suffix, prefix, b.size() - suffix};
    const size_t left = MatchMiddle(a, b, middle, interner, work_max, runs);
    if (used != nullptr) *used += work_max - left;
  }
  if (suffix > 0) runs.push_back({a.size() - suffix, b.size() - suffix, suffix});
  return runs;
}

std::vector<MatchedRun> MatchNumbers(std::vector<uint32_t> a, std::vector<uint32_t> b,
                                     size_t work_max) {
  return Matcher(std::move(a), std::move(b), work_max).Run();
}

std::vector<ChangedRun> ChangesBetween(const Array& a, const Array& b,
                                       const std::vector<MatchedRun>& matches) {
  std::vector<ChangedRun> changes;
  ChangedRun gap{0, 0, 0, 0};
  const auto close = [&](size_t a_end, size_t b_end) {
    gap.a_end = a_end;
    gap.b_end = b_end;
    if (gap.a_begin < a_end || gap.b_begin < b_end) changes.push_back(gap);
  };
  for (const MatchedRun& match : matches) {
    close(match.a_begin, match.b_begin);
    gap.a_begin = match.a_begin + match.length;
    gap.b_begin = match.b_begin + match.length;
  }
  close(a.size(), b.size());
  return changes;
}

}  // namespace bdcsync::json
