#include "libs/json/patch.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "libs/json/parse.h"
#include "libs/json/random_value.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::json {
namespace {

using ::bdcsync::testing::HasReason;

// The result of a patch; on failure checks that the target is untouched, byte for byte.
absl::StatusOr<std::string> Patched(absl::string_view target, absl::string_view patch,
                                    const PatchLimits& limits = {}) {
  Value value = *Parse(target);
  const std::string before = Serialize(value);
  const absl::Status status = ApplyPatch(value, *Parse(patch), limits);
  if (status.ok()) return Serialize(value);
  EXPECT_EQ(Serialize(value), before) << patch;
  return status;
}

void ExpectFailure(absl::string_view target, absl::string_view patch, Reason reason,
                   absl::string_view place) {
  const absl::StatusOr<std::string> result = Patched(target, patch);
  EXPECT_THAT(result, HasReason(reason)) << patch;
  EXPECT_EQ(PathOf(result.status()), place) << patch << " " << result.status();
}

TEST(Patch, AppliesTheExamplesOfRfc6902) {
  const char* const examples[][3] = {
      // A.1 to A.10, A.14, A.16
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
       R"({"foo":"bar","baz":"qux"})"},
      {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
       R"({"foo":["bar","qux","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
      {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
       R"({"foo":["bar","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
       R"({"baz":"boo","foo":"bar"})"},
      {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
       R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
       R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
      {R"({"foo":["all","grass","cows","eat"]})",
       R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
       R"({"foo":["all","cows","eat","grass"]})"},
      {R"({"baz":"qux","foo":["a",2,"c"]})",
       R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
       R"({"baz":"qux","foo":["a",2,"c"]})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
       R"({"foo":"bar","child":{"grandchild":{}}})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
       R"({"foo":"bar","baz":"qux"})"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
      {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
       R"({"foo":["bar",["abc","def"]]})"}};
  for (const auto& [target, patch, result] : examples) {
    const absl::StatusOr<std::string> patched = Patched(target, patch);
    ASSERT_OK(patched) << patch;
    EXPECT_EQ(*patched, result) << patch;
  }
  // A.8: a test fails; A.12: the parent is not there; A.13: duplicate keys, the last one counts;
  // A.15: strings are not numbers.
  ExpectFailure(R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])",
                Reason::kPreconditionFailed, "/0/value");
  ExpectFailure(R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])",
                Reason::kPreconditionFailed, "/0/path");
  ExpectFailure(R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","op":"remove"}])",
                Reason::kPreconditionFailed, "/0/path");
  ExpectFailure(R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])",
                Reason::kPreconditionFailed, "/0/value");
}

