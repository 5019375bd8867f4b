// One large format that meets any number of pieces is there once, whatever is made of them.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "libs/json/value.h"
#include "libs/ot/compose.h"
#include "libs/ot/diff.h"
#include "libs/ot/document.h"
#include "libs/ot/invert.h"
#include "libs/ot/transform.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::ot {
namespace {

using json::Member;
using json::Value;

constexpr int kPieces = 2000;
constexpr size_t kLargeBytes = 60'000;
// One large name, one large value, and what is small.
constexpr size_t kHeldMax = 2 * kLargeBytes + size_t{kPieces} * 100;

Attributes Of(std::vector<Member> members) { return Attributes(members); }

// With a long name that takes a format away.
Attributes Large() {
  return Of({{"a", Value(std::string(kLargeBytes, 'v'))},
             {"c", Value(-1)},
             {std::string(kLargeBytes, 'n'), Value()}});
}

// Alike with none of their neighbours, also in what they share with Large().
Attributes Small(int i) { return Of({{i % 2 == 0 ? "b" : "c", Value(i)}}); }

Delta Retains() {
  Delta delta;
  for (int i = 0; i < kPieces; ++i) delta.Retain(1, Small(i));
  return delta;
}

Delta Pieces() {
  Delta delta;
  for (int i = 0; i < kPieces; ++i) delta.InsertText("x", Small(i));
  return delta;
}

// Bytes of all formats, those that are one counted once.
size_t BytesHeld(const Delta& delta) {
  std::set<const void*> seen;
  size_t bytes = 0;
  for (const Component& component : delta.components()) {
    for (const Format& format : component.attributes.formats()) {
      if (seen.insert(&format.name()).second) bytes += format.name().size();
      if (seen.insert(&format.value()).second) bytes += json::Measure(format.value()).bytes;
    }
  }
  return bytes;
}

TEST(SharedFormats, AFormatThatIsMovedOverManyPieces) {
  const Delta moved = Transform(Retains(), Delta().Retain(kPieces, Large()), Priority::kThis);
  EXPECT_EQ(moved.components().size(), size_t{kPieces});
  EXPECT_LE(BytesHeld(moved), kHeldMax);
}

TEST(SharedFormats, AFormatThatIsComposedWithMany) {
  const Delta change = Delta().Retain(kPieces, Large());
  ASSERT_OK_AND_ASSIGN(const Delta after, Compose(Retains(), change));
  EXPECT_EQ(after.components().size(), size_t{kPieces} / 2 * 2);
  EXPECT_LE(BytesHeld(after), kHeldMax);
  ASSERT_OK_AND_ASSIGN(const Delta before, Compose(change, Retains()));
  EXPECT_EQ(before.components().size(), size_t{kPieces});
  EXPECT_LE(BytesHeld(before), kHeldMax);
  ASSERT_OK_AND_ASSIGN(const Delta content, Compose(Pieces(), change));
  EXPECT_LE(BytesHeld(content), kHeldMax);
}

TEST(SharedFormats, AFormatThatIsTakenBackFromMany) {
  ASSERT_OK_AND_ASSIGN(const Delta inverse, Invert(Delta().Retain(kPieces, Large()), Pieces()));
  EXPECT_LE(BytesHeld(inverse), kHeldMax);
}

TEST(SharedFormats, PiecesThatDifferFromOne) {
  const Attributes large = Of({{std::string(kLargeBytes, 'n'), Value(1)}});
  const Delta one = Delta().InsertText(std::string(kPieces, 'x'), large);
  ASSERT_OK_AND_ASSIGN(const Delta to_pieces, Diff(one, Pieces(), 1000));
  EXPECT_EQ(to_pieces.components().size(), size_t{kPieces});
  EXPECT_LE(BytesHeld(to_pieces), kHeldMax);
  ASSERT_OK_AND_ASSIGN(const Delta to_one, Diff(Pieces(), one, 1000));
  EXPECT_LE(BytesHeld(to_one), kHeldMax);
}

TEST(SharedFormats, ADocumentKnowsHowLargeItsFormatsAreWhereEachPieceHasItsOwn) {
  Document document;
  const Attributes large = Of({{"a", Value(std::string(kLargeBytes, 'v'))}});
  constexpr int64_t kEach = kLargeBytes + 3;  // The name and the quotes.
  ASSERT_OK(document.Apply(Delta().InsertText(std::string(kPieces, 'x'), large)));
  EXPECT_FALSE(document.HasFormatsOver(kEach));
  EXPECT_TRUE(document.HasFormatsOver(kEach - 1));
  Delta cut;
  for (int i = 0; i < kPieces / 2; ++i) cut.Retain(1).InsertText("y").Retain(1);
  ASSERT_OK(document.Apply(cut));
  EXPECT_FALSE(document.HasFormatsOver(kEach * (kPieces / 2 + 1)));
  EXPECT_TRUE(document.HasFormatsOver(kEach * (kPieces / 2 + 1) - 1));
  ASSERT_OK(document.Apply(Retains()));
  EXPECT_LE(BytesHeld(document.Content()), kHeldMax);
}

}  // namespace
}  // namespace bdcsync::ot
