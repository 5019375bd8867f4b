#include "services/gateway/pipeline/normalize_operation.h"

#include "libs/testing/status_matchers.h"

namespace bdcsync::gateway {
namespace {

using testing::HasReason;

constexpr size_t kDepthMax = 4;

TEST(NormalizeOperation, BringsJsonIntoItsCompactForm) {
  common::v1::Operation operation;
  operation.set_data(" { \"a\" : 1.10 } ");
  EXPECT_OK(NormalizeOperation(operation, kDepthMax));
  EXPECT_EQ(operation.data(), "{\"a\":1.10}");
}

TEST(NormalizeOperation, RefusesWhatIsNoJsonAndSaysWhere) {
  common::v1::Operation operation;
  operation.set_data("{\"a\":");
  const absl::Status refused = NormalizeOperation(operation, kDepthMax);
  EXPECT_THAT(refused, HasReason(Reason::kBadMessage));
  EXPECT_EQ(PathOf(refused), "data");
}

TEST(NormalizeOperation, RefusesWhatIsTooDeepButNotWhatIsJustNot) {
  common::v1::Operation operation;
  operation.set_data("[[[[]]]]");
  EXPECT_OK(NormalizeOperation(operation, kDepthMax));
  operation.set_data("[[[[[]]]]]");
  EXPECT_THAT(NormalizeOperation(operation, kDepthMax), HasReason(Reason::kTooDeep));
}

TEST(NormalizeOperation, APatchIsAnObjectOrAnArrayAndMetadataAnObject) {
  common::v1::Operation operation;
  operation.set_patch("[]");
  EXPECT_OK(NormalizeOperation(operation, kDepthMax));
  operation.set_patch("1");
  EXPECT_THAT(NormalizeOperation(operation, kDepthMax), HasReason(Reason::kInvalidArgument));
  operation.set_patch("{}");
  operation.set_metadata("[]");
  EXPECT_THAT(NormalizeOperation(operation, kDepthMax), HasReason(Reason::kInvalidArgument));
}

}  // namespace
}  // namespace bdcsync::gateway
