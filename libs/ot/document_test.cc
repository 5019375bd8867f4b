// The document on its rope: large texts, the shape of the tree, ways of counting, all or nothing.
#include "libs/ot/document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "libs/ot/choices.h"
#include "libs/ot/compose.h"
#include "libs/ot/random_text.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::ot {
namespace {

using ::bdcsync::testing::HasReason;

Attributes Bold() { return Attributes(std::vector<json::Member>{{"bold", true}}); }

Document Make(const std::string& text) {
  absl::StatusOr<Document> document = Document::From(Delta().InsertText(text));
  EXPECT_OK(document.status());
  return *std::move(document);
}

// Sizes add up at every level, no leaf is too large or empty, and the tree is not deeper than so
// many leaves need.
void ExpectSound(const Document& document) {
  TextSize total;
  size_t leaves = 0;
  document.rope().ForEachLeaf([&](const RopeLeaf& leaf) {
    TextSize runs;
    for (const Run& run : leaf.runs()) runs += run.size;
    EXPECT_EQ(runs, leaf.size());
    EXPECT_FALSE(leaf.overfull());
    EXPECT_TRUE(leaf.size().units > 0 || document.size().units == 0);
    total += leaf.size();
    ++leaves;
  });
  EXPECT_EQ(total, document.size());
  size_t depth_max = 2;
  for (size_t nodes = leaves; nodes > 4; nodes /= 4) ++depth_max;
  EXPECT_LE(document.rope().depth(), depth_max) << leaves << " leaves";
}

TEST(Document, CountsBytesUnitsAndCodePoints) {
  Document document = Make("a\u00DF\u4E16\U0001F600");
  EXPECT_EQ(document.size(), (TextSize{10, 5, 4}));
  ASSERT_OK(document.Apply(Delta().Retain(3).InsertEmbed(Embed(json::Value("image")))));
  EXPECT_EQ(document.size(), (TextSize{10, 6, 5}));
  EXPECT_EQ(document.UnitOfPoint(3), 3);
  EXPECT_EQ(document.UnitOfPoint(4), 4);
  EXPECT_EQ(document.UnitOfPoint(5), 6);
}

TEST(Document, EditsInTheMiddleOfTenMegabytesTouchOneLeafOfThousands) {
  std::string text;
  while (text.size() < 10'000'000) text += "some words \u00E9\U0001F600 and a line\n";
  Document document = Make(text);
  EXPECT_TRUE(document.Text() == text);
  EXPECT_LE(document.rope().depth(), 5u);
  const int64_t middle = document.UnitOfPoint(document.size().points / 2);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_OK(document.Apply(Delta().Retain(middle + i).InsertText("x")));
  }
  ASSERT_OK(document.Apply(Delta().Retain(middle).Delete(3000)));
  EXPECT_TRUE(document.Text() == text);
  ExpectSound(document);
  ASSERT_OK(document.Apply(Delta().Delete(document.size().units)));
  EXPECT_EQ(document.size(), TextSize());
  EXPECT_EQ(document.rope().depth(), 1u);
}

TEST(Document, StaysSoundUnderAnyEdits) {
  std::mt19937_64 random(7);
  Document document;
  std::string model;  // ASCII, so that bytes are units.
  for (int i = 0; i < 20'000; ++i) {
    const bool grows = (i / 4000) % 2 == 0;
    const size_t at = random() % (model.size() + 1);
    const size_t removed = std::min<size_t>(random() % (grows ? 20 : 400), model.size() - at);
    const std::string inserted(random() % (grows ? 200 : 10), static_cast<char>('a' + i % 26));
    const auto place = static_cast<int64_t>(at);
    Delta change;
    change.Retain(place, i % 16 == 0 ? Bold() : Attributes());
    change.InsertText(inserted, i % 3 == 0 ? Bold() : Attributes());
    change.Delete(static_cast<int64_t>(removed));
    ASSERT_OK(document.Apply(change));
    model.replace(at, removed, inserted);
    if (i % 1000 == 0) ExpectSound(document);
  }
  EXPECT_TRUE(document.Text() == model);
  ExpectSound(document);
}

