#include "libs/rpc/status.h"

#include <gmock/gmock.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "bdcsync/common/v1/common.pb.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

namespace status = ::bdcsync::testing;

TEST(Status, EveryReasonGoesThereAndBackBothWays) {
  for (const ReasonInfo& info : AllReasons()) {
    const absl::Status error = MakeErrorAt(info.reason, "/data/x", "it is wrong");
    common::v1::Error proto;
    ToProto(error, proto);
    EXPECT_EQ(proto.code(), std::string(info.name));
    EXPECT_EQ(proto.retryable(), info.retryable);
    EXPECT_EQ(FromProto(proto), error);
    EXPECT_EQ(FromGrpc(ToGrpc(error)), error);
    EXPECT_EQ(static_cast<int>(ToGrpc(error).error_code()), static_cast<int>(info.code));
  }
}

TEST(Status, TheWaitSurvives) {
  const absl::Status error =
      MakeRetryableError(Reason::kRateLimited, absl::Milliseconds(1500), "slow down");
  EXPECT_EQ(RetryAfterOf(FromGrpc(ToGrpc(error))), absl::Milliseconds(1500));
}

TEST(Status, OkIsOk) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  EXPECT_OK(FromGrpc(grpc::Status::OK));
}

TEST(Status, AStatusWithoutAReasonKeepsItsCode) {
  for (const absl::Status& error :
       {absl::FailedPreconditionError("f"), absl::OutOfRangeError("o"), absl::CancelledError("c"),
        absl::DataLossError("d"), absl::UnavailableError("u")}) {
    EXPECT_EQ(FromGrpc(ToGrpc(error)).code(), error.code());
    EXPECT_EQ(FromGrpc(ToGrpc(error)).message(), error.message());
  }
}

TEST(Status, FailuresOfGrpcItselfGetTheNearestReason) {
  EXPECT_THAT(FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "no connection")),
              status::HasReason(Reason::kUnavailable));
  EXPECT_THAT(FromGrpc(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "late")),
              status::HasReason(Reason::kDeadlineExceeded));
  EXPECT_THAT(FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "x", "\xff garbage")),
              status::HasReason(Reason::kUnavailable));
}

TEST(Status, CodesOfANewerServerAreUnderstoodRoughly) {
  common::v1::Error error;
  error.set_code("too_sunny");
  EXPECT_THAT(FromProto(error), status::HasReason(Reason::kInternal));
  error.set_retryable(true);
  EXPECT_THAT(FromProto(error), status::HasReason(Reason::kUnavailable));
}

TEST(Status, LongMessagesAreCutBetweenCharactersForGrpc) {
  for (const int extra : {-1, 0, 1}) {
    const std::string text = std::string(static_cast<std::size_t>(1022 + extra), 'x') + "üü";
    const std::string sent = ToGrpc(MakeError(Reason::kInternal, text)).error_message();
    EXPECT_LE(sent.size(), 1024u);
    EXPECT_EQ(text.compare(0, sent.size(), sent), 0);
    EXPECT_NE(static_cast<unsigned char>(sent.back()), 0xc3) << "half a character";
  }
}

}  // namespace
}  // namespace bdcsync::rpc
