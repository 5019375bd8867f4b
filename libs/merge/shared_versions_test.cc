// Versions that were read together share what is equal: that changes nothing but the time it takes.
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"
#include "libs/json/version_reader.h"
#include "libs/merge/merge_cases_testing.h"
#include "libs/merge/three_way.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using json::Value;

std::string Text(const std::optional<Value>& value) {
  return value ? json::Serialize(*value) : "nothing";
}

std::string Text(const std::vector<Decision>& decisions) {
  std::string text;
  for (const Decision& decision : decisions) {
    absl::StrAppend(&text, decision.path, " ", RuleName(decision.rule), " ",
                    ConflictKindName(decision.kind), " ", Text(decision.base), " ",
                    Text(decision.theirs), " ", Text(decision.ours), " ", Text(decision.result),
                    " ", decision.chosen ? SideName(*decision.chosen) : "open");
    if (decision.region) {
      absl::StrAppend(&text, " ", decision.region->base_begin, " ", decision.region->theirs_begin,
                      " ", decision.region->ours_begin, " ", decision.region->result_begin);
    }
    text += "\n";
  }
  return text;
}

std::string Text(const MergeResult& result) {
  std::string notes;
  for (const Note& note : result.notes) absl::StrAppend(&notes, note.path, " ", note.text, "\n");
  return absl::StrCat(Text(result.value), "\n", Text(result.decisions), "\n",
                      Text(result.conflicts), "\n", notes, result.overlapped ? "overlapped" : "");
}

TEST(SharedVersions, MergeAsThoseThatShareNothing) {
  size_t shared = 0;
  ExpectRuledLaw({}, [&shared](const RuledCase& c) {
    const RuleSet rules = *ParseRuleSet(c.rules);
    const std::string texts[] = {json::Serialize(c.base), json::Serialize(c.theirs),
                                 json::Serialize(c.ours)};
    json::VersionReader reader({.depth_max = json::kDepthCeiling});
    std::optional<Value> base = *reader.Read(texts[0]);
    std::optional<Value> theirs = *reader.Read(texts[1]);
    std::optional<Value> ours = *reader.Read(texts[2]);
    if (base->is_object() && theirs->is_object()) {
      for (const json::Member& member : theirs->object()) {
        const Value* const in_base = base->Find(member.key);
        const bool container = member.value.is_array() || member.value.is_object();
        shared += in_base != nullptr && container && member.value.SameWords(*in_base) ? 1 : 0;
      }
    }
    const MergeResult plain = Merge(c.base, c.theirs, c.ours, {.rules = &rules}).value();
    const MergeResult merged =
        Merge(base, std::move(theirs), std::move(ours), {.rules = &rules}).value();
    return Text(plain) == Text(merged) && Text(base) == texts[0];
  });
  EXPECT_GT(shared, 1000u);
}

}  // namespace
}  // namespace bdcsync::merge
