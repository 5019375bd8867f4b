// The rule sets that a file holds, by entity type, in YAML (of which JSON is a part). Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/conflict/rule_set_registry.h"

namespace bdcsync::conflict {

inline constexpr size_t kRulesFileBytesMax = size_t{8} << 20;
inline constexpr size_t kRulesFileNodesMax = 1'000'000;

// {entity_type: rule set}, each set as compact JSON. A scalar is a string, whatever it looks like:
// rule sets hold nothing else. kInvalidArgument names the line; kTooDeep, kTooLarge.
absl::StatusOr<RuleTexts> ParseRulesFile(absl::string_view text);

// Reads a file again and again, and tells what it holds when that has changed. Not thread-safe.
class RulesFile {
 public:
  explicit RulesFile(std::string path) : path_(std::move(path)) {}

  // True when the text is another than that of the last Accept; it is in text() then. Of a file
  // that changes only once two looks have found the same: the first may have met half of what
  // somebody is writing. kInvalidArgument when the file cannot be read.
  absl::StatusOr<bool> Look();
  // The last look found a change that the next one has to confirm.
  bool unsettled() const { return unsettled_; }
  const std::string& text() const { return text_; }
  // What was looked at is in use, or was refused for good: told again when it changes.
  void Accept() { accepted_ = text_; }

 private:
  const std::string path_;
  std::string text_;
  bool unsettled_ = false;
  std::optional<std::string> accepted_;
};

}  // namespace bdcsync::conflict
