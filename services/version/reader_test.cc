#include "services/version/reader.h"

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"
#include "services/version/testing/committer_fixture.h"

namespace bdcsync::version::testing {
namespace {

using bdcsync::testing::HasReason;
using ::testing::ElementsAre;

class Reading : public CommitterFixture {
 protected:
  template <typename Answer, typename Ask>
  static absl::StatusOr<Answer> Await(Ask ask) {
    std::optional<absl::StatusOr<Answer>> answer;
    ask([&answer](absl::StatusOr<Answer> got) { answer = std::move(got); });
    return answer.value_or(absl::InternalError("no answer"));
  }
  static v1::EntityQuery Query(const std::string& id, const std::string& version = "",
                               int64_t as_of_ms = 0) {
    v1::EntityQuery query;
    query.mutable_entity()->set_space("s");
    query.mutable_entity()->set_entity_type("note");
    query.mutable_entity()->set_entity_id(id);
    query.set_version_id(version);
    query.set_as_of_ms(as_of_ms);
    return query;
  }
  std::vector<v1::EntityState> Get(const std::vector<v1::EntityQuery>& queries) {
    v1::GetEntitiesRequest request;
    for (const v1::EntityQuery& query : queries) *request.add_queries() = query;
    auto answer = Await<v1::GetEntitiesResponse>(
        [&](auto callback) { reader_.GetEntities(request, std::move(callback)); });
    EXPECT_OK(answer);
    return {answer->entities().begin(), answer->entities().end()};
  }
  v1::EntityState GetOne(const v1::EntityQuery& query) { return Get({query}).front(); }
  absl::StatusOr<v1::GetHistoryResponse> History(const std::string& id, int limit = 0,
                                                 const std::string& token = "") {
    v1::GetHistoryRequest request;
    *request.mutable_entity() = Query(id).entity();
    request.set_limit(limit);
    request.set_page_token(token);
    return Await<v1::GetHistoryResponse>(
        [&](auto callback) { reader_.GetHistory(request, std::move(callback)); });
  }
  absl::StatusOr<v1::DiffResponse> Diff(const std::string& from, const std::string& to) {
    v1::DiffRequest request;
    *request.mutable_entity() = Query("a").entity();
    request.set_from_version_id(from);
    request.set_to_version_id(to);
    return Await<v1::DiffResponse>(
        [&](auto callback) { reader_.Diff(request, std::move(callback)); });
  }

