#include "services/version/apply_operation.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "bdcsync/common/v1/common.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/base/status.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::version {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::UnorderedElementsAre;

constexpr DataLimits kLimits{.data_bytes_max = 256, .data_depth_max = 4};

common::v1::Operation Make(common::v1::OperationKind kind, const std::string& text = "") {
  common::v1::Operation operation;
  operation.set_op_id("op");
  operation.set_kind(kind);
  if (kind == common::v1::OPERATION_KIND_PATCH) {
    operation.set_patch(text);
  } else {
    operation.set_data(text);
  }
  return operation;
}
common::v1::Operation Create(const std::string& data) {
  return Make(common::v1::OPERATION_KIND_CREATE, data);
}
common::v1::Operation Update(const std::string& data) {
  return Make(common::v1::OPERATION_KIND_UPDATE, data);
}
common::v1::Operation Patch(const std::string& patch) {
  return Make(common::v1::OPERATION_KIND_PATCH, patch);
}
common::v1::Operation Delete() { return Make(common::v1::OPERATION_KIND_DELETE); }

EntityState Alive(const std::string& data) {
  EntityState state;
  state.revision = 3;
  state.event_id = 5;
  state.data = data;
  return state;
}
EntityState Tombstone() {
  EntityState state = Alive("");
  state.deleted = true;
  return state;
}

absl::StatusOr<Change> Apply(const common::v1::Operation& operation, const EntityState& state) {
  RETURN_IF_ERROR(ValidateOperation(operation, kLimits));
  return ApplyOperation(operation, state, kLimits);
}

TEST(ApplyOperation, CreateNeedsThatNothingLives) {
  EXPECT_EQ(Apply(Create("1"), EntityState())->data, "1");
  EXPECT_EQ(Apply(Create("1"), Tombstone())->data, "1");
  EXPECT_THAT(Apply(Create("1"), Alive("2")), HasReason(Reason::kAlreadyExists));
}

TEST(ApplyOperation, UpdateReplacesOrCreates) {
  EXPECT_EQ(Apply(Update("1"), EntityState())->data, "1");
  EXPECT_EQ(Apply(Update("1"), Tombstone())->data, "1");
  EXPECT_EQ(Apply(Update("1"), Alive("2"))->data, "1");
}

TEST(ApplyOperation, UpdateTellsWhatItChanged) {
  EXPECT_THAT(Apply(Update(R"({"a":1,"b":3})"), Alive(R"({"a":1,"b":2})"))->changed_paths,
              ElementsAre("/b"));
  EXPECT_THAT(Apply(Update("1"), EntityState())->changed_paths, ElementsAre(""));
}

TEST(ApplyOperation, UpdateKeepsTheDigitsAsSent) {
  EXPECT_EQ(Apply(Update("1.10"), Alive("1.1"))->data, "1.10");
}

TEST(ApplyOperation, DeleteAndPatchNeedThatItLives) {
  EXPECT_TRUE(Apply(Delete(), Alive("1"))->deleted);
  EXPECT_THAT(Apply(Delete(), Tombstone()), HasReason(Reason::kNotFound));
  EXPECT_THAT(Apply(Delete(), EntityState()), HasReason(Reason::kNotFound));
  EXPECT_THAT(Apply(Patch("{}"), Tombstone()), HasReason(Reason::kNotFound));
  EXPECT_THAT(Apply(Patch("{}"), EntityState()), HasReason(Reason::kNotFound));
}

TEST(ApplyOperation, AnObjectIsAMergePatch) {
  const auto change = Apply(Patch(R"({"a":null,"b":2,"c":1})"), Alive(R"({"a":1,"c":1})"));
  EXPECT_EQ(change->data, R"({"c":1,"b":2})");
  EXPECT_THAT(change->changed_paths, UnorderedElementsAre("/a", "/b"));
}

