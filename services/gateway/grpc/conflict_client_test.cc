// How long calls to the conflict service may take, as it is told.
#include "services/gateway/grpc/conflict_client.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/synchronization/notification.h"
#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "libs/base/clock.h"
#include "libs/rpc/peer.h"
#include "libs/rpc/unary.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::gateway {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(10);

// Notes how long the caller of each call still waits.
class PatienceService final : public conflict::v1::ConflictService::CallbackService {
 public:
  grpc::ServerUnaryReactor* ListConflicts(grpc::CallbackServerContext* context,
                                          const conflict::v1::ListConflictsRequest* /*request*/,
                                          conflict::v1::ListConflictsResponse*) override {
    return Note(context);
  }
  grpc::ServerUnaryReactor* DryRun(grpc::CallbackServerContext* context,
                                   const conflict::v1::DryRunRequest* /*request*/,
                                   conflict::v1::DryRunResponse* /*response*/) override {
    return Note(context);
  }
  grpc::ServerUnaryReactor* Analyze(grpc::CallbackServerContext* context,
                                    const conflict::v1::AnalyzeRequest* /*request*/,
                                    conflict::v1::AnalyzeResponse* /*response*/) override {
    return Note(context);
  }

  absl::Duration left;

 private:
  grpc::ServerUnaryReactor* Note(grpc::CallbackServerContext* context) {
    left = absl::FromChrono(context->deadline()) - SystemClock().Now();
    return rpc::FinishNow(context, absl::OkStatus());
  }
};

class ConflictClientTest : public ::testing::Test {
 protected:
  // How long the service may take for a call.
  template <typename Request, typename Response>
  absl::Duration TimeFor(void (GrpcConflictClient::*call)(Request,
                                                          ConflictRecords::Done<Response>)) {
    absl::Notification done;
    (client_.*call)(Request(), [&done](const absl::StatusOr<Response>& answer) {
      EXPECT_OK(answer);
      done.Notify();
    });
    done.WaitForNotification();
    return service_.left;
  }

  PatienceService service_;
  const std::unique_ptr<grpc::Server> server_ =
      grpc::ServerBuilder().RegisterService(&service_).BuildAndStart();
  GrpcConflictClient client_{{rpc::Peer{.channel = server_->InProcessChannel({})}}, kTimeout};
};

TEST_F(ConflictClientTest, WhatReadsThousandsOfRecordsMayTakeAsLongAsItsOwnLimitsSay) {
  EXPECT_LE(TimeFor(&GrpcConflictClient::ListConflicts), kTimeout * 1.01);
  EXPECT_GT(TimeFor(&GrpcConflictClient::DryRun), absl::Seconds(30));
  EXPECT_GT(TimeFor(&GrpcConflictClient::Analyze), absl::Seconds(30));
}

}  // namespace
}  // namespace bdcsync::gateway