  Reader reader_{log_};
};

TEST_F(Reading, TheHeadIsWhatWasCommittedLast) {
  Operation create = Create("a", "1");
  create.set_category("media");
  Commit(create);
  const Result head = Commit(Update("a", "2"));
  const v1::EntityState state = GetOne(Query("a"));
  EXPECT_EQ(state.data(), "2");
  EXPECT_EQ(state.version_id(), head.version_id());
  EXPECT_EQ(state.revision(), 2);
  EXPECT_EQ(state.time_ms(), head.time_ms());
  EXPECT_EQ(state.category(), "media");
  EXPECT_EQ(state.entity().entity_id(), "a");
  EXPECT_FALSE(state.deleted());
}

TEST_F(Reading, ADeletedEntityHasNoData) {
  Commit(Create("a", "1"));
  Commit(Delete("a"));
  const v1::EntityState state = GetOne(Query("a"));
  EXPECT_TRUE(state.deleted());
  EXPECT_TRUE(state.data().empty());
  EXPECT_EQ(state.revision(), 2);
}

TEST_F(Reading, AWriteOfAnotherReplicaIsSeenAtOnce) {
  Commit(Create("a", "1"));
  GetOne(Query("a"));
  WriteElsewhere("a", "2");
  EXPECT_EQ(GetOne(Query("a")).data(), "2");
}

TEST_F(Reading, VersionsAndTimesCanBeReadAgain) {
  const Result first = Commit(Create("a", "1"));
  const Result second = Commit(Delete("a"));
  const Result third = Commit(Create("a", "3"));
  EXPECT_EQ(GetOne(Query("a", first.version_id())).data(), "1");
  EXPECT_TRUE(GetOne(Query("a", second.version_id())).deleted());
  EXPECT_EQ(GetOne(Query("a", "", third.time_ms())).data(), "3");
  EXPECT_TRUE(GetOne(Query("a", "", third.time_ms() - 1)).deleted());
  EXPECT_EQ(GetOne(Query("a", "", first.time_ms())).data(), "1");
  EXPECT_EQ(GetOne(Query("a", "", first.time_ms() - 1)).error().code(), "not_found");
  EXPECT_EQ(GetOne(Query("a", "", 1)).error().code(), "not_found");
  EXPECT_EQ(GetOne(Query("a", "", -1)).error().code(), "not_found") << "before 1970";
}

TEST_F(Reading, EachQueryOfACallHasItsOwnAnswer) {
  const Result a = Commit(Create("a", "1"));
  Commit(Create("b", "2"));
  v1::EntityQuery malformed = Query("c");
  malformed.mutable_entity()->clear_space();
  const auto states = Get({Query("none"), Query("b"), malformed, Query("a", a.version_id()),
                           Query("b", a.version_id()), Query("a", "x"), Query("a")});
  EXPECT_EQ(states[0].error().code(), "not_found");
  EXPECT_EQ(states[1].data(), "2");
  EXPECT_EQ(states[2].error().code(), "invalid_argument");
  EXPECT_EQ(states[3].data(), "1");
  EXPECT_EQ(states[4].error().code(), "not_found") << "another entity's version";
  EXPECT_EQ(states[5].error().code(), "not_found");
  EXPECT_EQ(states[6].data(), "1");
}

TEST_F(Reading, AnUnreachableLogIsSaidPerQuery) {
  log_.FailWith(absl::UnavailableError("down"));
  const auto states = Get({Query("a"), Query("a", "", 5)});
  EXPECT_EQ(states[0].error().code(), "unavailable");
  EXPECT_EQ(states[1].error().code(), "unavailable");
  EXPECT_THAT(History("a"), HasReason(Reason::kUnavailable));
}

TEST_F(Reading, TheNumberOfQueriesIsHeldToTheLimit) {
  EXPECT_EQ(Get(std::vector<v1::EntityQuery>(kEntityQueriesMax, Query("a"))).size(),
            static_cast<size_t>(kEntityQueriesMax));
  v1::GetEntitiesRequest request;
  for (int i = 0; i <= kEntityQueriesMax; ++i) *request.add_queries() = Query("a");
  EXPECT_THAT(Await<v1::GetEntitiesResponse>(
                  [&](auto callback) { reader_.GetEntities(request, std::move(callback)); }),
              HasReason(Reason::kInvalidArgument));
}

TEST_F(Reading, WhetherAConflictWaitsIsReadWithTheHeadsInOneCall) {
  resolver_.UseRules(R"({"rules":[{"path":"$.x","rule":"ask"}]})");
  const Result base = Commit(Create("a", R"({"x":1})"));
  Commit(Patch("a", R"({"x":2})"));
  Commit(Create("b", "1"));
  EXPECT_FALSE(GetOne(Query("a")).has_conflict());
  const Result kept = Commit(On(Patch("a", R"({"x":3})"), base.version_id()));
  ASSERT_EQ(kept.outcome(), common::v1::OUTCOME_CONFLICT);
  v1::EntityQuery branch = Query("a");
  branch.mutable_entity()->set_branch(kept.branch());
  const int head_reads = log_.head_reads();
  const auto states =
      Get({Query("b"), Query("a"), Query("none"), Query("a", base.version_id()), branch});
  EXPECT_EQ(log_.head_reads(), head_reads + 1);
  EXPECT_FALSE(states[0].has_conflict());
  EXPECT_TRUE(states[1].has_conflict());
  EXPECT_EQ(states[1].data(), R"({"x":2})") << "the provisional winner";
  EXPECT_FALSE(states[2].has_conflict());
  EXPECT_TRUE(states[3].has_conflict()) << "about the entity, whichever version is read";
  EXPECT_EQ(states[4].data(), R"({"x":3})");
  EXPECT_TRUE(states[4].has_conflict());
}

TEST_F(Reading, HistoryIsNewestFirstWithoutPatches) {
  Commit(Create("a", "{}"));
  Operation patch = Patch("a", R"({"x":1})");
  patch.set_message("why");
  const Result second = Commit(patch);
  ASSERT_OK_AND_ASSIGN(const auto page, History("a"));
  ASSERT_EQ(page.versions_size(), 2);
  EXPECT_EQ(page.versions(0).version_id(), second.version_id());
  EXPECT_EQ(page.versions(0).revision(), 2);
  EXPECT_EQ(page.versions(0).meta().message(), "why");
  EXPECT_EQ(page.versions(0).meta().op_id(), patch.op_id());
  EXPECT_THAT(page.versions(0).meta().changed_paths(), ElementsAre("/x"));
  EXPECT_TRUE(page.versions(0).meta().patch().empty());
  EXPECT_TRUE(page.next_page_token().empty());
}

TEST_F(Reading, HistoryPagesMeet) {
  constexpr int kVersions = 5;
  for (int i = 0; i < kVersions; ++i) Commit(Update("a", absl::StrCat(i)));
  for (const int limit : {1, 2, kVersions - 1, kVersions, kVersions + 1}) {
    std::vector<int64_t> revisions;
    std::string token;
    do {
      ASSERT_OK_AND_ASSIGN(const auto page, History("a", limit, token));
      for (const v1::VersionInfo& version : page.versions())
        revisions.push_back(version.revision());
      token = page.next_page_token();
    } while (!token.empty() && revisions.size() <= kVersions);
    EXPECT_THAT(revisions, ElementsAre(5, 4, 3, 2, 1)) << limit;
  }
}

TEST_F(Reading, PagesThatTheirBytesCutShortMeetToo) {
  for (int i = 0; i < 5; ++i) {
    Operation update = Update("a", absl::StrCat(i));
    update.set_message(std::string(kMessageBytesMax, 'm'));
    Commit(update);
  }
  log_.LimitAnswers(2 * kMessageBytesMax);  // One is over a third of it.
  std::vector<int64_t> revisions;
  std::string token;
  int pages = 0;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, History("a", 5, token));
    for (const v1::VersionInfo& version : page.versions()) revisions.push_back(version.revision());
    token = page.next_page_token();
    ++pages;
  } while (!token.empty() && pages < 10);
  EXPECT_THAT(revisions, ElementsAre(5, 4, 3, 2, 1));
  EXPECT_GT(pages, 1);
}