TEST(Patch, CoversTheCornersThatTheExamplesLeaveOut) {
  const char* const cases[][3] = {
      {"[1]", "[]", "[1]"},
      {"[1]", R"([{"op":"add","path":"","value":{"a":1}}])", R"({"a":1})"},
      {"[1]", R"([{"op":"replace","path":"","value":null}])", "null"},
      {"1", R"([{"op":"test","path":"","value":1.0}])", "1"},
      {R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
      {R"({"a":null})", R"([{"op":"test","path":"/a","value":null}])", R"({"a":null})"},
      {R"({"a":1})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1})"},
      {R"({"a":1,"b":2})", R"([{"op":"move","from":"/a","path":"/b"}])", R"({"b":1})"},
      {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a/b","path":"/a"}])", R"({"a":1})"},
      {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a/b","path":""}])", "1"},
      {R"({"a":{"b":1}})", R"([{"op":"copy","from":"","path":"/a/c"}])",
       R"({"a":{"b":1,"c":{"a":{"b":1}}}})"},
      {"[1,2,3]", R"([{"op":"copy","from":"/2","path":"/0"}])", "[3,1,2,3]"},
      {"[1,2,3]", R"([{"op":"move","from":"/0","path":"/-"}])", "[2,3,1]"},
      {"[1,2]", R"([{"op":"add","path":"/2","value":3}])", "[1,2,3]"},
      {R"({"":1})", R"([{"op":"replace","path":"/","value":2}])", R"({"":2})"}};
  for (const auto& [target, patch, result] : cases) {
    const absl::StatusOr<std::string> patched = Patched(target, patch);
    ASSERT_OK(patched) << patch;
    EXPECT_EQ(*patched, result) << patch;
  }
}

TEST(Patch, AMalformedPatchIsRefusedAndThePlaceNamed) {
  const char* const cases[][2] = {
      {R"({"op":"add"})", ""},
      {R"(["add"])", "/0"},
      {R"([{"path":"/a"}])", "/0/op"},
      {R"([{"op":"Add","path":"/a","value":1}])", "/0/op"},
      {R"([{"op":7,"path":"/a","value":1}])", "/0/op"},
      {R"([{"op":"add","value":1}])", "/0/path"},
      {R"([{"op":"add","path":"a","value":1}])", "/0/path"},
      {R"([{"op":"add","path":"/~2","value":1}])", "/0/path"},
      {R"([{"op":"add","path":"/a"}])", "/0/value"},
      {R"([{"op":"remove","path":""}])", "/0/path"},
      {R"([{"op":"add","path":"/n","value":1},{"op":"copy","path":"/b"}])", "/1/from"},
      {R"([{"op":"move","from":"/o","path":"/o/p"}])", "/0/path"}};
  for (const auto& [patch, place] : cases) {
    ExpectFailure(R"({"a":[1,2],"o":{"p":1}})", patch, Reason::kInvalidArgument, place);
  }
}

TEST(Patch, APlaceThatIsNotThereFailsThePrecondition) {
  for (const char* operation :
       {R"("op":"remove","path":"/x")", R"("op":"replace","path":"/x","value":1)",
        R"("op":"replace","path":"/a/-","value":1)", R"("op":"add","path":"/a/3","value":1)",
        R"("op":"add","path":"/a/01","value":1)", R"("op":"add","path":"/a/x","value":1)",
        R"("op":"add","path":"/s/x","value":1)", R"("op":"remove","path":"/a/2")",
        R"("op":"test","path":"/x","value":null)", R"("op":"move","from":"/s","path":"/x/y")"}) {
    ExpectFailure(R"({"a":[1,2],"s":"text"})", absl::StrCat("[{", operation, "}]"),
                  Reason::kPreconditionFailed, "/0/path");
  }
  ExpectFailure("{}", R"([{"op":"copy","from":"/x","path":"/y"}])", Reason::kPreconditionFailed,
                "/0/from");
}

TEST(Patch, AFailureTakesEveryKindOfEditBackInOrder) {
  const char* const patch = R"([
      {"op":"remove","path":"/b"}, {"op":"add","path":"/z","value":[1]},
      {"op":"move","from":"/a","path":"/c"}, {"op":"move","from":"/list/0","path":"/list/2"},
      {"op":"copy","from":"/list","path":"/list/1"}, {"op":"add","path":"/list/-","value":9},
      {"op":"replace","path":"/o/k","value":{}}, {"op":"add","path":"/o/k/deep","value":1},
      {"op":"move","from":"/o","path":"/z/0"}, {"op":"add","path":"","value":[[]]},
      {"op":"move","from":"/0","path":""}, {"op":"add","path":"/-","value":5},
      {"op":"test","path":"","value":"never"}])";
  ExpectFailure(R"({"a":1,"b":{"x":2},"c":3,"list":[1,[2],3],"o":{"k":4,"l":5}})", patch,
                Reason::kPreconditionFailed, "/12/value");
}

TEST(Patch, TheNumberOfOperationsIsLimited) {
  const char* const patch =
      R"([{"op":"add","path":"/-","value":1},{"op":"add","path":"/-","value":2}])";
  EXPECT_OK(Patched("[]", patch, {.operations_max = 2}));
  EXPECT_THAT(Patched("[]", patch, {.operations_max = 1}), HasReason(Reason::kTooLarge));
}

TEST(Patch, TheSizeOfTheResultIsLimitedAtEveryStep) {
  const char* const patch = R"([{"op":"add","path":"/\n","value":[1,2]}])";
  const size_t exact = std::string(R"({"a":1,"\n":[1,2]})").size();
  EXPECT_OK(Patched(R"({"a":1})", patch, {.result_bytes_max = exact}));
  EXPECT_THAT(Patched(R"({"a":1})", patch, {.result_bytes_max = exact - 1}),
              HasReason(Reason::kTooLarge));
  EXPECT_THAT(Patched(R"({"a":1})", patch, {.result_bytes_max = exact, .target_bytes = 8}),
              HasReason(Reason::kTooLarge));
  // Shrinking is always allowed.
  EXPECT_OK(Patched("[1,2,3]", R"([{"op":"remove","path":"/0"}])", {.result_bytes_max = 1}));
}

