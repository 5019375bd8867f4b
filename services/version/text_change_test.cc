#include "services/version/text_change.h"

#include <gtest/gtest.h>

#include "libs/base/errors.h"
#include "services/version/text_document.h"

namespace bdcsync::version {
namespace {

std::string PlaceIn(const std::string& text) {
  const auto change = ReadTextChange(text, DataLimits());
  return change.ok() ? "" : PathOf(change.status());
}

TEST(TextChange, IsReadInCanonicalForm) {
  const auto change = ReadTextChange(
      R"({"ops":[{"retain":1},{"retain":2},{"delete":1},{"insert":"ab"}],"path":"/a~1b/0","x":1})",
      DataLimits());
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(WriteTextChange(change->path, change->ops),
            R"({"path":"/a~1b/0","ops":[{"retain":3},{"insert":"ab"},{"delete":1}]})");
}

TEST(TextChange, NamesThePlaceAtFault) {
  EXPECT_EQ(PlaceIn("7"), "/text");
  EXPECT_EQ(PlaceIn("{"), "/text");
  EXPECT_EQ(PlaceIn(R"({"ops":[]})"), "/text/path");
  EXPECT_EQ(PlaceIn(R"({"path":"a","ops":[]})"), "/text/path");
  EXPECT_EQ(PlaceIn(R"({"path":"/a"})"), "/text/ops");
  EXPECT_EQ(PlaceIn(R"({"path":"/a","ops":{}})"), "/text/ops");
  EXPECT_EQ(PlaceIn(R"({"path":"/a","ops":[{"retain":1},{"retain":0}]})"), "/text/ops/1/retain");
  EXPECT_EQ(PlaceIn(R"({"path":"/a","ops":[{"insert":""}]})"), "/text/ops/0/insert");
  EXPECT_EQ(PlaceIn(R"({"path":"/a","ops":[{"insert":"x","delete":1}]})"), "/text/ops/0/delete");
}

TEST(TextChange, InsertsNoMoreThanDataMayHold) {
  const DataLimits limits{.data_bytes_max = 100};
  const auto insert = [&](size_t bytes) {
    return ReadTextChange(R"({"path":"","ops":[{"insert":")" + std::string(bytes, 'x') + "\"}]}",
                          limits);
  };
  EXPECT_TRUE(insert(32).ok());
  EXPECT_EQ(ReasonOf(insert(100).status()), Reason::kTooLarge);
}

std::string FaultOf(const std::string& data, const std::string& text) {
  auto document = TextDocument::Open(data, "");
  const auto change = ReadTextChange(text, DataLimits());
  if (!document.ok() || !change.ok()) return "unreadable";
  const int64_t units = document->units();
  const absl::Status applied = document->Apply(change->ops);
  return applied.ok() ? "" : PathOf(FaultAsSent(applied, change->ops, units, text));
}

TEST(TextChange, FaultsAreToldByWhatWasSent) {
  EXPECT_EQ(FaultOf(R"("abc")", R"({"path":"","ops":[{"retain":3},{"delete":1}]})"), "/text/ops/1");
  EXPECT_EQ(FaultOf(R"("abc")", R"({"path":"","ops":[{"retain":1},{"insert":"x"},{"retain":1},
    {"delete":1},{"insert":"y"},{"delete":1}]})"),
            "/text/ops/5")
      << "in canonical form it is the fifth";
  EXPECT_EQ(FaultOf(R"("abc")", R"({"path":"","ops":[{"delete":9},{"delete":1}]})"), "/text/ops/0");
  EXPECT_EQ(FaultOf("\"a\U0001F600b\"", R"({"path":"","ops":[{"retain":1},{"retain":1},
    {"insert":"x"}]})"),
            "/text/ops/1");
  EXPECT_EQ(FaultOf("\"a\U0001F600b\"", R"({"path":"","ops":[{"retain":1},{"retain":1},
    {"retain":1},{"insert":"x"}]})"),
            "")
      << "two halves are a whole";
}

TEST(TextChange, PlacesOverlapWhereOneIsWithinTheOther) {
  EXPECT_TRUE(Overlap("", "/a/b"));
  EXPECT_TRUE(Overlap("/a", "/a/b"));
  EXPECT_TRUE(Overlap("/a/b", "/a/b"));
  EXPECT_TRUE(Overlap("/a/b/c", "/a/b"));
  EXPECT_FALSE(Overlap("/a/bc", "/a/b"));
  EXPECT_FALSE(Overlap("/b", "/a"));
}

}  // namespace
}  // namespace bdcsync::version
