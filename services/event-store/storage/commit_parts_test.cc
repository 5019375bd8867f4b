#include "services/event-store/storage/commit_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/status.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::event_store {
namespace {

using bdcsync::testing::StatusIs;
using ::testing::ElementsAre;
using Applied = absl::StatusOr<std::vector<bool>>;

// What is left of each part, or why the whole failed.
absl::StatusOr<std::vector<std::vector<bool>>> Reconciled(std::vector<PartOfCommit> parts) {
  RETURN_IF_ERROR(Reconcile(absl::MakeSpan(parts)));
  std::vector<std::vector<bool>> applied;
  for (const PartOfCommit& part : parts) applied.push_back(*part.applied);
  return applied;
}

TEST(CommitPartsTest, WhatWasAnsweredStays) {
  EXPECT_THAT(*Reconciled({{2, std::vector{true, false}}, {1, std::vector{true}}}),
              ElementsAre(ElementsAre(true, false), ElementsAre(true)));
}

TEST(CommitPartsTest, APartThatAssumedWrongBesideOneThatWasAppliedCountsAsNotApplied) {
  const Applied wrong = absl::AlreadyExistsError("");
  EXPECT_THAT(*Reconciled({{2, wrong}, {1, std::vector{true}}}),
              ElementsAre(ElementsAre(false, false), ElementsAre(true)));
  EXPECT_THAT(*Reconciled({{1, std::vector{true}}, {2, wrong}}),
              ElementsAre(ElementsAre(true), ElementsAre(false, false)));
  EXPECT_THAT(Reconciled({{1, wrong}, {1, wrong}}), StatusIs(absl::StatusCode::kAlreadyExists));
}

// Wrong assumptions are planned again as if nothing was applied, so they must not cover the doubt.
TEST(CommitPartsTest, APartWithoutAnAnswerLeavesTheWholeWithoutOne) {
  const Applied unknown = absl::UnavailableError("");
  const Applied wrong = absl::AlreadyExistsError("");
  for (const Applied& other : {Applied(std::vector{true}), wrong, unknown}) {
    EXPECT_THAT(Reconciled({{1, unknown}, {1, other}}), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(Reconciled({{1, other}, {1, unknown}}), StatusIs(absl::StatusCode::kUnavailable));
  }
}

}  // namespace
}  // namespace bdcsync::event_store
