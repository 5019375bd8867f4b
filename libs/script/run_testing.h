// Short ways for tests to run scripts. Not thread-safe.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/json/value.h"
#include "libs/script/script.h"

namespace bdcsync::script {

// Compiles and runs `text`; "missing" stands for a result that does not exist.
inline absl::StatusOr<std::string> RunWith(absl::string_view text, const Inputs& inputs,
                                           const Limits& limits = {}) {
  const absl::StatusOr<Script> script = Script::Compile(text, limits);
  if (!script.ok()) return script.status();
  const absl::StatusOr<std::optional<json::Value>> result = script->Resolve(inputs);
  if (!result.ok()) return result.status();
  return result->has_value() ? json::Serialize(**result) : "missing";
}

inline absl::StatusOr<std::string> Run(absl::string_view text, const Limits& limits = {}) {
  return RunWith(text, {}, limits);
}

// The result of a script that must have one; its error where it has none.
inline std::string Result(absl::string_view text) {
  const absl::StatusOr<std::string> result = Run(text);
  return result.ok() ? *result : "error: " + std::string(result.status().message());
}

inline std::optional<Failure> FailureOfRun(absl::string_view text, const Limits& limits = {}) {
  return FailureOf(Run(text, limits).status());
}

inline json::Value Json(absl::string_view text) {
  const absl::StatusOr<json::Value> value = json::Parse(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : json::Value();
}

}  // namespace bdcsync::script
