// What a rule's author and the conflict service see: inputs, results, errors.
#include "libs/script/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "libs/base/errors.h"
#include "libs/script/run_testing.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::script {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::HasSubstr;
using ::testing::Optional;

std::string ResultWith(absl::string_view text, const Inputs& inputs) {
  const absl::StatusOr<std::string> result = TryWith(text, inputs);
  return result.ok() ? *result : "error: " + std::string(result.status().message());
}

TEST(Script, SeesAllFourInputs) {
  const json::Value base = Json(R"({"n": 1})");
  const json::Value ours = Json(R"([2, "x"])");
  const json::Value theirs = Json("3.5");
  const json::Value meta = Json(R"({"path": "/price"})");
  EXPECT_EQ(
      ResultWith("return {base.n, ours[2], theirs, meta.path}", {&base, &ours, &theirs, &meta}),
      R"([1,"x",3.5,"/price"])");
}

TEST(Script, SeesWhatDoesNotExistAsNilAndNullAsNull) {
  const json::Value null;
  EXPECT_EQ(
      ResultWith("return {ours == nil, theirs == nil, theirs == json.null}", {.theirs = &null}),
      "[true,false,true]");
}

TEST(Script, ReturnsNilForDoesNotExist) {
  EXPECT_EQ(Result("return nil"), "missing");
  EXPECT_EQ(Result("return ours"), "missing");
  EXPECT_EQ(Result("return json.null"), "null");
}

TEST(Script, MustReturnOneValue) {
  EXPECT_THAT(Result("local x = 1"), HasSubstr("returned 0 values"));
  EXPECT_THAT(Result("return"), HasSubstr("returned 0 values"));
  EXPECT_THAT(Result("return 1, 2"), HasSubstr("returned 2 values"));
  EXPECT_THAT(FailureOfRun("return 1, 2"), Optional(Failure::kResult));
}

TEST(Script, ChangesItsOwnCopyOfTheInputsOnly) {
  const json::Value ours = Json(R"({"a": [1]})");
  const absl::StatusOr<Script> script = Script::Compile("ours.a[1] = ours.a[1] + 1 return ours");
  ASSERT_OK(script);
  for (int run = 0; run < 3; ++run) {
    const auto result = script->Resolve({.ours = &ours});
    ASSERT_OK(result);
    EXPECT_EQ(json::Serialize(**result), R"({"a":[2]})");
  }
  EXPECT_EQ(json::Serialize(ours), R"({"a":[1]})");
}

TEST(Script, KeepsNothingFromOneRunToTheNext) {
  const absl::StatusOr<Script> script = Script::Compile(
      "n = (n or 0) + 1 string.seen = (string.seen or 0) + 1 "
      "return {n, string.seen}");
  ASSERT_OK(script);
  for (int run = 0; run < 3; ++run) {
    const auto result = script->Resolve({});
    ASSERT_OK(result);
    EXPECT_EQ(json::Serialize(**result), "[1,1]");
  }
}

TEST(Script, NamesTheLineOfAMistakeInItsText) {
  const absl::Status status = Script::Compile("local x = 1\nreturn x +* 2").status();
  EXPECT_THAT(status, HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(FailureOf(status), Optional(Failure::kText));
  EXPECT_THAT(std::string(status.message()), HasSubstr("script:2:"));
}

TEST(Script, NamesTheLineWhereItStopped) {
  const absl::Status status = Try("local x\nreturn x.y").status();
  EXPECT_THAT(status, HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(FailureOf(status), Optional(Failure::kRaised));
  EXPECT_THAT(std::string(status.message()), HasSubstr("script:2: attempt to index a nil value"));
}

TEST(Script, RaisesErrorsOfAnyKind) {
  EXPECT_THAT(Result("error('no winner')"), HasSubstr("script:1: no winner"));
  EXPECT_EQ(Result("error('plain', 0)"), "error: plain");
  EXPECT_EQ(Result("error({})"), "error: the script raised a table as an error");
  EXPECT_EQ(Result("error()"), "error: the script raised a nil as an error");
  EXPECT_EQ(Result("assert(false)"), "error: assertion failed!");
  EXPECT_EQ(Result("assert(nil, 'why')"), "error: why");
  EXPECT_THAT(Result("pcall(error, 'x') error('again')"), HasSubstr("again"));
}

TEST(Script, MessagesArePrintableAndShort) {
  const absl::Status bytes = Try(R"(error("\xff\xfe", 0))").status();
  EXPECT_EQ(bytes.message(), R"(\xff\xfe)");
  const absl::Status longer = Try("error(('\\u{20ac}'):rep(100000), 0)").status();
  EXPECT_LT(longer.message().size(), 600u);
  EXPECT_TRUE(longer.message().substr(0, 3) == "\u20ac");
}

TEST(Script, AnErrorWhileAnErrorIsHandledIsAnError) {
  EXPECT_EQ(Result("local ok, e = pcall(function() local ok, e = pcall(error, 'a', 0) "
                   "error(e .. 'b', 0) end) return {ok, e}"),
            R"([false,"ab"])");
  // As deep as Lua allows, every level failing in turn.
  EXPECT_EQ(Result("local function f() local ok, e = pcall(f) error('x', 0) end "
                   "local ok, e = pcall(f) return {ok, e}"),
            R"([false,"x"])");
}

TEST(Script, RefusesResultsThatAreNoJson) {
  const struct {
    const char* text;
    const char* path;
    const char* message;
  } kCases[] = {
      {"return {a = {b = print or error}}", "/a/b", "is a function"},
      {"return 0/0", "", "infinite or not a number"},
      {"return {1, 1/0}", "/1", "infinite or not a number"},
      {"return {a = '\\xff'}", "/a", "not valid UTF-8"},
      {"return {x = {['\\xed\\xa0\\x80'] = 1}}", "/x", "key that is not valid UTF-8"},
      {"return '\\u{D800}'", "", "not valid UTF-8"},
      {"return {[1] = 1, [3] = 3}", "", "neither an object"},
      {"return {a = {[5] = 5}}", "/a", "neither an object"},
      {"return {1, 2, x = 3}", "", "neither an object"},
      {"return {[true] = 1}", "", "neither an object"},
      {"return {[1.5] = 1}", "", "neither an object"},
      {"return json.array({1, nil, 3})", "", "array with holes"},
      {"return json.array({x = 1})", "", "array with holes"},
  };
  for (const auto& [text, path, message] : kCases) {
    const absl::Status status = Try(text).status();
    EXPECT_THAT(FailureOf(status), Optional(Failure::kResult)) << text;
    EXPECT_THAT(status, HasReason(Reason::kInvalidArgument)) << text;
    EXPECT_EQ(PathOf(status), path) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message)) << text;
  }
}

TEST(Script, FailuresHaveNamesAndOtherErrorsAreNone) {
  EXPECT_EQ(FailureName(Failure::kText), "text");
  EXPECT_EQ(FailureName(Failure::kMemory), "memory");
  EXPECT_EQ(FailureOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(FailureOf(MakeError(Reason::kInternal, "x")), std::nullopt);
}

}  // namespace
}  // namespace bdcsync::script
