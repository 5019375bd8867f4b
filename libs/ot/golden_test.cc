// What quill-delta makes of 6,500 random cases (tools/bench/quill-delta), and what we make of
// them.
#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_split.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/ot/compose.h"
#include "libs/ot/delta_json.h"
#include "libs/ot/diff.h"
#include "libs/ot/invert.h"
#include "libs/ot/transform.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::ot {
namespace {

std::string ReadGzip(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  std::string text;
  char buffer[1 << 16];
  while (file != nullptr) {
    const int bytes = gzread(file.get(), buffer, sizeof(buffer));
    if (bytes <= 0) break;
    text.append(buffer, static_cast<size_t>(bytes));
  }
  return text;
}

Priority PriorityOf(const json::Value& value) {
  return value.boolean() ? Priority::kThis : Priority::kOther;
}

// One line of the file: the function, its arguments, its result.
class GoldenCase {
 public:
  explicit GoldenCase(const json::Array& line) : line_(line) {}

  std::string name() const { return std::string(line_[0].string()); }

  void Check() const {
    if (name() == "compose") {
      ExpectDelta(Compose(At(1), At(2)), 3);
    } else if (name() == "transform") {
      ExpectDelta(Transform(At(1), At(2), PriorityOf(line_[3])), 4);
    } else if (name() == "invert") {
      ExpectDelta(Invert(At(1), At(2)), 3);
    } else if (name() == "diff") {
      CheckDiff();
    } else if (name() == "position") {
      EXPECT_EQ(TransformPosition(At(1), *line_[2].AsInt64(), PriorityOf(line_[3])),
                *line_[4].AsInt64());
    } else {
      FAIL() << "unknown case";
    }
  }

 private:
  Delta At(size_t place) const {
    const absl::StatusOr<Delta> delta = ParseDelta(line_[place]);
    EXPECT_OK(delta.status());
    return delta.ok() ? *delta : Delta();
  }

  // As JSON, so that also the form is theirs; the order of members means nothing.
  void ExpectDelta(const absl::StatusOr<Delta>& actual, size_t place) const {
    ASSERT_OK(actual.status());
    EXPECT_EQ(ToJson(*actual), line_[place]) << json::Serialize(ToJson(*actual));
  }

  // Which of several equal characters stays is a choice, and theirs has rules of taste: so what
  // counts is that both lead to the same document.
  void CheckDiff() const {
    const absl::StatusOr<Delta> ours = Diff(At(1), At(2));
    ASSERT_OK(ours.status());
    EXPECT_EQ(*Apply(At(1), *ours), At(2));
    EXPECT_EQ(*Apply(At(1), At(3)), At(2));
  }

  const json::Array& line_;
};

TEST(Golden, EveryCaseOfQuillDeltaHasTheSameResult) {
  const std::string text = ReadGzip(BDC_OT_GOLDEN_FILE);
  ASSERT_FALSE(text.empty()) << "cannot read " << BDC_OT_GOLDEN_FILE;
  std::map<std::string, int> counts;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    SCOPED_TRACE(std::string(line));
    ASSERT_OK_AND_ASSIGN(const json::Value parsed, json::Parse(line));
    const GoldenCase golden(parsed.array());
    golden.Check();
    ++counts[golden.name()];
    if (::testing::Test::HasFailure()) return;  // The first one says enough.
  }
  EXPECT_EQ(counts["compose"], 1500);
  EXPECT_EQ(counts["transform"], 2500);
  EXPECT_EQ(counts["invert"], 1000);
  EXPECT_EQ(counts["diff"], 1000);
  EXPECT_EQ(counts["position"], 500);
}

}  // namespace
}  // namespace bdcsync::ot