TEST(ApplyOperation, AnArrayIsAJsonPatch) {
  const auto change =
      Apply(Patch(R"([{"op":"test","path":"/a","value":[1]},{"op":"add","path":"/a/-","value":2},)"
                  R"({"op":"move","from":"/b","path":"/c"}])"),
            Alive(R"({"a":[1],"b":0})"));
  ASSERT_OK(change);
  EXPECT_EQ(change->data, R"({"a":[1,2],"c":0})");
  EXPECT_THAT(change->changed_paths, UnorderedElementsAre("/a", "/b", "/c"));
}

TEST(ApplyOperation, AFailedJsonPatchNamesThePlaceInTheRequest) {
  const auto change = Apply(
      Patch(R"([{"op":"add","path":"/x","value":1},{"op":"remove","path":"/none"}])"), Alive("{}"));
  EXPECT_THAT(change, HasReason(Reason::kPreconditionFailed));
  EXPECT_EQ(PathOf(change.status()), "/patch/1/path");
}

TEST(ApplyOperation, OtherPatchesAreRefused) {
  for (const char* patch : {"1", "\"x\"", "null", "true", "{", "[{}]"}) {
    EXPECT_THAT(Apply(Patch(patch), Alive("{}")), HasReason(Reason::kInvalidArgument)) << patch;
  }
}

TEST(ApplyOperation, BrokenStoredDataIsNotTheClientsFault) {
  EXPECT_THAT(Apply(Patch("{}"), Alive("{broken")), HasReason(Reason::kInternal));
  EXPECT_THAT(Apply(Update("1"), Alive("{broken"))->changed_paths, ElementsAre(""));
}

TEST(ApplyOperation, SizesAreHeldToTheByte) {
  const std::string fits = "\"" + std::string(kLimits.data_bytes_max - 2, 'x') + "\"";
  const std::string beyond = "\"" + std::string(kLimits.data_bytes_max - 1, 'x') + "\"";
  EXPECT_OK(Apply(Update(fits), EntityState()));
  EXPECT_THAT(Apply(Update(beyond), EntityState()), HasReason(Reason::kTooLarge));
  EXPECT_THAT(Apply(Create(beyond), EntityState()), HasReason(Reason::kTooLarge));
  EXPECT_THAT(Apply(Patch(beyond), Alive("{}")), HasReason(Reason::kTooLarge));
}

TEST(ApplyOperation, APatchMayNotGrowTheDataBeyondTheLimit) {
  const std::string head = R"({"a":")" + std::string(230, 'x') + R"("})";
  EXPECT_OK(Apply(Patch(R"({"b":"12345"})"), Alive(head)));
  const std::string much = std::string(20, 'y');
  EXPECT_THAT(Apply(Patch(R"({"b":")" + much + R"("})"), Alive(head)),
              HasReason(Reason::kTooLarge));
  EXPECT_THAT(Apply(Patch(R"([{"op":"add","path":"/b","value":")" + much + R"("}])"), Alive(head)),
              HasReason(Reason::kTooLarge));
}

TEST(ApplyOperation, DepthIsHeldToTheLevel) {
  EXPECT_OK(Apply(Patch(R"({"a":[[[]]]})"), Alive("{}")));
  EXPECT_THAT(Apply(Patch(R"({"a":[[[[]]]]})"), Alive("{}")), HasReason(Reason::kTooDeep));
  EXPECT_THAT(Apply(Patch(R"([{"op":"add","path":"/a/b","value":[[[]]]}])"), Alive(R"({"a":{}})")),
              HasReason(Reason::kTooDeep));
}

TEST(ApplyOperation, TheRequestMustBeWhole) {
  EXPECT_EQ(PathOf(Apply(Create(""), EntityState()).status()), "data");
  EXPECT_EQ(PathOf(Apply(Patch(""), Alive("{}")).status()), "patch");
  EXPECT_EQ(PathOf(Apply(Make(common::v1::OPERATION_KIND_UNSPECIFIED), Alive("{}")).status()),
            "operation");
  EXPECT_THAT(Apply(Make(common::v1::OPERATION_KIND_TEXT), Alive("{}")),
              HasReason(Reason::kInvalidArgument));
}

