#include "services/gateway/pipeline/left_out_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/pipeline/fake_version.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using version::v1::CommitRequest;
using version::v1::CommitResponse;
using version::v1::CommitResult;
using version::v1::EntityState;
using version::v1::GetEntitiesRequest;
using version::v1::GetEntitiesResponse;

// Leaves out what is asked for, and tells it when it is read, unless a read is to fail.
class LeavesOut final : public VersionClient {
 public:
  std::vector<CommitResult> results;
  std::vector<absl::Status> reads;  // How each ends; of those beyond, OK.
  std::vector<std::string> asked;

  size_t replicas() const override { return 1; }
  void Commit(size_t, std::shared_ptr<const CommitRequest>, Done<CommitResponse> done) override {
    CommitResponse response;
    for (const CommitResult& result : results) *response.add_results() = result;
    done(std::move(response));
  }
  void GetEntities(size_t, GetEntitiesRequest request, Done<GetEntitiesResponse> done) override {
    const version::v1::EntityQuery& query = request.queries(0);
    asked.push_back(absl::StrCat(query.entity().entity_id(), "@", query.version_id()));
    const size_t place = asked.size() - 1;
    GetEntitiesResponse response;
    EntityState& state = *response.add_entities();
    if (place < reads.size() && absl::IsNotFound(reads[place])) {
      rpc::ToProto(reads[place], *state.mutable_error());
    } else if (place < reads.size() && !reads[place].ok()) {
      done(reads[place]);
      return;
    }
    state.set_data(absl::StrCat("\"", query.entity().entity_id(), "\""));
    done(std::move(response));
  }
  void GetHistory(size_t, version::v1::GetHistoryRequest,
                  Done<version::v1::GetHistoryResponse>) override {}
  void Diff(size_t, version::v1::DiffRequest, Done<version::v1::DiffResponse>) override {}
};

class LeftOutDataTest : public ::testing::Test {
 protected:
  void AddResult(bool left_out, const std::string& data = "") {
    CommitResult& result = version_.results.emplace_back();
    result.set_outcome(common::v1::OUTCOME_MERGED);
    result.set_version_id(absl::StrCat("v", version_.results.size()));
    result.set_data(data);
    result.set_data_left_out(left_out);
  }
  // Of operations on a, b, c….
  std::vector<CommitResult> Commit(int operations) {
    auto request = std::make_shared<CommitRequest>();
    for (int i = 0; i < operations; ++i) {
      request->add_items()->mutable_operation()->mutable_entity()->set_entity_id(
          std::string(1, static_cast<char>('a' + i)));
    }
    std::vector<CommitResult> results;
    CommitWhole(version_, 0, std::move(request), [&](absl::StatusOr<CommitResponse> response) {
      ASSERT_OK(response);
      results.assign(response->results().begin(), response->results().end());
    });
    return results;
  }

  LeavesOut version_;
};

TEST_F(LeftOutDataTest, WhatIsLeftOutIsReadAtItsVersion) {
  AddResult(false, "1");
  AddResult(true);
  AddResult(false);
  AddResult(true);
  const auto results = Commit(4);
  EXPECT_THAT(version_.asked, ElementsAre("b@v2", "d@v4"));
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].data(), "1");
  EXPECT_EQ(results[1].data(), "\"b\"");
  EXPECT_EQ(results[2].data(), "");
  EXPECT_EQ(results[3].data(), "\"d\"");
  for (const CommitResult& result : results) {
    EXPECT_EQ(result.outcome(), common::v1::OUTCOME_MERGED);
    EXPECT_FALSE(result.data_left_out());
  }
}

TEST_F(LeftOutDataTest, WhatCannotBeReadNowIsUnknown) {
  for (int i = 0; i < 4; ++i) AddResult(true);
  for (const auto& status : {absl::UnavailableError("away"), absl::DeadlineExceededError("late"),
                             absl::CancelledError("stopping")}) {
    version_.asked.clear();
    version_.reads = {absl::OkStatus(), status};
    const auto results = Commit(4);
    EXPECT_THAT(version_.asked, ElementsAre("a@v1", "b@v2")) << "the others would wait, too";
    ASSERT_EQ(results.size(), 4u);
    EXPECT_EQ(results[0].data(), "\"a\"");
    for (int i = 1; i < 4; ++i) {
      EXPECT_EQ(results[i].outcome(), common::v1::OUTCOME_REJECTED);
      EXPECT_EQ(results[i].error().code(), "unavailable");
      EXPECT_EQ(results[i].version_id(), "");
    }
  }
}

TEST_F(LeftOutDataTest, WhatIsGoneIsToldWithoutItsData) {
  AddResult(true);
  AddResult(true);
  version_.reads = {MakeError(Reason::kNotFound, "erased")};
  const auto results = Commit(2);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].outcome(), common::v1::OUTCOME_MERGED);
  EXPECT_EQ(results[0].version_id(), "v1");
  EXPECT_EQ(results[0].data(), "");
  EXPECT_FALSE(results[0].data_left_out());
  EXPECT_EQ(results[1].data(), "\"b\"");
}

TEST_F(LeftOutDataTest, AnAnswerToSomethingElseIsHandedOn) {
  AddResult(true);
  EXPECT_EQ(Commit(2).size(), 1u);
  EXPECT_THAT(version_.asked, IsEmpty());
}

}  // namespace
}  // namespace bdcsync::gateway
