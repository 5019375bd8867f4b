// The laws of the algebra on random text (random_text.h makes the expected outcomes itself). A
// failure prints its seed and the smallest case found that still fails.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/ot/choices.h"
#include "libs/ot/compose.h"
#include "libs/ot/delta_json.h"
#include "libs/ot/diff.h"
#include "libs/ot/document.h"
#include "libs/ot/history.h"
#include "libs/ot/invert.h"
#include "libs/ot/random_text.h"
#include "libs/ot/transform.h"
#include "libs/testing/property_cases.h"

namespace bdcsync::ot {
namespace {

void ExpectLaw(const Law& law) { EXPECT_EQ(FindCounterexample(law, testing::PropertyCases()), ""); }

std::string Text(const Delta& delta) { return json::Serialize(ToJson(delta)); }

void Tell(std::string& story, const char* name, const Delta& delta) {
  absl::StrAppend(&story, name, " ", Text(delta), "\n");
}

// `document` after `changes`; nothing that equals any content when one was refused.
absl::StatusOr<Delta> After(const Delta& document, const std::vector<Delta>& changes) {
  absl::StatusOr<Delta> result = document;
  for (const Delta& change : changes) {
    if (result.ok()) result = Apply(*result, change);
  }
  return result;
}

bool Same(const absl::StatusOr<Delta>& a, const absl::StatusOr<Delta>& b) {
  return a.ok() && b.ok() && *a == *b;
}

TEST(Laws, ApplyingGivesTheExpectedDocument) {
  ExpectLaw([](Choices& choices, std::string& story) {
    const Cells before = RandomText(choices);
    const Edit edit = RandomEdit(choices, before);
    const Delta expected = ContentOf(edit.after);
    Tell(story, "before", ContentOf(before));
    Tell(story, "change", edit.delta);
    Tell(story, "expected", expected);
    absl::StatusOr<Document> document = Document::From(ContentOf(before));
    if (!document.ok() || !document->Apply(edit.delta).ok()) return false;
    return document->Content() == expected && Same(Apply(ContentOf(before), edit.delta), expected);
  });
}

TEST(Laws, ADeltaSurvivesItsJsonAndIsCanonical) {
  ExpectLaw([](Choices& choices, std::string& story) {
    const Edit edit = RandomEdit(choices, RandomText(choices));
    story = json::Serialize(edit.json);
    const json::Value canonical = ToJson(edit.delta);
    const absl::StatusOr<json::Value> read = json::Parse(json::Serialize(canonical));
    const Delta again = *ParseDelta(*read);
    Component::Kind last = Component::Kind::kRetain;
    for (const Component& component : again.components()) {
      if (component.inserts() && last == Component::Kind::kDelete) return false;
      last = component.kind;
    }
    const bool plain_end = !again.empty() && last == Component::Kind::kRetain &&
                           again.components().back().attributes.empty();
    return again == edit.delta && ToJson(again) == canonical && !plain_end;
  });
}

TEST(Laws, AComposedOperationDoesWhatItsPartsDoInSequence) {
  ExpectLaw([](Choices& choices, std::string& story) {
    const Cells before = RandomText(choices);
    const Edit a = RandomEdit(choices, before);
    const Edit b = RandomEdit(choices, a.after);
    const Edit c = RandomEdit(choices, b.after);
    Tell(story, "before", ContentOf(before));
    Tell(story, "a", a.delta);
    Tell(story, "b", b.delta);
    Tell(story, "c", c.delta);
    const absl::StatusOr<Delta> both = Compose(a.delta, b.delta);
    const absl::StatusOr<Delta> later = Compose(b.delta, c.delta);
    if (!both.ok() || !later.ok()) return false;
    const Delta document = ContentOf(before);
    return Same(Apply(document, *both), ContentOf(b.after)) &&
           Same(Apply(document, *Compose(*both, c.delta)), ContentOf(c.after)) &&
           Same(Apply(document, *Compose(a.delta, *later)), ContentOf(c.after)) &&
           Same(Apply(document, *ComposeAll({a.delta, b.delta, c.delta})), ContentOf(c.after));
  });
}

TEST(Laws, AnInverseTakesAnOperationBack) {
  ExpectLaw([](Choices& choices, std::string& story) {
    const Cells before = RandomText(choices);
    const Edit edit = RandomEdit(choices, before);
    const Delta document = ContentOf(before);
    Tell(story, "before", document);
    Tell(story, "change", edit.delta);
    const absl::StatusOr<Delta> inverse = Invert(edit.delta, document);
    const absl::StatusOr<Document> rope = Document::From(document);
    return Same(Apply(ContentOf(edit.after), *inverse), document) &&
           Same(rope->Invert(edit.delta), inverse);
  });
}

TEST(Laws, BothWaysRoundTheDiamondLeadToOneDocument) {
  ExpectLaw([](Choices& choices, std::string& story) {
    const Cells before = RandomText(choices);
    const Edit a = RandomEdit(choices, before);
    const Edit b = RandomEdit(choices, before);
    const Delta document = ContentOf(before);
    Tell(story, "before", document);
    Tell(story, "a", a.delta);
    Tell(story, "b", b.delta);
    const Delta b_after_a = Transform(a.delta, b.delta, Priority::kThis);
    const Delta a_after_b = Transform(b.delta, a.delta, Priority::kOther);
    return Same(After(document, {a.delta, b_after_a}), After(document, {b.delta, a_after_b}));
  });
}

TEST(Laws, PositionsGoWhereTheirCharactersGo) {
  ExpectLaw([](Choices& choices, std::string& story) {
    const Cells before = RandomText(choices);
    const Edit edit = RandomEdit(choices, before);
    Tell(story, "before", ContentOf(before));
    Tell(story, "change", edit.delta);
    int64_t position = 0;
    for (size_t gap = 0; gap <= before.size(); ++gap) {
      const int64_t pushed = TransformPosition(edit.delta, position, Priority::kOther);
      const int64_t stays = TransformPosition(edit.delta, position, Priority::kThis);
      if (pushed != edit.PlaceOf(gap, true) || stays != edit.PlaceOf(gap, false)) {
        absl::StrAppend(&story, "position ", position, " to ", pushed, " or ", stays);
        return false;
      }
      if (gap < before.size()) position += before[gap].units();
    }
    return true;
  });
}

TEST(Laws, ADifferenceTurnsOneDocumentIntoTheOther) {
  ExpectLaw([](Choices& choices, std::string& story) {
    const Cells before = RandomText(choices);
    const Cells after =
        choices.Below(2) == 0 ? RandomText(choices) : RandomEdit(choices, before).after;
    const Delta from = ContentOf(before), to = ContentOf(after);
    Tell(story, "from", from);
    Tell(story, "to", to);
    const absl::StatusOr<Delta> change = Diff(from, to);
    const absl::StatusOr<Delta> hurried = Diff(from, to, /*work_max=*/8);
    return Same(Apply(from, *change), to) && Same(Apply(from, *hurried), to) &&
           Diff(from, from)->empty();
  });
}

// Some operations, each on the outcome of the one before it.
std::vector<Delta> RandomHistory(Choices& choices, Cells& cells, std::string& story,
                                 const char* name) {
  std::vector<Delta> history;
  for (size_t i = choices.Below(5); i > 0; --i) {
    Edit edit = RandomEdit(choices, cells, 3);
    Tell(story, name, edit.delta);
    history.push_back(edit.delta);
    cells = std::move(edit.after);
  }
  return history;
}

TEST(Laws, TwoHistoriesConvergeTransformedPairwiseAndComposed) {
  ExpectLaw([](Choices& choices, std::string& story) {
    const Cells before = RandomText(choices);
    Cells at_theirs = before, at_ours = before;
    const Delta document = ContentOf(before);
    Tell(story, "before", document);
    const std::vector<Delta> theirs = RandomHistory(choices, at_theirs, story, "theirs");
    const std::vector<Delta> ours = RandomHistory(choices, at_ours, story, "ours");
    for (const size_t distance_max : {size_t{0}, kTransformDistanceMax}) {
      const absl::StatusOr<Rebased> both =
          Rebase(theirs, ours, {.transform_distance_max = distance_max});
      if (!both.ok() ||
          both->composed != (distance_max == 0 && !(theirs.empty() && ours.empty()))) {
        return false;
      }
      if (!Same(After(ContentOf(at_theirs), both->ours), After(ContentOf(at_ours), both->theirs))) {
        return false;
      }
    }
    return true;
  });
}

// What others did stays: the document is as if the operation had not been, and theirs had been
// moved over its inverse.
TEST(Laws, UndoSparesWhatOthersDidMeanwhile) {
  ExpectLaw([](Choices& choices, std::string& story) {
    const Cells before = RandomText(choices);
    const Edit own = RandomEdit(choices, before);
    const Delta document = ContentOf(before);
    Tell(story, "before", document);
    Tell(story, "own", own.delta);
    Cells cells = own.after;
    const std::vector<Delta> later = RandomHistory(choices, cells, story, "later");
    const absl::StatusOr<Delta> undo = Undo(own.delta, document, later);
    const absl::StatusOr<Rebased> without = Rebase(later, {*Invert(own.delta, document)});
    return Same(Apply(ContentOf(cells), *undo), After(document, without->theirs)) &&
           (!later.empty() || Same(Apply(ContentOf(own.after), *undo), document));
  });
}

}  // namespace
}  // namespace bdcsync::ot
