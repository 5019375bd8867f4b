#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/entity/conflict_name.h"
#include "libs/entity/cursor.h"
#include "libs/entity/key.h"
#include "libs/entity/version_id.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::entity {
namespace {

using testing::HasReason;
using testing::IsOk;

std::string Repeated(size_t count) { return std::string(count, 'a'); }

TEST(EntityKey, TakesEveryAllowedCharacter) {
  EXPECT_OK(ValidateSpace("user:ada@example.org_1-2"));
  EXPECT_OK(ValidateType("Note_1.v-2"));
  EXPECT_OK(ValidateBranch("feature/x_1.2-3"));
  EXPECT_OK(ValidateId("a note: \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/\\\""));
}

TEST(EntityKey, HoldsLengthsToTheByte) {
  const struct {
    absl::Status (*validate)(absl::string_view);
    size_t bytes_max;
  } kRules[] = {{ValidateSpace, kSpaceBytesMax},
                {ValidateType, kTypeBytesMax},
                {ValidateId, kIdBytesMax},
                {ValidateBranch, kBranchBytesMax}};
  for (const auto& rule : kRules) {
    EXPECT_THAT(rule.validate(""), HasReason(Reason::kInvalidArgument));
    EXPECT_OK(rule.validate(Repeated(1)));
    EXPECT_OK(rule.validate(Repeated(rule.bytes_max)));
    EXPECT_THAT(rule.validate(Repeated(rule.bytes_max + 1)), HasReason(Reason::kInvalidArgument));
  }
}

TEST(EntityKey, RefusesOtherCharactersAndNamesTheField) {
  EXPECT_EQ(PathOf(ValidateSpace("a/b")), "space");
  EXPECT_EQ(PathOf(ValidateType("a:b")), "entity_type");
  EXPECT_EQ(PathOf(ValidateBranch("a:b")), "branch");
  EXPECT_THAT(ValidateType("caf\xc3\xa9"), HasReason(Reason::kInvalidArgument));
}

TEST(EntityKey, RefusesControlsAndBrokenUtf8InIds) {
  const std::vector<std::string> kBroken = {
      std::string(1, '\0'), "a\nb",         "\x7f",         "\xc2\x85",         "\x80",
      "\xc0\xaf",           "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
      "\xe2\x82",           "\xff",         "\xc3(",        "\xf0\x80\x80\xaf"};
  for (const std::string& id : kBroken) {
    EXPECT_EQ(PathOf(ValidateId(id)), "entity_id") << ::testing::PrintToString(id);
  }
}

TEST(EntityKey, StreamNamesCarryTypeBranchAndId) {
  const KeyView key{.space = "s", .type = "note", .id = "a:b:c", .branch = "x/y"};
  const std::string stream = StreamName(key);
  EXPECT_EQ(stream, "note:x/y:a:b:c");
  const auto parsed = ParseStreamName(stream);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->type, "note");
  EXPECT_EQ(parsed->branch, "x/y");
  EXPECT_EQ(parsed->id, "a:b:c");
}

TEST(EntityKey, OtherStreamNamesAreNoEntities) {
  for (const char* stream : {"", "a", "a:b", "a:b:", ":b:c", "a::c", "a b:c:d"}) {
    EXPECT_FALSE(ParseStreamName(stream)) << stream;
  }
}

TEST(VersionId, SurvivesTheRoundTrip) {
  for (const VersionId id : {VersionId{1, 0}, VersionId{9007199254740993, ~uint64_t{0}},
                             VersionId{INT64_MAX, 0x0123456789abcdef}}) {
    EXPECT_EQ(ParseVersionId(MakeVersionId(id.revision, id.event_id)), id);
  }
  EXPECT_EQ(MakeVersionId(7, 0xab), "7-00000000000000ab");
}

TEST(VersionId, HasOneSpellingOnly) {
  for (const char* text :
       {"", "-", "7", "7-", "-00000000000000ab", "07-00000000000000ab", "0-00000000000000ab",
        "+7-00000000000000ab", " 7-00000000000000ab", "7 -00000000000000ab", "7-00000000000000AB",
        "7-0000000000000ab", "7-000000000000000ab", "9223372036854775808-00000000000000ab",
        "7-00000000000000ab "}) {
    EXPECT_FALSE(ParseVersionId(text)) << text;
  }
}

TEST(Cursor, SurvivesTheRoundTrip) {
  for (const Cursor cursor : {Cursor{0, 0}, Cursor{~uint64_t{0}, INT64_MAX}, Cursor{1, 258},
                              Cursor{1, 258, 0}, Cursor{1, 258, 258}, Cursor{1, 258, 0, 7}}) {
    const std::string text = EncodeCursor(cursor);
    EXPECT_EQ(text.size(), cursor.base == Cursor::kNoBase  ? 23u
                           : cursor.had == Cursor::kNoBase ? 34u
                                                           : 44u);
    EXPECT_EQ(DecodeCursor(text), cursor);
  }
}

TEST(Cursor, IsDecodedStrictly) {
  const std::string text = EncodeCursor({.epoch = 5, .seq = 9});
  std::string stray_bits = text;
  stray_bits.back() = static_cast<char>(stray_bits.back() + 1);
  std::string other_format = text;
  other_format[1] = 'g';
  for (const std::string& bad :
       {std::string(), text + "=", text + " ", " " + text, text + "A", text.substr(1), stray_bits,
        other_format, std::string(23, '!'), EncodeCursor({.epoch = 5, .seq = -1}),
        EncodeCursor({.epoch = 5, .seq = 9, .base = 10}),
        EncodeCursor({.epoch = 5, .seq = 9, .base = 4, .had = 4}),
        EncodeCursor({.epoch = 5, .seq = 9, .base = 4, .had = 10})}) {
    EXPECT_FALSE(DecodeCursor(bad)) << bad;
  }
}

TEST(ConflictName, SurvivesTheRoundTripAndIsNoEntitysStream) {
  const std::string name = ConflictsStreamName({"s", "note", "a:b", "main"});
  EXPECT_EQ(name, "!conflicts:note:a:b");
  EXPECT_FALSE(ParseStreamName(name));
  const auto key = ParseConflictsStreamName(name);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->type, "note");
  EXPECT_EQ(key->id, "a:b");
  EXPECT_EQ(key->branch, "main");
  for (const absl::string_view other :
       {"", "note:main:a", "!conflicts:", "!conflicts:note", "!conflicts:note:", "!conflicts::a"}) {
    EXPECT_FALSE(ParseConflictsStreamName(other)) << other;
  }
}

TEST(ConflictName, OnlyBranchesOfConflictsBeginLikeOne) {
  EXPECT_TRUE(IsConflictBranch("conflict/0123"));
  EXPECT_FALSE(IsConflictBranch("conflict"));
  EXPECT_FALSE(IsConflictBranch("main"));
  EXPECT_FALSE(IsConflictBranch(""));
}

}  // namespace
}  // namespace bdcsync::entity