TEST_F(Reading, MalformedHistoriesAreRefused) {
  EXPECT_THAT(History("none"), HasReason(Reason::kNotFound));
  EXPECT_EQ(PathOf(History("a", 0, "x").status()), "page_token");
  EXPECT_EQ(PathOf(History("a", 0, "0").status()), "page_token");
  EXPECT_EQ(PathOf(History("a", -1).status()), "limit");
  EXPECT_EQ(PathOf(History("a", kHistoryPageMax + 1).status()), "limit");
  Commit(Create("a", "1"));
  EXPECT_OK(History("a", kHistoryPageMax));
}

TEST_F(Reading, TheDifferenceIsAPatch) {
  const Result first = Commit(Create("a", R"({"x":1,"y":[1]})"));
  const Result second = Commit(Patch("a", R"({"x":2})"));
  Commit(Patch("a", R"({"z":3})"));
  ASSERT_OK_AND_ASSIGN(auto diff, Diff(first.version_id(), second.version_id()));
  EXPECT_EQ(diff.changes(), R"([{"op":"replace","path":"/x","value":2}])");
  ASSERT_OK_AND_ASSIGN(diff, Diff(second.version_id(), ""));
  EXPECT_EQ(diff.changes(), R"([{"op":"add","path":"/z","value":3}])");
  ASSERT_OK_AND_ASSIGN(diff, Diff(first.version_id(), first.version_id()));
  EXPECT_EQ(diff.changes(), "[]");
  const Result deleted = Commit(Delete("a"));
  ASSERT_OK_AND_ASSIGN(diff, Diff(first.version_id(), deleted.version_id()));
  EXPECT_EQ(diff.changes(), R"([{"op":"replace","path":"","value":null}])");
}

TEST_F(Reading, ADifferenceNeedsBothVersions) {
  const Result first = Commit(Create("a", "1"));
  EXPECT_THAT(Diff("", first.version_id()), HasReason(Reason::kNotFound));
  EXPECT_THAT(Diff(first.version_id(), "9-0000000000000000"), HasReason(Reason::kNotFound));
  EXPECT_THAT(Diff("1-0000000000000000", ""), HasReason(Reason::kNotFound));
}

}  // namespace
}  // namespace bdcsync::version::testing
