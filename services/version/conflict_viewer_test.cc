// What a person sees of a conflict before and after deciding it.
#include "services/version/conflict_viewer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/errors.h"
#include "services/version/conflict_lookup.h"
#include "services/version/testing/conflict_fixture.h"

namespace bdcsync::version::testing {
namespace {

using conflict::v1::CONFLICT_STATE_OPEN;
using conflict::v1::CONFLICT_STATE_OPENING;
using conflict::v1::CONFLICT_STATE_RESOLVED;

constexpr char kBase[] = R"({"status":"new","title":"new","n":1})";
constexpr char kOurs[] = R"({"status":"ours","title":"new","n":1,"m":1})";

class Views : public ConflictFixture {
 protected:
  absl::StatusOr<v1::ViewConflictsResponse> ViewMany(int count) {
    v1::ViewConflictsRequest request;
    for (int i = 0; i < count; ++i) request.add_items()->set_conflict_id("none");
    absl::StatusOr<v1::ViewConflictsResponse> answer;
    ConflictViewer(log_, desk_)
        .View(std::move(request), [&answer](absl::StatusOr<v1::ViewConflictsResponse> got) {
          answer = std::move(got);
        });
    return answer;
  }
};

TEST_F(Views, ThreeStatesMeetAndADecisionIsPreviewed) {
  const std::string id = OpenOne();
  const v1::ConflictView view = View(id, {Choose("ours")});
  EXPECT_EQ(view.conflict().state(), CONFLICT_STATE_OPEN);
  EXPECT_EQ(view.base().data(), kBase);
  EXPECT_EQ(view.theirs().version_id(), head_);
  EXPECT_EQ(view.theirs().entity().branch(), "");
  EXPECT_EQ(view.ours().data(), kOurs);
  EXPECT_EQ(view.ours().entity().branch(), "conflict/" + id);
  EXPECT_EQ(view.preview().data(), R"({"status":"ours","title":"theirs","n":1,"m":1})");
  EXPECT_TRUE(view.proposed().exists());
  EXPECT_TRUE(view.open().empty());
  EXPECT_EQ(Open().conflicts_size(), 1) << "nothing was decided";
}

TEST_F(Views, WithoutChoicesThePlacesAreOpenAndTheirs) {
  const v1::ConflictView view = View(OpenOne());
  ASSERT_EQ(view.open_size(), 1);
  EXPECT_EQ(view.open(0).decision().path(), "/status");
  EXPECT_EQ(view.preview().data(), R"({"status":"theirs","title":"theirs","n":1,"m":1})");
}

TEST_F(Views, AClosedOneHasItsStatesAndNoPreview) {
  const std::string id = OpenOne();
  Close(Decide(id, {Choose("ours")}));
  const v1::ConflictView view = View(id, {Choose("theirs")});
  EXPECT_EQ(view.conflict().state(), CONFLICT_STATE_RESOLVED);
  EXPECT_EQ(view.base().data(), kBase);
  EXPECT_EQ(view.ours().data(), kOurs) << "not the end of the branch";
  EXPECT_FALSE(view.has_preview());
  EXPECT_FALSE(view.has_error());
}

TEST_F(Views, WhatIsOpenInTheLogIsOpenWhateverConflictWasTold) {
  const std::string base = Diverge();
  desk_.RefuseFacts(absl::UnavailableError("crashed"));
  const std::string id = Commit(On(Patch("a", R"({"status":"ours"})"), base)).conflict_id();
  ASSERT_EQ(desk_.Record(id).state(), CONFLICT_STATE_OPENING);
  EXPECT_EQ(View(id).conflict().state(), CONFLICT_STATE_OPEN);
}

TEST_F(Views, FailuresAreSaidPerItem) {
  const std::string id = OpenOne();
  EXPECT_EQ(View("none").error().code(), "not_found");
  log_.FailWith(absl::UnavailableError("away"));
  EXPECT_EQ(View(id).error().code(), "unavailable");
}

TEST_F(Views, TheNumberOfItemsIsHeldToTheLimit) {
  EXPECT_TRUE(ViewMany(kConflictItemsPerCallMax).ok());
  EXPECT_EQ(ReasonOf(ViewMany(kConflictItemsPerCallMax + 1).status()), Reason::kInvalidArgument);
}

TEST_F(Views, AllTogetherStaysWithinOneAnswer) {
  const std::string large = "\"" + std::string(900'000, 'x') + "\"";
  const std::string base =
      Commit(Create("a", R"({"status":"new","t":)" + large + "}")).version_id();
  Commit(Patch("a", R"({"status":"theirs"})"));
  v1::ViewConflictsRequest request;
  const std::string id = Commit(On(Patch("a", R"({"status":"ours"})"), base)).conflict_id();
  for (int i = 0; i < 4; ++i) request.add_items()->set_conflict_id(id);
  ConflictViewer(log_, desk_).View(request, [](absl::StatusOr<v1::ViewConflictsResponse> answer) {
    ASSERT_TRUE(answer.ok());
    EXPECT_LE(answer->ByteSizeLong(), kViewBytesMax + 1000);
    EXPECT_FALSE(answer->views(0).has_error());
    EXPECT_EQ(answer->views(3).error().code(), "too_large");
  });
}

}  // namespace
}  // namespace bdcsync::version::testing
