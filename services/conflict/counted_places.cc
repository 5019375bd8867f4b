#include "services/conflict/counted_places.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"
#include "libs/merge/rule.h"

namespace bdcsync::conflict {
namespace {

// Decisions without asking, by place and rule.
using Counts = absl::btree_map<std::pair<std::string, absl::string_view>, int64_t>;

void Add(std::string path, absl::string_view rule, int64_t automatic, Counts& counts) {
  const bool full = counts.size() >= kCountedPlacesMax && !counts.contains({path, rule});
  counts[{full ? std::string() : std::move(path), rule}] += automatic;
}

CountedPlaces Write(const Counts& counts) {
  CountedPlaces written;
  if (counts.empty()) return written;
  written.json = "[";
  for (const auto& [key, automatic] : counts) {
    written.json += written.json.size() > 1 ? ",[" : "[";
    json::AppendQuoted(key.first, written.json);
    written.json += ",";
    json::AppendQuoted(key.second, written.json);
    absl::StrAppend(&written.json, ",", automatic, "]");
    written.automatic += automatic;
  }
  written.json += "]";
  return written;
}

}  // namespace

std::string CountedPath(absl::string_view path) {
  std::string counted;
  while (!path.empty()) {
    const size_t end = path.find('/', 1);
    const absl::string_view step = path.substr(0, end);
    const absl::string_view written = absl::StrContains(step, '=') ? absl::string_view("/*") : step;
    if (counted.size() + written.size() > kCountedPathBytesMax) break;
    counted.append(written.data(), written.size());
    path = end == absl::string_view::npos ? absl::string_view() : path.substr(end);
  }
  // PostgreSQL has no NUL in texts.
  std::replace(counted.begin(), counted.end(), '\0', '?');
  return counted;
}

CountedPlaces CountPlaces(const v1::Resolution& resolution) {
  Counts counts;
  for (const v1::Decision& decision : resolution.decisions()) {
    const bool asked = decision.rule() == merge::RuleName(merge::RuleKind::kAsk);
    Add(CountedPath(decision.path()), decision.rule(), asked ? 0 : 1, counts);
  }
  return Write(counts);
}

CountedPlaces CountPlaces(const v1::Conflict& conflict) {
  Counts counts;
  for (const v1::OpenPlace& place : conflict.places()) {
    Add(CountedPath(place.decision().path()), place.decision().rule(), 0, counts);
  }
  return Write(counts);
}

}  // namespace bdcsync::conflict
