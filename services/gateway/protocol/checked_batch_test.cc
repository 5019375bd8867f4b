#include "services/gateway/protocol/checked_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "libs/base/errors.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;

SyncBatchRequest::Item On(const char* entity, absl::Status status = absl::OkStatus()) {
  SyncBatchRequest::Item item;
  item.operation.mutable_entity()->set_entity_id(entity);
  item.status = std::move(status);
  return item;
}

absl::Status Wrong() { return MakeErrorAt(Reason::kInvalidArgument, "/data", "wrong"); }

std::vector<std::string> Codes(const CheckedBatch& batch) {
  std::vector<std::string> codes;
  for (const auto& result : batch.results) codes.push_back(result.error().code());
  return codes;
}

TEST(CheckedBatch, WhatIsRefusedHoldsUpWhatFollowsOnItsEntity) {
  const CheckedBatch batch = CheckBatch({On("a"), On("a", Wrong()), On("b"), On("a")}, false);
  EXPECT_THAT(Codes(batch), ElementsAre("", "invalid_argument", "", "depends_on_rejected"));
  EXPECT_THAT(batch.places, ElementsAre(0, 2));
  ASSERT_EQ(batch.operations.size(), 2u);
  EXPECT_EQ(batch.operations[1].entity().entity_id(), "b");
  EXPECT_EQ(batch.results[1].error().path(), "/data");
  EXPECT_EQ(batch.results[3].entity().entity_id(), "a");
}

TEST(CheckedBatch, WhatIsRefusedOfAnAtomicBatchRefusesAll) {
  const CheckedBatch batch = CheckBatch({On("a"), On("b", Wrong()), On("c")}, true);
  EXPECT_THAT(Codes(batch),
              ElementsAre("depends_on_rejected", "invalid_argument", "depends_on_rejected"));
  EXPECT_TRUE(batch.operations.empty());
  EXPECT_EQ(CheckBatch({On("a"), On("b")}, true).operations.size(), 2u);
}

}  // namespace
}  // namespace bdcsync::gateway
