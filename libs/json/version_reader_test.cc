#include "libs/json/version_reader.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/random_value.h"
#include "libs/json/serialize.h"
#include "libs/testing/property_cases.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::json {
namespace {

using ::bdcsync::testing::HasReason;

// A list of records; each one has its number and its note.
std::string ListOf(const std::vector<std::string>& notes) {
  Value list{Array()};
  for (const std::string& note : notes) {
    Value record;
    record.Set("id", "a record with " + note);
    record.Set("tags", Array{"some", "words", note});
    list.Append(std::move(record));
  }
  return Serialize(list);
}

std::vector<std::string> Numbers(size_t count) {
  std::vector<std::string> numbers(count);
  for (size_t i = 0; i < count; ++i) numbers[i] = absl::StrCat(i);
  return numbers;
}

// Which elements of two lists are the same containers, as "0=0 2=1".
std::string Shared(const Value& a, const Value& b) {
  std::string shared;
  for (size_t i = 0; i < a.array().size(); ++i) {
    for (size_t j = 0; j < b.array().size(); ++j) {
      if (a.array()[i].SameWords(b.array()[j])) {
        absl::StrAppend(&shared, shared.empty() ? "" : " ", i, "=", j);
      }
    }
  }
  return shared;
}

std::string SharedBetween(const std::string& a, const std::string& b) {
  VersionReader reader;
  const Value first = *reader.Read(a);
  return Shared(first, *reader.Read(b));
}

TEST(VersionReader, SharesWhatStandsInBoth) {
  const std::string text = ListOf({"a", "b", "c", "d"});
  EXPECT_EQ(SharedBetween(text, text), "0=0 1=1 2=2 3=3");
  EXPECT_EQ(SharedBetween(text, ListOf({"a", "changed", "c", "d"})), "0=0 2=2 3=3");
  EXPECT_EQ(SharedBetween(text, ListOf({"a", "b", "new", "c", "d"})), "0=0 1=1 2=3 3=4");
  EXPECT_EQ(SharedBetween(text, ListOf({"a", "d"})), "0=0 3=1");
  EXPECT_EQ(SharedBetween(text, ListOf({"1", "2", "3", "4"})), "");
}

TEST(VersionReader, SharesBehindALongRunOfChanges) {
  std::vector<std::string> notes = Numbers(100);
  const std::string text = ListOf(notes);
  for (int i = 10; i < 60; ++i) notes[i] += " changed";
  VersionReader reader;
  const Value first = *reader.Read(text);
  const Value second = *reader.Read(ListOf(notes));
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(first.array()[i].SameWords(second.array()[i]), i < 10 || i >= 60) << i;
  }
}

TEST(VersionReader, SharesInsideWhatWasChanged) {
  VersionReader reader;
  const Value first = *reader.Read(R"({"kept":["some words","and more"],"n":1})");
  const Value second = *reader.Read(R"({"n":2,"kept":["some words","and more"]})");
  EXPECT_TRUE(first.Find("kept")->SameWords(*second.Find("kept")));
}

TEST(VersionReader, WritingToOneLeavesTheOther) {
  const std::string text = ListOf({"a", "b"});
  VersionReader reader;
  Value first = *reader.Read(text);
  Value second = *reader.Read(text);
  second.array()[0].Set("id", "written");
  EXPECT_EQ(Serialize(first), text);
  first.array()[1].object().Erase("tags");
  EXPECT_EQ(second.array()[1].Find("tags")->array().size(), 3u);
  EXPECT_EQ(Serialize(*reader.Read(text)), text);
}

TEST(VersionReader, AFailedFirstReadLeavesNothing) {
  VersionReader reader;
  EXPECT_THAT(reader.Read(R"([["some words","and more"],)"), HasReason(Reason::kBadMessage));
  EXPECT_EQ(Serialize(*reader.Read(R"([["some words","and more"]])")),
            R"([["some words","and more"]])");
}

// The last member of a name is the one that counts: what the others held is gone.
TEST(VersionReader, WhatARepeatedKeyDroppedIsNotShared) {
  const std::string dropped = R"({"kept":"some words","and":["some more","of them"]})";
  std::string wide;
  for (size_t i = 0; i < 2 * Object::kScanMembersMax; ++i) absl::StrAppend(&wide, ",\"", i, "\":0");
  for (const std::string& others : {std::string(), wide}) {
    const std::string text = absl::StrCat(R"({"a":)", dropped, R"(,"a":1)", others, "}");
    VersionReader reader;
    const Value first = *reader.Read(text);
    const Value second = *reader.Read(absl::StrCat(R"({"b":)", dropped, others, R"(,"c":1})"));
    EXPECT_TRUE(Identical(first, *Parse(text)));
    ASSERT_NE(second.Find("b"), nullptr);
    EXPECT_EQ(Serialize(*second.Find("b")), dropped);
  }
}

TEST(VersionReader, LimitsHoldForWhatIsShared) {
  const std::string list = R"(["some words",["and more"]])";
  VersionReader reader({.depth_max = 3, .bytes_max = 100});
  const std::string text = "[" + list + "]";
  ASSERT_OK(reader.Read(text));
  EXPECT_OK(reader.Read("[" + list + ",0]"));
  EXPECT_THAT(reader.Read("[[" + list + "]]"), HasReason(Reason::kTooDeep));
  EXPECT_THAT(reader.Read("[" + list + std::string(100, ' ') + "]"), HasReason(Reason::kTooLarge));
}

TEST(VersionReader, ReadsAsParseReads) {
  for (uint64_t seed = 0; seed < testing::PropertyCases(); ++seed) {
    RandomValue random(seed);
    const Value original = random.Make(/*depth_max=*/4);
    const std::string text = Serialize(original);
    VersionReader reader({.depth_max = 4});
    Value first = *reader.Read(text);
    std::string edited = Serialize(random.Edit(original, random.Below(4), /*depth_max=*/4));
    if (random.Below(8) == 0) edited.resize(random.Below(edited.size()));
    absl::StatusOr<Value> second = reader.Read(edited);
    const absl::StatusOr<Value> expected = Parse(edited, {.depth_max = 4});
    ASSERT_EQ(second.status(), expected.status()) << "seed " << seed;
    if (!second.ok()) continue;
    ASSERT_TRUE(Identical(*second, *expected)) << "seed " << seed;
    // Either may be written to.
    Value& written = random.Below(2) == 0 ? first : *second;
    const Value& left = &written == &first ? *second : first;
    const std::string before = Serialize(left);
    random.EditInPlace(written, 3, /*depth_max=*/3);
    ASSERT_EQ(Serialize(left), before) << "seed " << seed;
  }
}

TEST(VersionReader, ValuesThatShareMayBeUsedByThreads) {
  const std::string text = ListOf(Numbers(200));
  for (int round = 0; round < 20; ++round) {
    Value first;
    Value second;
    {
      VersionReader reader;
      first = *reader.Read(text);
      second = *reader.Read(text);
    }
    const auto use = [&text](Value value) {
      for (size_t i = 0; i < value.array().size(); i += 2) value.array()[i].Set("id", "written");
      EXPECT_NE(Serialize(value), text);
    };
    std::thread other(use, std::move(second));
    use(std::move(first));
    other.join();
  }
}

}  // namespace
}  // namespace bdcsync::json
