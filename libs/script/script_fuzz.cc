// A script and two JSON texts, with NUL bytes between them: whatever the script, it ends, within
// its limits, twice with the same result, and the result is JSON within the limits.
#include <cstdint>
#include <cstdlib>

#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/script/script.h"
#include "libs/script/utf8.h"

namespace {

namespace json = bdcsync::json;
namespace script = bdcsync::script;

void Require(bool holds) {
  if (!holds) std::abort();
}

// Takes the part of `input` before the next NUL byte.
absl::string_view TakePart(absl::string_view& input) {
  const absl::string_view part = input.substr(0, input.find('\0'));
  input.remove_prefix(part.size() < input.size() ? part.size() + 1 : part.size());
  return part;
}

bool IsLimit(const absl::Status& status) {
  const std::optional<script::Failure> failure = script::FailureOf(status);
  return failure == script::Failure::kInstructions || failure == script::Failure::kMemory;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view input(reinterpret_cast<const char*>(data), size);
  script::Limits limits;
  limits.instructions_max = 50'000;
  limits.memory_bytes_max = 1 << 20;
  limits.output_bytes_max = 10'000;
  const absl::StatusOr<script::Script> compiled = script::Script::Compile(TakePart(input), limits);
  if (!compiled.ok()) return 0;
  const absl::StatusOr<json::Value> ours = json::Parse(TakePart(input));
  const absl::StatusOr<json::Value> theirs = json::Parse(TakePart(input));
  const script::Inputs inputs = {.ours = ours.ok() ? &*ours : nullptr,
                                 .theirs = theirs.ok() ? &*theirs : nullptr};
  const auto first = compiled->Resolve(inputs);
  const auto second = compiled->Resolve(inputs);
  // Memory that Lua takes for tables depends on its seed: one run may reach a limit just before the
  // other.
  const bool limited = IsLimit(first.status()) || IsLimit(second.status());
  Require(limited || first.ok() == second.ok());
  if (!first.ok()) {
    Require(script::FailureOf(first.status()).has_value());
    Require(script::IsValidUtf8(first.status().message()));
    return 0;
  }
  Require(limited || first->has_value() == second->has_value());
  if (!first->has_value()) return 0;
  const std::string text = json::Serialize(**first);
  Require(limited || text == json::Serialize(**second));
  Require(text.size() <= limits.output_bytes_max);
  const absl::StatusOr<json::Value> again = json::Parse(text);
  Require(again.ok() && json::Identical(*again, **first));
  return 0;
}
