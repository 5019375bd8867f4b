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
using ::testing::IsEmpty;

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
    reader_->GetEntity(caller_, request, [&](auto response) { answer = std::move(response); });
    return *answer;
  }
  absl::StatusOr<sync::v1::ListEntitiesResponse> List(sync::v1::ListEntitiesRequest request) {
    std::optional<absl::StatusOr<sync::v1::ListEntitiesResponse>> answer;
    reader_->ListEntities(caller_, request, [&](auto response) { answer = std::move(response); });
    loop_.RunFor(absl::Seconds(1));
    return *answer;
  }
  void UseLimits(const ReadLimits& limits) { reader_.emplace(version_, log_, metrics_, limits); }
  // Pages from the start to the end, each as the ids on it.
  std::vector<std::vector<std::string>> Pages(sync::v1::ListEntitiesRequest request) {
    std::vector<std::vector<std::string>> pages;
    request.set_space("team");
    do {
      const auto page = List(request);
      EXPECT_OK(page);
      if (!page.ok()) break;
      pages.push_back(Ids(*page));
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty() && pages.size() < 100);
    return pages;
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
  FakeLog log_{loop_, clock_, bus_, random_};
  FakeVersion version_;
  metrics::Registry registry_;
  PipelineMetrics metrics_{registry_};
  std::optional<EntityReader> reader_{std::in_place, version_, log_, metrics_, ReadLimits()};
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

TEST_F(EntityReaderTest, WhatFewRowsMatchIsLookedForInManyBeforeAPageIsEmpty) {
  UseLimits({.log_page_rows_max = 10, .list_pages_max = 4});
  constexpr int kRows = 2 + 8 + 10 + 10;  // As many as are looked at for an answer with limit 1.
  sync::v1::ListEntitiesRequest request;
  request.add_entity_types("note");
  request.set_limit(1);
  for (int i = 0; i < kRows - 1; ++i) log_.CommitConflict("team", std::to_string(i), "c", true);
  log_.Commit("team", "a", "1");
  EXPECT_THAT(Pages(request), ElementsAre(ElementsAre("a")));
  EXPECT_EQ(metrics_.lists_cut_by_rows.value(), 0);
  log_.CommitConflict("team", "one more", "c", true);
  log_.Commit("team", "a", "2");
  log_.Commit("team", "b", "1");
  EXPECT_THAT(Pages(request), ElementsAre(IsEmpty(), ElementsAre("a"), ElementsAre("b")));
  EXPECT_EQ(metrics_.lists_cut_by_rows.value(), 1);
}

TEST_F(EntityReaderTest, PagesOfAnyLimitHoldEachOnce) {
  UseLimits({.log_page_rows_max = 7});
  std::vector<std::string> wanted;
  for (int i = 0; i < 40; ++i) {
    const std::string id = std::to_string(i);
    if (i % 5 == 0) {
      log_.Commit("team", id, "1");
      wanted.push_back(id);
    } else {
      log_.CommitConflict("team", id, "c", true);
    }
  }
  for (const bool filtered : {false, true}) {
    sync::v1::ListEntitiesRequest request;
    if (filtered) request.add_entity_types("note");
    for (int limit = 1; limit <= 9; ++limit) {
      request.set_limit(limit);
      std::vector<std::string> listed;
      const auto pages = Pages(request);
      for (const auto& page : pages) {
        EXPECT_LE(page.size(), static_cast<size_t>(limit));
        listed.insert(listed.end(), page.begin(), page.end());
      }
      EXPECT_EQ(listed, wanted) << limit;
      EXPECT_EQ(pages.size(), (wanted.size() + limit - 1) / limit) << "none is short but the last";
    }
  }
}

TEST_F(EntityReaderTest, APageHoldsSoManyBytesAndALargerEntityIsAlone) {
  UseLimits({.list_bytes_max = 10});
  const auto commit = [&](const char* id, size_t bytes) {
    log_.Commit("team", id, std::string(bytes, '1'));
  };
  commit("a", 4);
  commit("b", 6);  // Ten: that fits.
  commit("c", 5);
  commit("d", 6);  // One too many.
  commit("e", 25);
  commit("f", 1);
  for (const bool filtered : {false, true}) {
    sync::v1::ListEntitiesRequest request;
    if (filtered) request.add_entity_types("note");
    EXPECT_THAT(Pages(request), ElementsAre(ElementsAre("a", "b"), ElementsAre("c"),
                                            ElementsAre("d"), ElementsAre("e"), ElementsAre("f")))
        << filtered;
  }
  EXPECT_EQ(metrics_.lists_cut_by_bytes.value(), 2 * 4);
  EXPECT_EQ(metrics_.lists_cut_by_rows.value(), 0);
}

TEST_F(EntityReaderTest, APageTokenIsOfOneList) {
  for (const char* entity : {"a", "b", "c"}) log_.Commit("team", entity, "1");
  sync::v1::ListEntitiesRequest request;
  request.set_space("team");
  request.add_entity_types("note");
  request.add_entity_types("task");
  request.set_limit(1);
  const auto page = List(request);
  ASSERT_OK(page);
  const auto refused = [&](auto change) {
    sync::v1::ListEntitiesRequest other = request;
    other.set_page_token(page->next_page_token());
    change(other);
    const absl::Status status = List(other).status();
    return status.ok() ? "not refused" : PathOf(status);
  };
  EXPECT_EQ(refused([](auto& other) { other.clear_space(); }), "page_token");
  EXPECT_EQ(refused([](auto& other) { other.clear_entity_types(); }), "page_token");
  EXPECT_EQ(refused([](auto& other) { other.add_entity_types("x"); }), "page_token");
  EXPECT_EQ(refused([&](auto& other) {
              other.set_page_token(entity::EncodeCursor({log_.epoch, 1}));  // Of a subscription.
            }),
            "page_token");
  const auto same = [](auto& other) {  // What is asked for is the same, and so may the limit be.
    other.clear_entity_types();
    for (const char* type : {"task", "note", "task"}) other.add_entity_types(type);
    other.set_limit(2);
  };
  EXPECT_EQ(refused(same), "not refused");
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

TEST_F(EntityReaderTest, OfConflictsThatAreTooLargeTogetherAListAsksInParts) {
  for (const char* entity : {"a", "b", "c", "d", "e"}) log_.Commit("team", entity, "1");
  log_.CommitConflict("team", "b", "c1", /*opens=*/true);
  log_.CommitConflict("team", "e", "c2", /*opens=*/true);
  sync::v1::ListEntitiesRequest request;
  request.set_space("team");
  for (const int at_once : {1, 2, 4}) {
    log_.stream_heads_max = at_once;
    const auto answer = List(request);
    ASSERT_OK(answer);
    std::vector<std::string> with_conflict;
    for (const auto& entity : answer->entities()) {
      if (entity.has_conflict()) with_conflict.push_back(entity.entity().entity_id());
    }
    EXPECT_THAT(with_conflict, ElementsAre("b", "e")) << at_once;
  }
  log_.stream_heads_max = 0;
  EXPECT_THAT(List(request), HasReason(Reason::kTooLarge)) << "nothing smaller can be asked";
}

}  // namespace
}  // namespace bdcsync::gateway
