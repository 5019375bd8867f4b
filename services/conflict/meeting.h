// One meeting of two changes as libs/merge wants it: the rules of the entity's type, which side was
// written later, and who answers for scripts and other programs. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/json/value.h"
#include "libs/json/version_reader.h"
#include "libs/merge/three_way.h"
#include "libs/rules/script_rules.h"
#include "services/conflict/active_rules.h"
#include "services/conflict/hybrid_time.h"

namespace bdcsync::conflict {

using Document = std::optional<json::Value>;  // Nothing: it does not exist.

// How the sides of a meeting are read: what they have in common once. Sides must outlive it.
class SideReader {
 public:
  // kInvalidArgument at `field` when the side holds no JSON.
  absl::StatusOr<Document> Read(absl::string_view field, const v1::Side& side);

 private:
  json::VersionReader versions_{{.depth_max = json::kDepthCeiling}};
};
void WriteDocument(const Document& document, v1::Side& side);

struct Meeting {
  const common::v1::EntityKey& entity;
  const v1::Side& base;
  const v1::Side& theirs;
  const v1::Side& ours;
};

// What all meetings of a call have in common. All is borrowed.
struct MeetingContext {
  const ActiveRules& rules;
  int64_t now_ms = 0;
  absl::Duration clock_skew_max = absl::Minutes(5);
  size_t matching_work_max = 1'000'000;
  // Told of every run of a script, as rules::ScriptEvaluator says; may be nothing.
  std::function<void(absl::string_view entity_type, const absl::Status& run)> on_script;
  std::function<bool()> has_time_for_script;  // Likewise.
};

// Milliseconds since 1970; 0: unsaid, and not committed yet.
struct WriteTime {
  int64_t client_time_ms = 0;
  int64_t time_ms = 0;
};

// When places of theirs were written.
class PlaceTimes {
 public:
  virtual ~PlaceTimes() = default;
  // The last write at `path`, which is as decisions write it; nothing: theirs as a whole counts.
  virtual std::optional<WriteTime> LastAt(const std::string& path) = 0;
};

class MeetingRules {
 public:
  // All are borrowed and must outlive this. `others` answers for `remote` and `ask`; nullptr:
  // `remote` is its `else`, with a note, and `ask` stays open. Without `times` theirs was written
  // as a whole.
  MeetingRules(const Meeting& meeting, const MeetingContext& context,
               merge::RuleEvaluator* others = nullptr, PlaceTimes* times = nullptr);

  // Borrows from this.
  merge::MergeOptions options();
  int64_t rule_set_version() const { return set_.version; }

  // A decision as it travels. One that times have decided says so when they were close.
  void AddTo(const merge::Decision& decision, v1::Decision& out) const;

 private:
  // Which side was written later at a place.
  WriteOrder OrderAt(const std::string& path) const;

  const Meeting meeting_;
  const MeetingContext& context_;
  const ActiveRuleSet& set_;
  const WriteOrder order_;                         // Of the sides as a whole.
  std::optional<rules::ScriptEvaluator> scripts_;  // Nothing when no rule is a script.
  merge::RuleEvaluator* const others_;
  PlaceTimes* const times_;
};

}  // namespace bdcsync::conflict