TEST(ApplyOperation, LengthsOfOtherFieldsAreHeldToTheByte) {
  common::v1::Operation operation = Delete();
  operation.set_op_id(std::string(kOperationIdBytesMax, 'x'));
  operation.set_message(std::string(kMessageBytesMax, 'x'));
  operation.set_metadata(std::string(kMetadataBytesMax, 'x'));
  operation.set_category(std::string(kCategoryBytesMax, 'x'));
  EXPECT_OK(ValidateOperation(operation, kLimits));
  common::v1::Operation nameless = operation;
  nameless.clear_op_id();
  EXPECT_EQ(PathOf(ValidateOperation(nameless, kLimits)), "op_id");
  const auto refused = [&operation](auto grow) {
    common::v1::Operation longer = operation;
    grow(longer)->push_back('x');
    return PathOf(ValidateOperation(longer, kLimits));
  };
  EXPECT_EQ(refused([](auto& o) { return o.mutable_op_id(); }), "op_id");
  EXPECT_EQ(refused([](auto& o) { return o.mutable_message(); }), "message");
  EXPECT_EQ(refused([](auto& o) { return o.mutable_metadata(); }), "metadata");
  EXPECT_EQ(refused([](auto& o) { return o.mutable_category(); }), "category");
}

TEST(DescribeVersion, TellsWhoWhatAndWhatWasBefore) {
  common::v1::Operation operation = Patch("{}");
  operation.set_op_id("op");
  operation.set_category("documents");
  operation.set_message("why");
  operation.set_client_time_ms(12);
  common::v1::Actor actor;
  actor.set_user_id("ada");
  actor.set_device_id("phone");
  EntityState head = Alive("{}");
  head.category = "settings";
  const auto next = NextState(head, operation, actor, 9);
  v1::VersionMeta meta;
  ASSERT_TRUE(meta.ParseFromString(DescribeVersion(operation, head, *next, nullptr, {"/a"})));
  EXPECT_EQ(next->revision, 4);
  EXPECT_EQ(meta.outcome(), common::v1::OUTCOME_APPLIED);
  EXPECT_THAT(meta.parents(), ElementsAre(head.version_id()));
  EXPECT_THAT(meta.changed_paths(), ElementsAre("/a"));
  EXPECT_EQ(meta.category(), "documents");
  EXPECT_EQ(meta.previous_category(), "settings");
  EXPECT_TRUE(meta.existed_before());
  EXPECT_EQ(meta.user_id(), "ada");
  EXPECT_EQ(meta.device_id(), "phone");
  EXPECT_EQ(meta.message(), "why");
  EXPECT_EQ(meta.patch(), "{}");
  EXPECT_EQ(meta.client_time_ms(), 12);
}

TEST(DescribeVersion, LeavesALargePatchOut) {
  common::v1::Operation operation = Patch(std::string(kKeptPatchBytesMax, ' '));
  v1::VersionMeta meta;
  meta.ParseFromString(DescribeVersion(operation, Alive("{}"), Alive("{}"), nullptr, {}));
  EXPECT_EQ(meta.patch().size(), kKeptPatchBytesMax);
  operation.mutable_patch()->push_back(' ');
  meta.ParseFromString(DescribeVersion(operation, Alive("{}"), Alive("{}"), nullptr, {}));
  EXPECT_TRUE(meta.patch().empty());
}

TEST(ChangedPaths, AreCutToTheWholeBeyondTheirBound) {
  std::string many = "{";
  for (size_t i = 0; i <= kChangedPathsMax; ++i) absl::StrAppend(&many, "\"k", i, "\":1,");
  many.back() = '}';
  const DataLimits wide;
  EXPECT_THAT(ChangedPathsBetween(Alive("{}"), Alive(many), wide), ElementsAre(""));
  const std::string wide_key = "{\"" + std::string(kChangedPathsBytesMax, 'k') + "\":1}";
  EXPECT_THAT(ApplyOperation(Patch(wide_key), Alive("{}"), wide)->changed_paths, ElementsAre(""));
}

}  // namespace
}  // namespace bdcsync::version
