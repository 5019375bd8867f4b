#include "libs/config/suggest.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace bdcsync::config {
namespace {

// Levenshtein distance.
std::size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// The part after the last dot, so that a key without its section finds the key.
absl::string_view LastPart(absl::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == absl::string_view::npos ? name : name.substr(dot + 1);
}

// Whether `name` is `candidate` without its last words.
bool IsCutShort(absl::string_view name, absl::string_view candidate) {
  return absl::StartsWith(candidate, name) && candidate.size() > name.size() &&
         absl::StrContains("._-", candidate[name.size()]);
}

// What every name begins with, as BDC_SYNC_: it makes no two of them alike.
std::size_t SharedStart(absl::string_view name, const std::vector<std::string>& candidates) {
  std::size_t shared = name.size();
  for (const std::string& candidate : candidates) {
    std::size_t same = 0;
    while (same < std::min(shared, candidate.size()) && candidate[same] == name[same]) ++same;
    shared = same;
  }
  return shared;
}

}  // namespace

std::string Suggestion(absl::string_view name, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  const std::size_t own_length = name.size() - SharedStart(name, candidates);
  std::size_t best_distance = std::max<std::size_t>(2, own_length / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(name.size(), candidate.size());
    const std::size_t shorter = std::min(name.size(), candidate.size());
    const bool part = LastPart(candidate) == name || IsCutShort(name, candidate);
    if (!part && longer - shorter >= best_distance)
      continue;  // Distance() costs the product of both.
    const std::size_t distance = part ? 1 : Distance(name, candidate);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best == nullptr ? "" : absl::StrCat("; did you mean ", *best, "?");
}

std::string Suggestion(absl::string_view name, const Schema& schema) {
  std::vector<std::string> names;
  for (const Key& key : schema.keys()) names.push_back(key.name);
  return Suggestion(name, names);
}

}  // namespace bdcsync::config
