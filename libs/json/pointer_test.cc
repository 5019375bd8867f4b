#include "libs/json/pointer.h"

#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::json {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::ElementsAre;

TEST(Pointer, ResolvesTheExamplesOfRfc6901) {
  const Value document = *Parse(R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,)"
                                R"("i\\j":5,"k\"l":6," ":7,"m~n":8})");
  EXPECT_EQ(Resolve(document, ""), &document);
  const std::pair<const char*, const char*> examples[] = {{"/foo", "[\"bar\",\"baz\"]"},
                                                          {"/foo/0", "\"bar\""},
                                                          {"/", "0"},
                                                          {"/a~1b", "1"},
                                                          {"/c%d", "2"},
                                                          {"/e^f", "3"},
                                                          {"/g|h", "4"},
                                                          {"/i\\j", "5"},
                                                          {"/k\"l", "6"},
                                                          {"/ ", "7"},
                                                          {"/m~0n", "8"}};
  for (const auto& [pointer, expected] : examples) {
    const Value* found = Resolve(document, pointer);
    ASSERT_NE(found, nullptr) << pointer;
    EXPECT_EQ(Serialize(*found), expected);
  }
}

TEST(Pointer, FindsNothingWhereNothingIs) {
  const Value document = *Parse(R"({"a":[1,2],"s":"text"})");
  for (const char* pointer : {"/b", "/a/2", "/a/-", "/a/01", "/a/+1", "/a/", "/a/0/x", "/s/0", "a",
                              "/a/99999999999999999999999"}) {
    EXPECT_EQ(Resolve(document, pointer), nullptr) << pointer;
  }
}

TEST(Pointer, TokensAreEscapedAndComeBack) {
  EXPECT_THAT(*ParsePointer("/a~1b/~01//x"), ElementsAre("a/b", "~1", "", "x"));
  const PointerTokens tokens = {"", "~", "/", "~1", "plain", "\xc3\xa9"};
  EXPECT_EQ(*ParsePointer(FormatPointer(tokens)), tokens);
  for (const char* bad : {"a", "/~", "/~2", "/a~", "/~a"}) {
    EXPECT_THAT(ParsePointer(bad), HasReason(Reason::kInvalidArgument)) << bad;
  }
}

}  // namespace
}  // namespace bdcsync::json
