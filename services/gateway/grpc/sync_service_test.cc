// SyncService over a real server, in front of fakes of what stands behind it.
#include "services/gateway/grpc/sync_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/bus/memory_bus.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/token_mint.h"
#include "services/gateway/auth/token_verifier.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/feed/feed_metrics.h"
#include "services/gateway/grpc/test_services.h"

namespace bdcsync::gateway {
namespace {

using testing::HasReason;

constexpr int kOperationsPerBatchMax = 4;
constexpr char kSecret[] = "a secret that is long enough for this test";

class HeardNews final : public AccessListener {
 public:
  void OnAccess(const std::shared_ptr<const Caller>& caller) override {
    absl::MutexLock lock(&mutex_);
    heard_.push_back("access of " + caller->device_id);
  }
  void OnRevoked(const device_sync::v1::DeviceName& device) override {
    absl::MutexLock lock(&mutex_);
    heard_.push_back("end of " + device.device_id());
  }
  std::vector<std::string> heard() const {
    absl::MutexLock lock(&mutex_);
    return heard_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> heard_ ABSL_GUARDED_BY(mutex_);
};

class SyncServiceTest : public ::testing::Test {
 protected:
  SyncServiceTest() {
    loop_.Run([&] {
      engine_ = std::make_unique<FeedEngine>(
          FeedDependencies{loop_, events_, bus_, clock_, random_, metrics_}, FeedLimits());
    });
    watches_ = std::make_unique<WatchHost>(std::vector<WatchHost::Feed>{{&loop_, engine_.get()}},
                                           clock_, /*queued_bytes_max=*/1 << 20);
    dependencies_ = std::make_unique<SyncServiceDependencies>(SyncServiceDependencies{
        verifier_, operations_, reads_, devices_, standing_, news_, *watches_, session_metrics_,
        [] { return sync::v1::GetStatusResponse(); }});
    dependencies_->operations_per_batch_max = kOperationsPerBatchMax;
    service_.Serve(dependencies_.get());
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = sync::v1::SyncService::NewStub(server_->InProcessChannel({}));
  }
  ~SyncServiceTest() override {
    watches_->Shutdown(absl::UnavailableError("the test is over"));
    server_->Shutdown();
    server_->Wait();
    loop_.Run([&] { engine_.reset(); });
  }

  std::unique_ptr<grpc::ClientContext> ContextOf(const std::string& user,
                                                 const std::string& device = "") {
    auto context = std::make_unique<grpc::ClientContext>();
    Caller caller;
    caller.user_id = user;
    caller.device_id = device;
    caller.token_expires = clock_.Now() + absl::Hours(1);
    context->AddMetadata("authorization", "Bearer " + MintToken(caller, clock_.Now(), kSecret));
    context->set_deadline(absl::ToChronoTime(clock_.Now() + absl::Seconds(30)));
    return context;
  }
  // The next message that says something.
  static sync::v1::WatchResponse Next(grpc::ClientReader<sync::v1::WatchResponse>& reader) {
    sync::v1::WatchResponse response;
    EXPECT_TRUE(reader.Read(&response));
    return response;
  }

