#include "libs/config/suggest.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/edit_distance.h"

namespace bdcsync::config {
namespace {

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
    if (!part && longer - shorter >= best_distance) continue;  // It would cost their product.
    const std::size_t distance = part ? 1 : EditDistance(name, candidate);
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
