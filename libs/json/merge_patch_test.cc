#include "libs/json/merge_patch.h"

#include "absl/strings/str_cat.h"
#include "libs/json/parse.h"
#include "libs/json/pointer.h"
#include "libs/json/random_value.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::json {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Patched(absl::string_view target, absl::string_view patch) {
  Value value = *Parse(target);
  ApplyMergePatch(value, *Parse(patch));
  return Serialize(value);
}

std::vector<std::string> Changed(absl::string_view target, absl::string_view patch,
                                 size_t paths_max = 100) {
  Value value = *Parse(target);
  return ApplyMergePatchAndList(value, *Parse(patch), paths_max);
}

TEST(MergePatch, AppliesTheExamplesOfRfc7396) {
  const char* const examples[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
      {R"({"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},)"
       R"("tags":["example","sample"],"content":"This will be unchanged"})",
       R"({"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},)"
       R"("tags":["example"]})",
       R"({"title":"Hello!","author":{"givenName":"John"},"tags":["example"],)"
       R"("content":"This will be unchanged","phoneNumber":"+01-123-456-7890"})"}};
  for (const auto& [target, patch, result] : examples) {
    EXPECT_EQ(Patched(target, patch), result) << target << " " << patch;
  }
}

TEST(MergePatch, ListsWhatReallyChanged) {
  EXPECT_THAT(Changed(R"({"a":1,"b":{"c":2,"d":3}})", R"({"a":1,"b":{"c":null,"e":4},"x":null})"),
              ElementsAre("/b/c", "/b/e"));
  EXPECT_THAT(Changed(R"({"a/b":[1]})", R"({"a/b":[1,2]})"), ElementsAre("/a~1b"));
  EXPECT_THAT(Changed("[1]", R"({"a":1})"), ElementsAre(""));
  EXPECT_THAT(Changed("7", "7"), IsEmpty());
  EXPECT_THAT(Changed(R"({"a":1})", R"({"b":{}})"), ElementsAre("/b"));
}

TEST(MergePatch, TooManyPathsAreCutToTheirAncestors) {
  const char* const patch = R"({"a":{"b":1,"c":{"d":1,"e":2}},"f":{"g":1}})";
  const char* const target = R"({"a":{"b":0,"c":{"d":0,"e":0}},"f":{"g":0}})";
  EXPECT_THAT(Changed(target, patch, 4), ElementsAre("/a/b", "/a/c/d", "/a/c/e", "/f/g"));
  EXPECT_THAT(Changed(target, patch, 3), ElementsAre("/a/b", "/a/c", "/f/g"));
  EXPECT_THAT(Changed(target, patch, 2), ElementsAre("/a", "/f"));
  EXPECT_THAT(Changed(target, patch, 1), ElementsAre(""));
}

TEST(MergePatch, RemovesManyMembersOfALargeObject) {
  Value target, patch, left;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = absl::StrCat("key", i);
    target.Set(key, i);
    if (i % 4 != 0) {
      patch.Set(key, nullptr);
    } else {
      left.Set(key, i);
    }
  }
  ApplyMergePatch(target, patch);
  EXPECT_EQ(Serialize(target), Serialize(left));
  EXPECT_EQ(target.Find("key1"), nullptr);
  EXPECT_EQ(*target.Find("key19996"), Value(19996));
}

TEST(MergePatch, AppliedTwiceIsAppliedOnceAndEveryListedPathHasChanged) {
  for (uint64_t seed = 0; seed < 5'000; ++seed) {
    RandomValue random(seed);
    const Value before = random.Make(3);
    const Value patch = random.Edit(before, 2);
    Value once = before;
    const std::vector<std::string> paths = ApplyMergePatchAndList(once, patch, 1'000'000);
    Value twice = once;
    EXPECT_THAT(ApplyMergePatchAndList(twice, patch, 1'000'000), IsEmpty()) << "seed " << seed;
    ASSERT_TRUE(Identical(once, twice)) << "seed " << seed;
    ASSERT_EQ(paths.empty(), Identical(before, once)) << "seed " << seed;
    for (const std::string& path : paths) {
      const Value* was = Resolve(before, path);
      const Value* is = Resolve(once, path);
      const bool changed = was == nullptr || is == nullptr || !Identical(*was, *is);
      ASSERT_TRUE(changed) << "seed " << seed << " path " << path;
    }
  }
}

}  // namespace
}  // namespace bdcsync::json
