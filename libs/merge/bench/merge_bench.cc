// bdc-sync-merge-bench: merges three files again and again and prints one JSON object: the best
// time of a merge alone, of reading, merging and writing, and of a merge alone of versions that
// were read apart from each other and so share nothing, in microseconds.
//
//   bdc-sync-merge-bench BASE THEIRS OURS [KEY]     KEY: lists under $.items are known by it
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/json/version_reader.h"
#include "libs/merge/three_way.h"

namespace bdcsync::merge {
namespace {

constexpr absl::Duration kLasts = absl::Seconds(1);
constexpr int kRoundsMin = 5;

struct Texts {
  std::string base, theirs, ours;
};

struct Times {
  absl::Duration merge = absl::InfiniteDuration();
  absl::Duration whole = absl::InfiniteDuration();
  absl::Duration merge_apart = absl::InfiniteDuration();
  size_t decisions = 0;
};

std::string Read(const char* name) {
  std::ifstream file(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

absl::StatusOr<RuleSet> Rules(const char* key) {
  if (key == nullptr) return RuleSet();
  json::Value rule;
  rule.Set("path", "$.items");
  rule.Set("rule", "keyed_list");
  rule.Set("key", key);
  json::Value set;
  set.Set("rules", json::Array{std::move(rule)});
  return ParseRuleSet(set);
}

absl::Status Round(const Texts& texts, const RuleSet& rules, Times& times) {
  const SystemClock clock;
  const absl::Duration start = clock.Monotonic();
  json::VersionReader reader;
  ASSIGN_OR_RETURN(std::optional<json::Value> base, reader.Read(texts.base));
  ASSIGN_OR_RETURN(std::optional<json::Value> theirs, reader.Read(texts.theirs));
  ASSIGN_OR_RETURN(std::optional<json::Value> ours, reader.Read(texts.ours));
  const absl::Duration read = clock.Monotonic();
  const MergeResult result =
      Merge(base, std::move(theirs), std::move(ours), {.rules = &rules}).value();
  const absl::Duration merged = clock.Monotonic();
  const std::string text = json::Serialize(*result.value);
  const absl::Duration written = clock.Monotonic();
  times.merge = std::min(times.merge, merged - read);
  times.whole = std::min(times.whole, written - start);
  times.decisions = result.decisions.size();
  return absl::OkStatus();
}

absl::Status RoundApart(const Texts& texts, const RuleSet& rules, Times& times) {
  ASSIGN_OR_RETURN(const std::optional<json::Value> base, json::Parse(texts.base));
  ASSIGN_OR_RETURN(std::optional<json::Value> theirs, json::Parse(texts.theirs));
  ASSIGN_OR_RETURN(std::optional<json::Value> ours, json::Parse(texts.ours));
  const SystemClock clock;
  const absl::Duration read = clock.Monotonic();
  const MergeResult result =
      Merge(base, std::move(theirs), std::move(ours), {.rules = &rules}).value();
  times.merge_apart = std::min(times.merge_apart, clock.Monotonic() - read);
  return absl::OkStatus();
}

absl::Status Run(const Texts& texts, const char* key) {
  ASSIGN_OR_RETURN(const RuleSet rules, Rules(key));
  const SystemClock clock;
  const absl::Duration end = clock.Monotonic() + kLasts;
  Times times;
  for (int round = 0; round < kRoundsMin || clock.Monotonic() < end; ++round) {
    RETURN_IF_ERROR(Round(texts, rules, times));
    RETURN_IF_ERROR(RoundApart(texts, rules, times));
  }
  std::printf(
      "{\"bytes\":%zu,\"merge_us\":%.3f,\"whole_us\":%.3f,\"merge_apart_us\":%.3f,"
      "\"decisions\":%zu}\n",
      texts.base.size(), absl::ToDoubleMicroseconds(times.merge),
      absl::ToDoubleMicroseconds(times.whole), absl::ToDoubleMicroseconds(times.merge_apart),
      times.decisions);
  return absl::OkStatus();
}

}  // namespace
}  // namespace bdcsync::merge

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "bdc-sync-merge-bench BASE THEIRS OURS [KEY]\n");
    return 2;
  }
  const bdcsync::merge::Texts texts{bdcsync::merge::Read(argv[1]), bdcsync::merge::Read(argv[2]),
                                    bdcsync::merge::Read(argv[3])};
  const absl::Status status = bdcsync::merge::Run(texts, argc > 4 ? argv[4] : nullptr);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
