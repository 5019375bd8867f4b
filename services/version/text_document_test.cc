#include "services/version/text_document.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "libs/base/errors.h"
#include "services/version/text_change.h"

namespace bdcsync::version {
namespace {

// The data after `ops` on the text at `path`, or the code of what went wrong.
std::string Edited(const std::string& data, const std::string& path, const std::string& ops) {
  const auto change =
      ReadTextChange("{\"path\":\"" + path + "\",\"ops\":" + ops + "}", DataLimits());
  if (!change.ok()) return "unreadable";
  absl::StatusOr<TextDocument> document = TextDocument::Open(data, path);
  if (!document.ok()) return std::string(InfoOf(ReasonOf(document.status())).name);
  const absl::Status applied = document->Apply(change->ops);
  if (!applied.ok()) return std::string(InfoOf(ReasonOf(applied)).name);
  return document->Write(DataLimits().data_bytes_max).value_or("too large");
}

constexpr char kInsertX[] = R"([{"insert":"x"}])";

TEST(TextDocument, EditsAStringWhereverItIs) {
  EXPECT_EQ(Edited(R"("ab")", "", R"([{"retain":1},{"insert":"x"}])"), R"("axb")");
  EXPECT_EQ(Edited(R"({"a":1,"t":"","b":[2]})", "/t", kInsertX), R"({"a":1,"t":"x","b":[2]})");
  EXPECT_EQ(Edited(R"({"t":"q"})", "/t", kInsertX), R"({"t":"xq"})");
  EXPECT_EQ(Edited(R"([0,{"t":"q","u":1},2])", "/1/t", kInsertX), R"([0,{"t":"xq","u":1},2])");
  EXPECT_EQ(Edited(R"(["a","b","c"])", "/2", kInsertX), R"(["a","b","xc"])");
  EXPECT_EQ(Edited(R"({"a/b":{"~":"q"}})", "/a~1b/~0", kInsertX), R"({"a/b":{"~":"xq"}})");
}

TEST(TextDocument, WhatIsMissingOrNullIsAnEmptyText) {
  EXPECT_EQ(Edited("{}", "/t", kInsertX), R"({"t":"x"})");
  EXPECT_EQ(Edited(R"({"a":1})", "/t", kInsertX), R"({"a":1,"t":"x"})");
  EXPECT_EQ(Edited(R"({"t":null,"a":1})", "/t", kInsertX), R"({"t":"x","a":1})");
  EXPECT_EQ(Edited("null", "", kInsertX), R"("x")");
}

TEST(TextDocument, OtherPlacesHoldNoText) {
  EXPECT_EQ(Edited("{}", "/a/t", kInsertX), "precondition_failed");
  EXPECT_EQ(Edited(R"({"a":1})", "/a/t", kInsertX), "precondition_failed");
  EXPECT_EQ(Edited(R"({"t":7})", "/t", kInsertX), "precondition_failed");
  EXPECT_EQ(Edited(R"({"t":{}})", "/t", kInsertX), "precondition_failed");
  EXPECT_EQ(Edited(R"({"t":[1]})", "/t", kInsertX), "precondition_failed");
  EXPECT_EQ(Edited(R"({"t":[{"retain":1}]})", "/t", kInsertX), "precondition_failed");
  EXPECT_EQ(Edited("[]", "/0", kInsertX), "precondition_failed");
  EXPECT_EQ(Edited("[]", "/-", kInsertX), "precondition_failed");
}

TEST(TextDocument, ArraysOfInsertsAreRichText) {
  EXPECT_EQ(Edited(R"({"t":[]})", "/t", kInsertX), R"({"t":[{"insert":"x"}]})");
  EXPECT_EQ(Edited(R"({"t":[{"insert":"ab","attributes":{"b":true}}]})", "/t",
                   R"([{"retain":1},{"retain":1,"attributes":{"b":null}}])"),
            R"({"t":[{"insert":"a","attributes":{"b":true}},{"insert":"b"}]})");
}

TEST(TextDocument, IsWrittenUpToALimit) {
  absl::StatusOr<TextDocument> document = TextDocument::Open(R"({"t":"ab"})", "/t");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->Write(10), R"({"t":"ab"})");
  EXPECT_EQ(document->Write(9), std::nullopt);
}

TEST(TextDocument, PiecesThatShareALargeFormatAreNotWrittenBeyondTheLimit) {
  const std::string format = "{\"f\":\"" + std::string(60'000, 'v') + "\"}";
  const auto piece = [&format](size_t length) {
    return "{\"insert\":\"" + std::string(length, 'x') + "\",\"attributes\":" + format + "}";
  };
  const std::string data = "[" + piece(100) + "]";
  EXPECT_EQ(Edited(data, "", R"([{"retain":1},{"insert":"y"}])"),
            "[" + piece(1) + R"(,{"insert":"y"},)" + piece(99) + "]");
  std::string cuts = "[{\"retain\":1},{\"insert\":\"y\"}";
  for (int i = 0; i < 50; ++i) cuts += R"(,{"retain":1},{"insert":"y"})";
  EXPECT_EQ(Edited(data, "", cuts + "]"), "too large");
}

TEST(TextDocument, FormatsAndEmbedsMakeAStringRich) {
  EXPECT_EQ(Edited(R"({"t":"ab"})", "/t", R"([{"retain":1,"attributes":{"b":true}}])"),
            R"({"t":[{"insert":"a","attributes":{"b":true}},{"insert":"b"}]})");
  EXPECT_EQ(Edited(R"({"t":"a"})", "/t", R"([{"insert":{"image":"u"}}])"),
            R"({"t":[{"insert":{"image":"u"}},{"insert":"a"}]})");
  EXPECT_EQ(Edited("{}", "/t", R"([{"insert":"a","attributes":{"b":1}}])"),
            R"({"t":[{"insert":"a","attributes":{"b":1}}]})");
}

TEST(TextDocument, NumbersAndEscapesAroundTheTextStay) {
  EXPECT_EQ(Edited(R"({"n":1.10,"t":"a\n","m":9007199254740993})", "/t",
                   R"([{"retain":2},{"insert":"\"\\\u0000"}])"),
            "{\"n\":1.10,\"t\":\"a\\n\\\"\\\\\\u0000\",\"m\":9007199254740993}");
}

TEST(TextDocument, KnowsWhetherItsPathLeadsThroughAnArray) {
  EXPECT_TRUE(TextDocument::Open(R"([{"t":""}])", "/0/t")->in_array());
  EXPECT_FALSE(TextDocument::Open(R"({"t":[]})", "/t")->in_array());
}

}  // namespace
}  // namespace bdcsync::version
