// The laws of the merge when scripts and other programs decide, whatever they answer.
#include <map>
#include <string>

#include "absl/hash/hash.h"
#include "libs/json/parse.h"
#include "libs/json/pointer.h"
#include "libs/merge/merge_cases_testing.h"
#include "libs/merge/three_way.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using json::Value;

// Answers by the place alone: a side, a value of its own, a removal, or nothing.
class AnyAnswers final : public RuleEvaluator {
 public:
  Answer Evaluate(const Question& question) override {
    ++asked_;
    Answer answer;
    const size_t choice = absl::HashOf(question.path, static_cast<int>(question.kind)) % 8;
    if (choice == 0) return answer;
    answer.kind = choice < 4 ? Answer::Kind::kSide : Answer::Kind::kValue;
    answer.side = static_cast<Side>(choice % 3);  // kBase, kTheirs or kOurs.
    if (choice == 5) answer.value = Value("given");
    if (choice > 5) answer.value = Value(json::Array{"given", 7});
    return answer;
  }
  size_t asked() const { return asked_; }

 private:
  size_t asked_ = 0;
};

// The rule set with another program for every person and every later write.
Value Remote(const Value& rules) {
  if (rules == Value("ask") || rules == Value("lww")) return "remote";
  Value remote = rules;
  if (rules.is_array()) {
    for (Value& rule : remote.array()) rule = Remote(rule);
  } else if (rules.is_object()) {
    for (size_t i = 0; i < rules.object().size(); ++i) {
      Value member = Remote(rules.object().at(i).value);
      if (rules.object().at(i).key == "else" && member == Value("remote")) {
        member = *json::Parse(R"({"rule":"remote","resolver":"r"})");
      }
      remote.object().value_at(i) = std::move(member);
    }
    if (remote.Find("rule") != nullptr && *remote.Find("rule") == Value("remote")) {
      remote.Set("resolver", "r");
    }
  }
  return remote;
}

struct Asked {
  MergeResult result;
  size_t asked = 0;
};

Asked MergeBy(const Value& rules, const Value& base, const Value& theirs, const Value& ours) {
  const RuleSet set = *ParseRuleSet(rules);
  AnyAnswers answers;
  Asked merged;
  merged.result = Merge(base, theirs, ours, {.rules = &set, .evaluator = &answers}).value();
  merged.asked = answers.asked();
  return merged;
}

using Counts = std::map<std::string, int>;

void Count(const Value& value, int sign, Counts& counts) {
  if (value.is_object()) {
    for (const json::Member& member : value.object()) Count(member.value, sign, counts);
  } else if (value.is_array()) {
    for (const Value& element : value.array()) Count(element, sign, counts);
  } else {
    counts[std::to_string(HashOf(value))] += sign;
  }
}

bool Accounted(const Value& side, std::optional<Value> Decision::*held, const MergeResult& result) {
  Counts counts;
  Count(side, 1, counts);
  if (result.value) Count(*result.value, -1, counts);
  for (const auto* decisions : {&result.decisions, &result.conflicts}) {
    for (const Decision& decision : *decisions) {
      if (decision.*held) Count(*(decision.*held), -1, counts);
    }
  }
  for (const auto& [leaf, count] : counts) {
    if (count > 0) return false;
  }
  return true;
}

TEST(EvaluatorLaws, EveryLeafOfEitherSideIsInTheResultOrInAList) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const Asked merged = MergeBy(Remote(c.rules), c.base, c.theirs, c.ours);
    return Accounted(c.theirs, &Decision::theirs, merged.result) &&
           Accounted(c.ours, &Decision::ours, merged.result);
  });
}

TEST(EvaluatorLaws, NobodyIsAskedWhereOneSideChangedNothing) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const Asked theirs = MergeBy(Remote(c.rules), c.base, c.theirs, c.base);
    const Asked ours = MergeBy(Remote(c.rules), c.base, c.base, c.ours);
    return theirs.asked == 0 && ours.asked == 0 && theirs.result.value == c.theirs &&
           ours.result.value == c.ours;
  });
}

TEST(EvaluatorLaws, WhatStandsIsWhatItsDecisionSays) {
  ExpectRuledLaw({.texts = false, .sequences = false}, [](const RuledCase& c) {
    const Asked merged = MergeBy(Remote(c.rules), c.base, c.theirs, c.ours);
    for (const Decision& decision : merged.result.decisions) {
      const bool made = decision.chosen == Side::kMerged || decision.chosen == Side::kValue;
      if (!made && decision.result) return false;
      if (decision.region) continue;
      if (decision.rule != RuleKind::kRemote || decision.path.find('=') != std::string::npos) {
        continue;
      }
      const Value* stands =
          merged.result.value ? json::Resolve(*merged.result.value, decision.path) : nullptr;
      const std::optional<Value>& said = decision.chosen == Side::kBase     ? decision.base
                                         : decision.chosen == Side::kTheirs ? decision.theirs
                                         : decision.chosen == Side::kOurs   ? decision.ours
                                                                            : decision.result;
      if (said.has_value() != (stands != nullptr) || (said && *said != *stands)) return false;
    }
    return true;
  });
}

TEST(EvaluatorLaws, WhatIsNotYetKnownChangesNothingElse) {
  class Pending final : public RuleEvaluator {
   public:
    Answer Evaluate(const Question&) override { return {.kind = Answer::Kind::kPending}; }
  };
  ExpectRuledLaw({.texts = false}, [](const RuledCase& c) {
    const RuleSet set = *ParseRuleSet(Remote(c.rules));
    Pending pending;
    const MergeResult merged =
        Merge(c.base, c.theirs, c.ours, {.rules = &set, .evaluator = &pending}).value();
    // All that either side holds is there, or in a list, or where it is not yet known.
    return merged.value.has_value() && merged.conflicts.empty() &&
           (merged.pending > 0 || Accounted(c.ours, &Decision::ours, merged));
  });
}

}  // namespace
}  // namespace bdcsync::merge
