// Resolutions that are taken back with a new version.
#include "services/version/resolution_undoer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/errors.h"
#include "services/version/testing/conflict_fixture.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::OUTCOME_MERGED;

class Undoing : public ConflictFixture {
 protected:
  absl::StatusOr<v1::UndoResolutionResponse> Undo(const std::string& op_id,
                                                  const std::vector<std::string>& paths = {},
                                                  const std::string& user = "boss") {
    v1::UndoResolutionRequest request;
    request.set_space("s");
    request.set_op_id(op_id);
    for (const std::string& path : paths) request.add_paths(path);
    request.mutable_actor()->set_user_id(user);
    std::optional<absl::StatusOr<v1::UndoResolutionResponse>> answer;
    ResolutionUndoer(Tools(*committer_, desk_))
        .Undo(std::move(request), [&answer](absl::StatusOr<v1::UndoResolutionResponse> got) {
          answer = std::move(got);
        });
    return answer.value_or(absl::InternalError("no answer"));
  }
  static conflict::v1::Side Living(const std::string& data) {
    conflict::v1::Side side;
    side.set_exists(true);
    side.set_data(data);
    return side;
  }
  // An operation that was merged; its op_id.
  std::string Merge() {
    const std::string base = Commit(Create("a", R"({"n":1,"k":1})")).version_id();
    Commit(Patch("a", R"({"n":2})"));
    const Operation ours = On(Patch("a", R"({"n":3})"), base);
    EXPECT_EQ(Commit(ours).outcome(), OUTCOME_MERGED);
    return ours.op_id();
  }
};

TEST_F(Undoing, TheHeadBecomesWhatConflictPlans) {
  const std::string op_id = Merge();
  const std::string resolved = MetaOf("a").op_id();
  Commit(Patch("a", R"({"k":2})"));
  desk_.PlanFor(Living(R"({"n":2,"k":2})"));
  const auto undone = Undo(op_id);
  ASSERT_TRUE(undone.ok()) << undone.status();
  EXPECT_EQ(DataOf("a"), R"({"n":2,"k":2})");
  EXPECT_EQ(undone->data(), R"({"n":2,"k":2})");
  EXPECT_EQ(undone->revision(), 5);
  EXPECT_EQ(undone->entity().entity_id(), "a");
  EXPECT_EQ(MetaOf("a").user_id(), "boss");
  EXPECT_EQ(desk_.last_plan().op_id(), resolved);
  EXPECT_EQ(desk_.last_plan().resolved().data(), R"({"n":3,"k":1})");
  EXPECT_EQ(desk_.last_plan().head().data(), R"({"n":3,"k":2})");
  ASSERT_EQ(desk_.undone().size(), 1u);
  EXPECT_EQ(desk_.undone()[0].version_id(), undone->version_id());
}

TEST_F(Undoing, AClosedConflictIsTakenBackByItsClosing) {
  const std::string id = OpenOne();
  Close(Decide(id, {Choose("ours")}));
  desk_.PlanFor(Living(R"({"status":"theirs"})"));
  EXPECT_TRUE(Undo("close-" + id).ok());
  EXPECT_EQ(DataOf("a"), R"({"status":"theirs"})");
}

TEST_F(Undoing, AChangeThatOnlyWaitedIsNoResolution) {
  const std::string base = Diverge();
  const Operation ours = On(Patch("a", R"({"status":"ours"})"), base);
  Commit(ours);
  EXPECT_EQ(ReasonOf(Undo(ours.op_id()).status()), Reason::kNotFound);
  EXPECT_EQ(ReasonOf(Undo("never").status()), Reason::kNotFound);
  EXPECT_EQ(ReasonOf(Undo("").status()), Reason::kInvalidArgument);
}

TEST_F(Undoing, ARepeatedRequestGetsItsFirstAnswer) {
  const std::string op_id = Merge();
  desk_.PlanFor(Living(R"({"n":2})"));
  const auto first = Undo(op_id);
  const auto again = Undo(op_id);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(again->version_id(), first->version_id());
  EXPECT_EQ(again->data(), first->data());
  EXPECT_EQ(again->position().seq(), first->position().seq());
  EXPECT_EQ(VersionsOf("a"), 4u);
}

TEST_F(Undoing, SomebodyElseIsToldThatItWasUndone) {
  const std::string op_id = Merge();
  desk_.PlanFor(Living(R"({"n":2})"));
  ASSERT_TRUE(Undo(op_id).ok());
  desk_.PlanFor(Living(R"({"n":1})"));
  EXPECT_EQ(ReasonOf(Undo(op_id, {}, "other").status()), Reason::kPreconditionFailed);
  desk_.PlanFor(MakeError(Reason::kPreconditionFailed, "too late"));
  EXPECT_EQ(ReasonOf(Undo(op_id, {"/n"}).status()), Reason::kPreconditionFailed);
  EXPECT_EQ(VersionsOf("a"), 4u);
}

TEST_F(Undoing, NothingIsWrittenWhenNothingOfItIsLeft) {
  const std::string op_id = Merge();
  desk_.PlanFor(Living(DataOf("a")));
  EXPECT_EQ(ReasonOf(Undo(op_id).status()), Reason::kPreconditionFailed);
  EXPECT_EQ(VersionsOf("a"), 3u);
}

TEST_F(Undoing, AnUndoMayDelete) {
  const std::string op_id = Merge();
  desk_.PlanFor(conflict::v1::Side());
  const auto undone = Undo(op_id);
  ASSERT_TRUE(undone.ok());
  EXPECT_EQ(DataOf("a"), "deleted");
  EXPECT_TRUE(undone->data().empty());
}

TEST_F(Undoing, WhatIsWrittenMeanwhileStaysAndNobodyIsAsked) {
  const std::string op_id = Merge();
  desk_.PlanFor(Living(R"({"n":2,"k":1})"));
  log_.BeforeNextAppend([&] { WriteElsewhere("a", R"({"n":3,"k":7})"); });
  ASSERT_TRUE(Undo(op_id).ok());
  EXPECT_EQ(DataOf("a"), R"({"n":2,"k":7})");
  EXPECT_TRUE(resolver_.last_request().items(0).without_asking());
}

}  // namespace
}  // namespace bdcsync::version::testing