TEST(Patch, ACopyBombIsDefusedBeforeItGrows) {
  std::string patch = "[";
  for (int i = 0; i < 60; ++i) {
    absl::StrAppend(&patch, i == 0 ? "" : ",", R"({"op":"copy","from":"/a","path":"/a/-"})");
  }
  EXPECT_THAT(Patched(R"({"a":["ten bytes."]})", patch + "]",
                      {.result_bytes_max = 1'000'000, .depth_max = 512}),
              HasReason(Reason::kTooLarge));
}

TEST(Patch, TheDepthOfTheResultIsLimited) {
  const PatchLimits limits{.depth_max = 3};
  EXPECT_OK(Patched("[[1]]", R"([{"op":"add","path":"/0/0","value":[]}])", limits));
  EXPECT_THAT(Patched("[[1]]", R"([{"op":"add","path":"/0/0","value":[[]]}])", limits),
              HasReason(Reason::kTooDeep));
  EXPECT_THAT(Patched("[[1],[[]]]", R"([{"op":"move","from":"/1","path":"/0/0"}])", limits),
              HasReason(Reason::kTooDeep));
  EXPECT_THAT(Patched("[[1],[[]]]", R"([{"op":"copy","from":"/1","path":"/0/0"}])", limits),
              HasReason(Reason::kTooDeep));
}

TEST(Patch, TheWorkOfAPatchIsLimited) {
  std::string target = "[0";
  for (int i = 1; i < 1000; ++i) target += ",0";
  const char* const patch = R"([{"op":"remove","path":"/0"},{"op":"remove","path":"/0"}])";
  EXPECT_OK(Patched(target + "]", patch, {.work_max = 1999}));
  EXPECT_THAT(Patched(target + "]", patch, {.work_max = 1998}), HasReason(Reason::kTooLarge));
}

TEST(Patch, TwentyThousandPatchesOfALongArrayAreQuick) {
  Value document = Array(20'000, Value(7));
  RandomValue random(1);
  PatchLimits limits;
  for (int i = 0; i < 20'000; ++i) {
    const std::string path = absl::StrCat("/", random.Below(20'000));
    Array patch;
    patch.push_back(Object{{"op", "remove"}, {"path", path}});
    patch.push_back(Object{{"op", "add"}, {"path", path}, {"value", 7}});
    limits.target_bytes = 40'001;
    ASSERT_OK(ApplyPatch(document, patch, limits));
  }
  EXPECT_EQ(document, Value(Array(20'000, Value(7))));
}

// Random operations against the obviously right way: apply to a copy, keep the copy on success.
TEST(Patch, IsAllOrNothingForRandomPatches) {
  size_t applied = 0;
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    RandomValue random(seed);
    Value target = random.Make(3);
    const std::string before = Serialize(target);
    const char* const operations[] = {"add", "remove", "replace", "move", "copy", "test"};
    const char* const places[] = {"", "/a", "/b", "/0", "/1", "/-", "/a/0", "/a/b", "/0/a", "/c/-"};
    Array patch;
    for (size_t i = 0; i <= random.Below(4); ++i) {
      patch.push_back(Object{{"op", operations[random.Below(6)]},
                             {"path", places[random.Below(10)]},
                             {"from", places[random.Below(10)]},
                             {"value", random.Make(1)}});
    }
    Value one_by_one = target;
    bool all = true;
    for (const Value& operation : patch) {
      all = all && ApplyPatch(one_by_one, Array{operation}).ok();
    }
    const absl::Status status = ApplyPatch(target, patch);
    ASSERT_EQ(status.ok(), all) << "seed " << seed;
    ASSERT_EQ(Serialize(target), all ? Serialize(one_by_one) : before) << "seed " << seed;
    applied += all ? 1 : 0;
  }
  EXPECT_GT(applied, 500u);
}

// 1000 moves of the first element to the end shift 3e8 elements, which takes most of a second.
TEST(Patch, ManyMovesInALongArrayAreTooMuchWork) {
  Value document = Array(300'000, Value(1));
  const Value first_to_end = Object{{"op", "move"}, {"from", "/0"}, {"path", "/-"}};
  const absl::Status applied = ApplyPatch(document, Array(1000, first_to_end));
  EXPECT_THAT(applied, HasReason(Reason::kTooLarge));
}

}  // namespace
}  // namespace bdcsync::json
