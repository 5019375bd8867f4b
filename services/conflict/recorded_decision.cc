#include "services/conflict/recorded_decision.h"

#include <optional>
#include <string>
#include <utility>

#include "libs/base/status.h"
#include "libs/json/parse.h"

namespace bdcsync::conflict {
namespace {

absl::StatusOr<std::optional<json::Value>> ReadValue(const std::string& text) {
  if (text.empty()) return std::optional<json::Value>();
  absl::StatusOr<json::Value> value = json::Parse(text, {.depth_max = json::kDepthCeiling});
  if (!value.ok()) return absl::DataLossError("a recorded value cannot be read");
  return std::optional<json::Value>(*std::move(value));
}

merge::ConflictKind KindOf(const v1::Decision& decision) {
  for (int kind = 0; kind <= static_cast<int>(merge::ConflictKind::kViolation); ++kind) {
    const auto known = static_cast<merge::ConflictKind>(kind);
    if (merge::ConflictKindName(known) == decision.kind()) return known;
  }
  return merge::ConflictKind::kEditEdit;  // One about the whole value has no kind.
}

}  // namespace

absl::StatusOr<merge::Decision> ReadDecision(const v1::Decision& decision) {
  merge::Decision read;
  read.path = decision.path();
  read.rule = merge::RecordedRule(decision.rule()).value_or(merge::RuleKind::kThreeWay);
  read.kind = KindOf(decision);
  ASSIGN_OR_RETURN(read.base, ReadValue(decision.base()));
  ASSIGN_OR_RETURN(read.theirs, ReadValue(decision.theirs()));
  ASSIGN_OR_RETURN(read.ours, ReadValue(decision.ours()));
  ASSIGN_OR_RETURN(read.result, ReadValue(decision.result()));
  read.chosen = merge::SideFromName(decision.chosen());
  if (!read.chosen) return absl::DataLossError("a recorded decision does not say what was chosen");
  if (decision.has_region()) {
    read.region = merge::Region{static_cast<size_t>(decision.region().base_begin()),
                                static_cast<size_t>(decision.region().theirs_begin()),
                                static_cast<size_t>(decision.region().ours_begin()),
                                static_cast<size_t>(decision.region().result_begin())};
  }
  return read;
}

absl::StatusOr<std::vector<merge::Decision>> ReadDecisions(const v1::Resolution& record) {
  std::vector<merge::Decision> decisions;
  decisions.reserve(static_cast<size_t>(record.decisions_size()));
  for (const v1::Decision& decision : record.decisions()) {
    ASSIGN_OR_RETURN(merge::Decision read, ReadDecision(decision));
    decisions.push_back(std::move(read));
  }
  return decisions;
}

}  // namespace bdcsync::conflict
