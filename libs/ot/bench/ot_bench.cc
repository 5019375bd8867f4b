// Measures libs/ot for ./dev bench: replay of a trace on a document, each edit built, checked and
// applied; transforms of two single edits; two branches of 10,000 operations. Prints JSON.
// Usage: bdc-sync-ot-bench TRACE.json, a list of [position, deleted, inserted] in ASCII
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "libs/json/parse.h"
#include "libs/ot/compose.h"
#include "libs/ot/document.h"
#include "libs/ot/history.h"
#include "libs/ot/transform.h"

namespace bdcsync::ot {
namespace {

constexpr int kRounds = 5;
constexpr size_t kPairs = 1000;
constexpr int kTransformRounds = 3000;
constexpr size_t kBranchOperations = 10'000;

struct TraceEdit {
  int64_t position, deleted;
  std::string inserted;
};

class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Delta DeltaOf(const TraceEdit& edit) {
  Delta delta;
  delta.Retain(edit.position).InsertText(edit.inserted).Delete(edit.deleted);
  return delta;
}

absl::StatusOr<std::vector<TraceEdit>> ReadTrace(const char* path) {
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const absl::StatusOr<json::Value> parsed = json::Parse(text);
  if (!parsed.ok()) return parsed.status();
  std::vector<TraceEdit> trace;
  for (const json::Value& edit : parsed->array()) {
    const json::Array& fields = edit.array();
    trace.push_back({*fields[0].AsInt64(), *fields[1].AsInt64(), std::string(fields[2].string())});
  }
  return trace;
}

// Edits a second; nothing when one was refused.
double Replay(const std::vector<TraceEdit>& trace, int64_t& units) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    Document document;
    const Stopwatch watch;
    for (const TraceEdit& edit : trace) {
      if (!document.Apply(DeltaOf(edit)).ok()) return 0;
    }
    best = std::max(best, static_cast<double>(trace.size()) / watch.Seconds());
    units = document.size().units;
  }
  return best;
}

double Transforms(const std::vector<TraceEdit>& trace) {
  std::vector<Delta> changes;
  for (size_t i = trace.size() - std::min(kPairs, trace.size()); i < trace.size(); ++i) {
    changes.push_back(DeltaOf(trace[i]));
  }
  size_t sum = 0;
  const Stopwatch watch;
  for (int round = 0; round < kTransformRounds; ++round) {
    for (size_t i = 0; i + 1 < changes.size(); ++i) {
      sum += Transform(changes[i], changes[i + 1], Priority::kThis).components().size();
    }
  }
  const double seconds = watch.Seconds();
  return sum == 0 ? 0 : kTransformRounds * static_cast<double>(changes.size() - 1) / seconds;
}

// `count` edits of a word each, anywhere in a document of `units` units.
std::vector<Delta> Branch(uint64_t seed, int64_t units) {
  std::mt19937_64 random(seed);
  std::vector<Delta> branch;
  for (size_t i = 0; i < kBranchOperations; ++i) {
    const auto at = static_cast<int64_t>(random() % static_cast<uint64_t>(units - 8));
    const bool inserts = random() % 3 != 0;
    Delta change;
    change.Retain(at);
    inserts ? change.InsertText("word ") : change.Delete(5);
    branch.push_back(std::move(change));
    units += inserts ? 5 : -5;
  }
  return branch;
}

// Seconds that it takes to bring the two together; below 0 when they do not converge.
double LongDivergence() {
  constexpr int64_t kUnits = 1'000'000;
  const Delta document = Delta().InsertText(std::string(kUnits, 'x'));
  const std::vector<Delta> theirs = Branch(1, kUnits), ours = Branch(2, kUnits);
  const Stopwatch watch;
  const absl::StatusOr<Rebased> both = Rebase(theirs, ours);
  const double seconds = watch.Seconds();
  if (!both.ok()) return -1;
  const Delta one = *Apply(*Apply(document, *ComposeAll(theirs)), both->ours.front());
  const Delta other = *Apply(*Apply(document, *ComposeAll(ours)), both->theirs.front());
  return one == other ? seconds : -1;
}

int Main(const char* path) {
  const absl::StatusOr<std::vector<TraceEdit>> trace = ReadTrace(path);
  if (!trace.ok()) {
    std::fprintf(stderr, "%s: %s\n", path, trace.status().ToString().c_str());
    return 1;
  }
  int64_t units = 0;
  const double replay = Replay(*trace, units);
  std::printf("%s\n", absl::StrFormat(
                          "{\"edits\": %d, \"units\": %d, \"replay_edits_per_s\": %.0f, "
                          "\"transforms_per_s\": %.0f, \"long_divergence_ms\": %.2f}",
                          trace->size(), units, replay, Transforms(*trace), LongDivergence() * 1000)
                          .c_str());
  return 0;
}

}  // namespace
}  // namespace bdcsync::ot

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bdc-sync-ot-bench TRACE.json\n");
    return 2;
  }
  return bdcsync::ot::Main(argv[1]);
}
