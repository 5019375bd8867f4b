// Who is asked about a place when the rule there leaves the decision to something outside the
// merge: a script, another program, a person.
#pragma once

#include <optional>
#include <string>

#include "libs/json/value.h"
#include "libs/merge/decision.h"
#include "libs/merge/rule.h"

namespace bdcsync::merge {

// Two changes that met. All is borrowed for the call.
struct Question {
  const Rule& rule;         // kScript, kRemote or kAsk. The last is asked about moves too.
  const std::string& path;  // As Decision writes it.
  ConflictKind kind = ConflictKind::kEditEdit;
  // nullptr: does not exist there. Of a stretch of an array: arrays. Of kMoveMove: all nullptr.
  const json::Value* base = nullptr;
  const json::Value* theirs = nullptr;
  const json::Value* ours = nullptr;
  const Region* region = nullptr;  // Of a stretch of an array.
};

struct Answer {
  enum class Kind {
    kElse,     // Not decided: the rule's `else` does, for kAsk the later write.
    kPending,  // Not yet known; for kAsk: the place stays open.
    kSide,     // `side`: kBase, kTheirs or kOurs.
    kValue,    // `value`; of a stretch an array. Not for kMoveMove.
  };

  Kind kind = Kind::kElse;
  Side side = Side::kTheirs;
  std::optional<json::Value> value;  // Nothing: does not exist.
  std::string note;                  // For MergeResult::notes; empty: none.
};

// That nobody here follows `rule`; its `else` decides.
Answer NotFollowed(RuleKind rule);

// Used by one merge at a time. One that gives the same answers to the same questions makes the
// merge deterministic: places are always asked about in the same order.
class RuleEvaluator {
 public:
  virtual ~RuleEvaluator() = default;
  // A merge begins that will ask it.
  virtual void Begin() {}
  virtual Answer Evaluate(const Question& question) = 0;
};

}  // namespace bdcsync::merge