  SystemClock clock_;
  SeededRandom random_{1};
  metrics::Registry registry_;
  FeedMetrics metrics_{registry_};
  SessionMetrics session_metrics_{registry_};
  bus::MemoryBus bus_{bus::BusOptions()};
  ThreadLoop loop_;
  EmptyLog events_;
  EchoOperations operations_;
  NoReads reads_;
  OneDevice devices_;
  DeviceStanding standing_{devices_, clock_, registry_, DeviceStandingLimits()};
  HeardNews news_;
  KeyRing keys_{kSecret, ""};
  TokenVerifier verifier_{keys_, clock_};
  std::unique_ptr<FeedEngine> engine_;
  std::unique_ptr<WatchHost> watches_;
  std::unique_ptr<SyncServiceDependencies> dependencies_;
  SyncService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<sync::v1::SyncService::Stub> stub_;
};

TEST_F(SyncServiceTest, WithoutATokenNothingIsAnswered) {
  grpc::ClientContext context;
  sync::v1::GetStatusResponse response;
  const grpc::Status status = stub_->GetStatus(&context, {}, &response);
  EXPECT_THAT(rpc::FromGrpc(status), HasReason(Reason::kUnauthenticated));
  grpc::ClientContext forged;
  forged.AddMetadata("authorization", "Bearer nonsense");
  EXPECT_THAT(rpc::FromGrpc(stub_->GetStatus(&forged, {}, &response)),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(SyncServiceTest, AnOperationComesBackWithItsResult) {
  sync::v1::ProcessSyncRequest request;
  request.mutable_operation()->set_op_id("o");
  request.mutable_operation()->set_data(" {} ");
  sync::v1::ProcessSyncResponse response;
  ASSERT_TRUE(stub_->ProcessSync(ContextOf("ada").get(), request, &response).ok());
  EXPECT_EQ(response.result().op_id(), "o");
  EXPECT_EQ(response.result().outcome(), common::v1::OUTCOME_APPLIED);
}

TEST_F(SyncServiceTest, OfABatchWhatIsNoJsonIsRefusedInItsPlace) {
  sync::v1::ProcessSyncBatchRequest request;
  for (const char* data : {"1", "{", "3"}) {
    common::v1::Operation& operation = *request.add_operations();
    operation.mutable_entity()->set_entity_id(data);
    operation.set_data(data);
  }
  sync::v1::ProcessSyncBatchResponse response;
  ASSERT_TRUE(stub_->ProcessSyncBatch(ContextOf("ada").get(), request, &response).ok());
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(response.results(0).outcome(), common::v1::OUTCOME_APPLIED);
  EXPECT_EQ(response.results(1).error().code(), "bad_message");
  EXPECT_EQ(response.results(2).outcome(), common::v1::OUTCOME_APPLIED);
  request.set_atomic(true);
  ASSERT_TRUE(stub_->ProcessSyncBatch(ContextOf("ada").get(), request, &response).ok());
  EXPECT_EQ(response.results(0).error().code(), "depends_on_rejected");
}

// As those that sessions are told of: the status of the call is OK.
TEST_F(SyncServiceTest, ErrorsOfOperationsAreCountedByCode) {
  sync::v1::ProcessSyncRequest single;
  single.mutable_operation()->set_data("{");
  sync::v1::ProcessSyncResponse answer;
  ASSERT_TRUE(stub_->ProcessSync(ContextOf("ada").get(), single, &answer).ok());
  EXPECT_EQ(answer.result().error().code(), "bad_message");
  sync::v1::ProcessSyncBatchRequest batch;
  for (const char* data : {"1", "{", "{"}) batch.add_operations()->set_data(data);
  for (int i = 0; i < 3; ++i) {
    batch.mutable_operations(i)->mutable_entity()->set_entity_id(absl::StrCat(i));
  }
  sync::v1::ProcessSyncBatchResponse answers;
  ASSERT_TRUE(stub_->ProcessSyncBatch(ContextOf("ada").get(), batch, &answers).ok());
  EXPECT_THAT(registry_.Render(),
              ::testing::HasSubstr("bdcsync_gateway_errors_total{code=\"bad_message\"} 3\n"));
}

TEST_F(SyncServiceTest, WhatIsNoJsonTakesWhatFollowsOnItsEntityWithIt) {
  sync::v1::ProcessSyncBatchRequest request;
  for (const auto& [id, data] : {std::pair("a", "{"), {"b", "2"}, {"a", "3"}}) {
    common::v1::Operation& operation = *request.add_operations();
    operation.mutable_entity()->set_entity_id(id);
    operation.set_data(data);
  }
  request.mutable_operations(2)->mutable_entity()->set_branch("main");
  sync::v1::ProcessSyncBatchResponse response;
  ASSERT_TRUE(stub_->ProcessSyncBatch(ContextOf("ada").get(), request, &response).ok());
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(response.results(0).error().code(), "bad_message");
  EXPECT_EQ(response.results(0).entity().space(), "user:ada");
  EXPECT_EQ(response.results(0).entity().branch(), "main");
  EXPECT_EQ(response.results(1).outcome(), common::v1::OUTCOME_APPLIED);
  EXPECT_EQ(response.results(2).error().code(), "depends_on_rejected");
}

TEST_F(SyncServiceTest, OfABatchAllThatWasSentCounts) {
  sync::v1::ProcessSyncBatchRequest request;
  for (int i = 0; i < kOperationsPerBatchMax; ++i) {
    request.add_operations()->mutable_entity()->set_entity_id(absl::StrCat(i));
  }
  request.mutable_operations(0)->set_data("{");
  sync::v1::ProcessSyncBatchResponse response;
  EXPECT_TRUE(stub_->ProcessSyncBatch(ContextOf("ada").get(), request, &response).ok());
  EXPECT_EQ(response.results_size(), kOperationsPerBatchMax);
  request.add_operations();
  EXPECT_THAT(rpc::FromGrpc(stub_->ProcessSyncBatch(ContextOf("ada").get(), request, &response)),
              HasReason(Reason::kTooLarge));
}

TEST_F(SyncServiceTest, AFailedReadKeepsItsReason) {
  sync::v1::GetEntityResponse response;
  const grpc::Status status = stub_->GetEntity(ContextOf("ada").get(), {}, &response);
  EXPECT_THAT(rpc::FromGrpc(status), HasReason(Reason::kNotFound));
}

TEST_F(SyncServiceTest, OnlyTheCallersOwnDevicesAreListed) {
  sync::v1::ListDevicesResponse response;
  ASSERT_TRUE(stub_->ListDevices(ContextOf("ada").get(), {}, &response).ok());
  ASSERT_EQ(response.devices_size(), 1);
  EXPECT_EQ(response.devices(0).user_id(), "ada");
}

TEST_F(SyncServiceTest, ADeviceIsRevokedByItsOwnerOnly) {
  sync::v1::RevokeDeviceRequest request;
  sync::v1::RevokeDeviceResponse response;
  request.set_device_id("phone");
  const auto own = ContextOf("ada");
  ASSERT_TRUE(stub_->RevokeDevice(own.get(), request, &response).ok());
  EXPECT_EQ(response.device().user_id(), "ada");
  request.set_user_id("eve");
  const auto foreign = ContextOf("ada");
  EXPECT_THAT(rpc::FromGrpc(stub_->RevokeDevice(foreign.get(), request, &response)),
              HasReason(Reason::kForbidden));
}

TEST_F(SyncServiceTest, WithATokenOfARevokedDeviceNothingIsDone) {
  sync::v1::ProcessSyncRequest request;
  request.mutable_operation()->set_data("{}");
  sync::v1::ProcessSyncResponse response;
  EXPECT_THAT(
      rpc::FromGrpc(stub_->ProcessSync(ContextOf("ada", "revoked").get(), request, &response)),
      HasReason(Reason::kForbidden));
  const auto watch = ContextOf("ada", "revoked");
  EXPECT_THAT(rpc::FromGrpc(stub_->Watch(watch.get(), {})->Finish()),
              HasReason(Reason::kForbidden));
  EXPECT_THAT(news_.heard(), ::testing::IsEmpty());
}

TEST_F(SyncServiceTest, TheRegistryIsAskedOnceForManyCallsOfADevice) {
  for (int i = 0; i < 3; ++i) {
    sync::v1::ProcessSyncRequest request;
    request.mutable_operation()->set_data("{}");
    sync::v1::ProcessSyncResponse response;
    ASSERT_TRUE(stub_->ProcessSync(ContextOf("ada", "phone").get(), request, &response).ok());
    ASSERT_TRUE(stub_->ProcessSync(ContextOf("ada").get(), request, &response).ok());
  }
  EXPECT_EQ(devices_.asked.load(), 1);
  EXPECT_THAT(news_.heard(),
              ::testing::ElementsAre("access of phone", "access of phone", "access of phone"));
}

TEST_F(SyncServiceTest, AWatchOfADeviceBeginsAndEndsWhenItIsRevoked) {
  const auto context = ContextOf("ada", "phone");
  const auto reader = stub_->Watch(context.get(), {});
  EXPECT_TRUE(Next(*reader).caught_up());
  const auto other = ContextOf("ada", "tablet");
  const auto others = stub_->Watch(other.get(), {});
  EXPECT_TRUE(Next(*others).caught_up());
  device_sync::v1::DeviceName device;
  device.set_user_id("ada");
  device.set_device_id("phone");
  watches_->EndDevice(device, MakeError(Reason::kForbidden, "revoked"));
  EXPECT_THAT(rpc::FromGrpc(reader->Finish()), HasReason(Reason::kForbidden));
  events_.Commit(bus_, "user:ada");
  EXPECT_EQ(Next(*others).changes_size(), 1);
  other->TryCancel();
  (void)others->Finish();
}

TEST_F(SyncServiceTest, AWatchIsCaughtUpThenLiveUntilItIsCancelled) {
  const auto context = ContextOf("ada");
  const auto reader = stub_->Watch(context.get(), {});
  EXPECT_TRUE(Next(*reader).caught_up());
  events_.Commit(bus_, "user:ada");
  const sync::v1::WatchResponse live = Next(*reader);
  ASSERT_EQ(live.changes_size(), 1);
  EXPECT_EQ(live.changes(0).kind(), sync::v1::CHANGE_KIND_ENTER);
  EXPECT_EQ(live.changes(0).entity().data(), "{}");
  context->TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(SyncServiceTest, AWatchOfASpaceThatMayNotBeReadIsRefused) {
  sync::v1::WatchRequest request;
  request.set_space("user:eve");
  const auto context = ContextOf("ada");
  EXPECT_THAT(rpc::FromGrpc(stub_->Watch(context.get(), request)->Finish()),
              HasReason(Reason::kForbidden));
}

TEST_F(SyncServiceTest, AWatchWithACursorOfALostHistoryStartsAgainByItself) {
  sync::v1::WatchRequest request;
  request.set_cursor(entity::EncodeCursor({events_.epoch() + 1, 5}));
  const auto context = ContextOf("ada");
  const auto reader = stub_->Watch(context.get(), request);
  EXPECT_TRUE(Next(*reader).resync());
  EXPECT_TRUE(Next(*reader).caught_up());
  context->TryCancel();
  (void)reader->Finish();
}

TEST_F(SyncServiceTest, WhenTheGatewayDrainsWatchesAreToldToCallAgain) {
  const auto context = ContextOf("ada");
  const auto reader = stub_->Watch(context.get(), {});
  EXPECT_TRUE(Next(*reader).caught_up());
  watches_->Shutdown(absl::UnavailableError("draining"));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  const auto again = ContextOf("ada");
  EXPECT_EQ(stub_->Watch(again.get(), {})->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SyncServiceTest, OnceItStopsCallsAreRefusedAndNothingIsDone) {
  service_.Stop();
  sync::v1::ProcessSyncResponse response;
  EXPECT_THAT(rpc::FromGrpc(stub_->ProcessSync(ContextOf("ada").get(), {}, &response)),
              HasReason(Reason::kUnavailable));
  EXPECT_EQ(response.result().outcome(), common::v1::OUTCOME_UNSPECIFIED);
  const auto context = ContextOf("ada");
  EXPECT_THAT(rpc::FromGrpc(stub_->Watch(context.get(), {})->Finish()),
              HasReason(Reason::kUnavailable));
}

}  // namespace
}  // namespace bdcsync::gateway