// Large enough that leaves split, merge and vanish, with formats, embeds and surrogates.
TEST(Document, LongRichTextEqualsTheSameDoneOnDeltas) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Choices choices(seed);
    Cells cells = RandomText(choices, 400);
    absl::StatusOr<Document> document = Document::From(ContentOf(cells));
    ASSERT_OK(document.status());
    for (int i = 0; i < 30; ++i) {
      const Delta before = ContentOf(cells);
      Edit edit = RandomEdit(choices, cells, 400);
      ASSERT_OK_AND_ASSIGN(const Delta inverse, document->Invert(edit.delta));
      ASSERT_OK(document->Apply(edit.delta));
      EXPECT_EQ(document->Content(), ContentOf(edit.after));
      EXPECT_EQ(*Apply(document->Content(), inverse), before);
      cells = std::move(edit.after);
    }
    ExpectSound(*document);
  }
}

TEST(Document, ARefusedOperationLeavesNothingBehind) {
  Document document = Make("ab\U0001F600");
  const Delta before = document.Content();
  const Delta past_end = Delta().InsertText("x").Retain(2, Bold()).Delete(3);
  EXPECT_THAT(document.Apply(past_end), HasReason(Reason::kInvalidArgument));
  EXPECT_EQ(PathOf(document.Apply(past_end)), "/2");
  const Delta half = Delta().Delete(1).Retain(2, Bold()).InsertText("x");
  EXPECT_THAT(document.Apply(half), HasReason(Reason::kInvalidArgument));
  EXPECT_EQ(PathOf(document.Apply(half)), "/1");
  EXPECT_THAT(document.Invert(half), HasReason(Reason::kInvalidArgument));
  EXPECT_EQ(document.Content(), before);
}

TEST(Document, IsAsLongAsItsLimitAndNoLonger) {
  Document document(DocumentLimits{.text_bytes_max = 10});
  ASSERT_OK(document.Apply(Delta().InsertText("123456789")));
  ASSERT_OK(document.Apply(Delta().InsertText("0")));
  EXPECT_THAT(document.Apply(Delta().InsertText("!")), HasReason(Reason::kTooLarge));
  EXPECT_EQ(document.Text(), "0123456789");
}

TEST(Document, SlicesBeginAndEndAtCharacters) {
  const Document document = Make("ab\U0001F600c");
  EXPECT_EQ(*document.Slice(1, 3), Delta().InsertText("b\U0001F600"));
  EXPECT_EQ(*document.Slice(5, 0), Delta());
  EXPECT_THAT(document.Slice(3, 1), HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(document.Slice(2, 1), HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(document.Slice(2, 4), HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(document.Slice(-1, 1), HasReason(Reason::kInvalidArgument));
}

// A format of 60 kB for each of 2000 pieces is 120 MB, from a message of 60 kB.
TEST(Document, ALargeFormatForManyPiecesIsRefused) {
  Delta content;
  for (int i = 0; i < 2000; ++i) {
    content.InsertText("x", Attributes(std::vector<json::Member>{{"n", json::Value(i)}}));
  }
  absl::StatusOr<Document> document = Document::From(content);
  ASSERT_OK(document);
  const Attributes large(std::vector<json::Member>{{"m", json::Value(std::string(60'000, 'v'))}});
  const absl::Status refused = document->Apply(Delta().Retain(2000, large));
  EXPECT_THAT(refused, HasReason(Reason::kTooLarge));
  EXPECT_EQ(PathOf(refused), "/0");
  EXPECT_EQ(document->Content(), content);
  EXPECT_OK(document->Apply(Delta().Retain(200, large)));
  // Only what is formatted counts, not what stands beside it.
  Delta every_other;
  for (int i = 0; i < 200; ++i) every_other.Retain(1, large).Retain(1);
  EXPECT_OK(document->Apply(every_other));
}

}  // namespace
}  // namespace bdcsync::ot
