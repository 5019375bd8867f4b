// How many conflicts a second a script decides: build/release/tests/script_benchmark.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "libs/json/parse.h"
#include "libs/script/script.h"

namespace bdcsync::script {
namespace {

void Decide(benchmark::State& state, absl::string_view text, const json::Value& base,
            const json::Value& ours, const json::Value& theirs) {
  Limits limits;
  limits.instructions_max = kInstructionsCeiling;
  const absl::StatusOr<Script> script = Script::Compile(text, limits);
  for (auto _ : state) {
    auto result = script->Resolve({.base = &base, .ours = &ours, .theirs = &theirs});
    if (!result.ok()) std::abort();
    benchmark::DoNotOptimize(result);
  }
}

// What every call costs: the state, the libraries, the script.
void LargerNumber(benchmark::State& state) {
  Decide(state, "return ours >= theirs and ours or theirs", 1, 2, 3);
}
BENCHMARK(LargerNumber)->ThreadRange(1, 2)->UseRealTime();

// A document of 1 KiB, in and out.
void Members(benchmark::State& state) {
  json::Object document;
  for (int i = 0; i < 32; ++i) document.Set("member" + std::to_string(i), "a text of some length");
  const json::Value base(document);
  document.Set("member3", "ours");
  const json::Value ours(document);
  document.Set("member5", "theirs");
  Decide(state, "for k, v in pairs(theirs) do if v ~= base[k] then ours[k] = v end end return ours",
         base, ours, json::Value(document));
}
BENCHMARK(Members);

// What an instruction takes.
void Loop(benchmark::State& state) {
  Decide(state, "local n = 0 for i = 1, 1000000 do n = n + i % 7 end return n", 1, 2, 3);
}
BENCHMARK(Loop)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bdcsync::script

BENCHMARK_MAIN();
