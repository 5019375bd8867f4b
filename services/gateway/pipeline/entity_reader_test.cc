#include "services/gateway/pipeline/entity_reader.h"

#include <gmock/gmock.h>

#include <optional>

#include "libs/testing/status_matchers.h"
#include "services/gateway/feed/fake_feed_world.h"
#include "services/gateway/pipeline/fake_version.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;

class EntityReaderTest : public ::testing::Test {
 protected:
  EntityReaderTest() {
    Caller caller;
    caller.user_id = "ada";
    caller.spaces = {{"team", Access::kRead}};
    caller_ = std::make_shared<const Caller>(caller);
  }
  absl::StatusOr<sync::v1::GetEntityResponse> Get(const std::string& space) {
    sync::v1::GetEntityRequest request;
    request.mutable_query()->mutable_entity()->set_space(space);
    request.mutable_query()->mutable_entity()->set_entity_type("note");
    request.mutable_query()->mutable_entity()->set_entity_id("a");
    std::optional<absl::StatusOr<sync::v1::GetEntityResponse>> answer;
    reader_.GetEntity(caller_, request, [&](auto response) { answer = std::move(response); });
    return *answer;
  }
  absl::StatusOr<sync::v1::ListEntitiesResponse> List(sync::v1::ListEntitiesRequest request) {
    std::optional<absl::StatusOr<sync::v1::ListEntitiesResponse>> answer;
    reader_.ListEntities(caller_, request, [&](auto response) { answer = std::move(response); });
    loop_.RunFor(absl::Seconds(1));
    return *answer;
  }
  static std::vector<std::string> Ids(const sync::v1::ListEntitiesResponse& response) {
    std::vector<std::string> ids;
    for (const auto& entity : response.entities()) ids.push_back(entity.entity().entity_id());
    return ids;
  }

  ManualClock clock_{absl::UnixEpoch()};
  FakeLoop loop_{clock_};
  SeededRandom random_{1};
  FakeBus bus_{loop_, random_};
  FakeLog log_{loop_, bus_, random_};
  FakeVersion version_;
  EntityReader reader_{version_, log_, {}};
  std::shared_ptr<const Caller> caller_;
};

TEST_F(EntityReaderTest, ReadsWithSpaceAndBranchFilledIn) {
  version_.entity.emplace().set_data("{}");
  const auto answer = Get("");
  ASSERT_OK(answer);
  EXPECT_EQ(answer->entity().data(), "{}");
  EXPECT_EQ(version_.last_query.entity().space(), "user:ada");
  EXPECT_EQ(version_.last_query.entity().branch(), "main");
}

TEST_F(EntityReaderTest, WhatMayNotBeSeenIsNotFound) {
  EXPECT_THAT(Get("user:eve"), HasReason(Reason::kNotFound));
  sync::v1::ListEntitiesRequest list;
  list.set_space("user:eve");
  EXPECT_THAT(List(list), HasReason(Reason::kNotFound));
}

TEST_F(EntityReaderTest, AnErrorInsideTheAnswerIsAStatus) {
  version_.entity.emplace().mutable_error()->set_code("base_below_horizon");
  EXPECT_THAT(Get("team"), HasReason(Reason::kBaseBelowHorizon));
}

TEST_F(EntityReaderTest, ListsTheLivingInPages) {
  for (const char* entity : {"a", "b", "c", "d", "e"}) log_.Commit("team", entity, "1");
  log_.Commit("team", "b", "");
  sync::v1::ListEntitiesRequest request;
  request.set_space("team");
  request.set_limit(2);
  auto page = List(request);
  ASSERT_OK(page);
  EXPECT_THAT(Ids(*page), ElementsAre("a", "c"));
  request.set_page_token(page->next_page_token());
  page = List(request);
  ASSERT_OK(page);
  EXPECT_THAT(Ids(*page), ElementsAre("d", "e"));
  EXPECT_EQ(page->next_page_token(), "");
}

TEST_F(EntityReaderTest, RefusesWrongLimitsAndTokens) {
  sync::v1::ListEntitiesRequest request;
  request.set_limit(1001);
  EXPECT_THAT(List(request), HasReason(Reason::kInvalidArgument));
  request.set_limit(1000);
  EXPECT_OK(List(request));
  request.set_page_token("nonsense");
  EXPECT_THAT(List(request), HasReason(Reason::kInvalidArgument));
}

TEST_F(EntityReaderTest, OnlyTheTypesAskedFor) {
  log_.Commit("team", "a", "1");
  sync::v1::ListEntitiesRequest request;
  request.set_space("team");
  request.add_entity_types("task");
  const auto page = List(request);
  ASSERT_OK(page);
  EXPECT_EQ(page->entities_size(), 0);
}

TEST_F(EntityReaderTest, AListTellsOfWhichEntitiesConflictsAreOpen) {
  for (const char* entity : {"a", "b", "c"}) log_.Commit("team", entity, "1");
  log_.CommitConflict("team", "a", "c1", /*opens=*/true);
  log_.CommitConflict("team", "b", "c2", /*opens=*/true);
  log_.CommitConflict("team", "b", "c2", /*opens=*/false);
  sync::v1::ListEntitiesRequest request;
  request.set_space("team");
  const auto answer = List(request);
  ASSERT_OK(answer);
  EXPECT_THAT(Ids(*answer), ElementsAre("a", "b", "c"));  // Conflicts are no entities.
  EXPECT_TRUE(answer->entities(0).has_conflict());
  EXPECT_FALSE(answer->entities(1).has_conflict());
  EXPECT_FALSE(answer->entities(2).has_conflict());
  EXPECT_EQ(log_.stream_head_reads, 1);
}

}  // namespace
}  // namespace bdcsync::gateway
