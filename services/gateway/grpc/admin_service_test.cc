// AdminService over a real server, in front of fakes of what stands behind it.
#include "services/gateway/grpc/admin_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/clock.h"
#include "libs/base/errors.h"
#include "libs/log/capture.h"
#include "libs/rpc/status.h"
#include "libs/rpc/unary.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/token_mint.h"
#include "services/gateway/auth/token_verifier.h"
#include "services/gateway/grpc/test_services.h"

namespace bdcsync::gateway {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::HasSubstr;
using ::testing::Not;
using Stub = admin::v1::AdminService::Stub;

constexpr char kSecret[] = "a secret that is long enough for this test";

// Holds groups 1 to `count`, of `bytes` each.
class FakeParked final : public ParkedOperations {
 public:
  void List(int64_t after_id, size_t limit, size_t bytes_max,
            Done<std::vector<ParkedGroup>> done) override {
    size_t read = 0;
    std::vector<ParkedGroup> groups;
    for (const int64_t id : ids) {
      if (id <= after_id || groups.size() >= limit) continue;
      if (read > bytes_max && groups.size() > 1) break;
      read += bytes;
      ParkedGroup& group = groups.emplace_back();
      group.id = id;
      group.space = "team";
      group.bytes = bytes;
      group.reason = "already_exists";
      group.stored = absl::FromUnixMillis(1000);
      group.parked = absl::FromUnixMillis(2000);
      version::v1::CommitItem& item = *group.operations.add_items();
      item.mutable_operation()->set_op_id(absl::StrCat("op-", id));
      item.mutable_operation()->set_data(std::string(bytes, 'x'));
      item.mutable_actor()->set_user_id("ada");
    }
    done(std::move(groups));
  }
  void Retry(std::vector<int64_t> wanted, Done<std::vector<absl::Status>> done) override {
    done(Take(wanted));
  }
  void Discard(std::vector<int64_t> wanted, Done<std::vector<absl::Status>> done) override {
    done(Take(wanted));
  }

  std::set<int64_t> ids;
  size_t bytes = 10;

 private:
  std::vector<absl::Status> Take(const std::vector<int64_t>& wanted) {
    std::vector<absl::Status> statuses;
    for (const int64_t id : wanted) {
      statuses.push_back(ids.erase(id) > 0 ? absl::OkStatus()
                                           : MakeError(Reason::kNotFound, "not parked"));
    }
    return statuses;
  }
};

class AdminServiceTest : public ::testing::Test {
 protected:
  AdminServiceTest() {
    service_.Serve(&dependencies_);
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = admin::v1::AdminService::NewStub(server_->InProcessChannel({}));
  }
  ~AdminServiceTest() override {
    server_->Shutdown();
    server_->Wait();
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, bool admin = true,
                                const std::string& device = "") {
    grpc::ClientContext context;
    Caller caller;
    caller.user_id = "root";
    caller.device_id = device;
    caller.admin = admin;
    caller.token_expires = clock_.Now() + absl::Hours(1);
    context.AddMetadata("authorization", "Bearer " + MintToken(caller, clock_.Now(), kSecret));
    context.AddMetadata("x-request-id", "r-1");
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpc(status);
    return response;
  }

  SystemClock clock_;
  KeyRing keys_{kSecret, ""};
  TokenVerifier verifier_{keys_, clock_};
  metrics::Registry registry_;
  OneDevice devices_;
  DeviceStanding standing_{devices_, clock_, registry_, DeviceStandingLimits()};
  NoNews news_;
  FakeParked parked_;
  log::CapturedLog log_;
  std::map<std::string, std::string> changed_;
  AdminServiceDependencies dependencies_{{verifier_, standing_, news_},
                                         parked_,
                                         [this](const std::map<std::string, std::string>& changes)
                                             -> absl::StatusOr<std::map<std::string, std::string>> {
                                           if (changes.contains("bad"))
                                             return MakeError(Reason::kInvalidArgument,
                                                              "bad: unknown key");
                                           changed_ = changes;
                                           return changes;
                                         },
                                         log_.logger()};
  AdminService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Stub> stub_;
};

TEST_F(AdminServiceTest, ATokenOfARevokedDeviceOpensNothing) {
  parked_.ids = {1};
  admin::v1::DiscardParkedRequest discard;
  discard.add_ids(1);
  EXPECT_THAT(Call(&Stub::DiscardParked, discard, /*admin=*/true, "revoked"),
              HasReason(Reason::kForbidden));
  EXPECT_EQ(parked_.ids.size(), 1u);
  EXPECT_OK(Call(&Stub::DiscardParked, discard, /*admin=*/true, "phone"));
}

TEST_F(AdminServiceTest, OnlyAnAdminMayCall) {
  parked_.ids = {1};
  admin::v1::DiscardParkedRequest discard;
  discard.add_ids(1);
  EXPECT_THAT(Call(&Stub::ListParked, admin::v1::ListParkedRequest(), false),
              HasReason(Reason::kForbidden));
  EXPECT_THAT(Call(&Stub::RetryParked, admin::v1::RetryParkedRequest(), false),
              HasReason(Reason::kForbidden));
  EXPECT_THAT(Call(&Stub::DiscardParked, discard, false), HasReason(Reason::kForbidden));
  EXPECT_THAT(Call(&Stub::ChangeConfig, admin::v1::ChangeConfigRequest(), false),
              HasReason(Reason::kForbidden));
  EXPECT_EQ(parked_.ids.size(), 1u);
  grpc::ClientContext context;
  admin::v1::ListParkedResponse response;
  EXPECT_THAT(rpc::FromGrpc(stub_->ListParked(&context, {}, &response)),
              HasReason(Reason::kUnauthenticated));
}

TEST_F(AdminServiceTest, PayloadsComeOnlyWhenAskedFor) {
  parked_.ids = {7};
  admin::v1::ListParkedRequest request;
  ASSERT_OK_AND_ASSIGN(const auto bare, Call(&Stub::ListParked, request));
  ASSERT_EQ(bare.groups_size(), 1);
  EXPECT_EQ(bare.groups(0).id(), 7);
  EXPECT_EQ(bare.groups(0).reason(), "already_exists");
  EXPECT_EQ(bare.groups(0).stored_ms(), 1000);
  EXPECT_EQ(bare.groups(0).parked_ms(), 2000);
  EXPECT_EQ(bare.groups(0).operations(0).operation().op_id(), "op-7");
  EXPECT_EQ(bare.groups(0).operations(0).user_id(), "ada");
  EXPECT_EQ(bare.groups(0).operations(0).operation().data(), "");
  request.set_with_payload(true);
  ASSERT_OK_AND_ASSIGN(const auto whole, Call(&Stub::ListParked, request));
  EXPECT_EQ(whole.groups(0).operations(0).operation().data(), "xxxxxxxxxx");
}

TEST_F(AdminServiceTest, PagesEndAtTheirLimits) {
  for (int64_t id = 1; id <= 5; ++id) parked_.ids.insert(id);
  admin::v1::ListParkedRequest request;
  request.set_limit(4);
  ASSERT_OK_AND_ASSIGN(const auto page, Call(&Stub::ListParked, request));
  EXPECT_EQ(page.groups_size(), 4);
  request.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(const auto last, Call(&Stub::ListParked, request));
  EXPECT_EQ(last.groups_size(), 1);
  EXPECT_EQ(last.next_page_token(), "");
  request.clear_page_token();
  request.set_limit(5);
  ASSERT_OK_AND_ASSIGN(const auto exact, Call(&Stub::ListParked, request));
  EXPECT_EQ(exact.groups_size(), 5);
  EXPECT_EQ(exact.next_page_token(), "");
  for (const bool with_payload : {false, true}) {
    request.set_with_payload(with_payload);
    parked_.bytes = kParkedPageBytesMax / 2 - 1000;
    ASSERT_OK_AND_ASSIGN(const auto large, Call(&Stub::ListParked, request));
    EXPECT_EQ(large.groups_size(), 2);
    EXPECT_EQ(large.next_page_token(), "2");
    parked_.bytes = kParkedPageBytesMax / 2 + 1000;
    ASSERT_OK_AND_ASSIGN(const auto larger, Call(&Stub::ListParked, request));
    EXPECT_EQ(larger.groups_size(), 1);
    EXPECT_EQ(larger.next_page_token(), "1");
  }
  request.set_limit(kParkedPageMax + 1);
  EXPECT_THAT(Call(&Stub::ListParked, request), HasReason(Reason::kInvalidArgument));
  request.set_limit(1);
  request.set_page_token("x");
  EXPECT_THAT(Call(&Stub::ListParked, request), HasReason(Reason::kInvalidArgument));
}

TEST_F(AdminServiceTest, RetryAndDiscardTellWhatBecameOfEachAndAreAudited) {
  parked_.ids = {1, 2};
  admin::v1::RetryParkedRequest retry;
  retry.add_ids(1);
  retry.add_ids(9);
  ASSERT_OK_AND_ASSIGN(const auto retried, Call(&Stub::RetryParked, retry));
  EXPECT_THAT(retried.retried(), ElementsAre(1));
  EXPECT_THAT(retried.not_found(), ElementsAre(9));
  admin::v1::DiscardParkedRequest discard;
  discard.add_ids(2);
  ASSERT_OK_AND_ASSIGN(const auto discarded, Call(&Stub::DiscardParked, discard));
  EXPECT_THAT(discarded.discarded(), ElementsAre(2));
  EXPECT_THAT(log_.lines(),
              AllOf(Contains(AllOf(HasSubstr("retried"), HasSubstr(R"("user_id":"root")"),
                                   HasSubstr(R"("ids":"1,9")"))),
                    Contains(AllOf(HasSubstr("discarded"), HasSubstr(R"("request_id":"r-1")")))));
  discard.clear_ids();
  EXPECT_THAT(Call(&Stub::DiscardParked, discard), HasReason(Reason::kInvalidArgument));
  for (int i = 0; i <= kParkedIdsMax; ++i) discard.add_ids(i);
  EXPECT_THAT(Call(&Stub::DiscardParked, discard), HasReason(Reason::kInvalidArgument));
}

TEST_F(AdminServiceTest, ConfigurationIsChangedAndAudited) {
  admin::v1::ChangeConfigRequest request;
  (*request.mutable_values())["monitoring.log_level"] = "debug";
  ASSERT_OK_AND_ASSIGN(const auto response, Call(&Stub::ChangeConfig, request));
  EXPECT_EQ(response.values().at("monitoring.log_level"), "debug");
  EXPECT_EQ(changed_.at("monitoring.log_level"), "debug");
  EXPECT_THAT(log_.lines(), Contains(AllOf(HasSubstr("monitoring.log_level=debug"),
                                           HasSubstr(R"("user_id":"root")"))));
  (*request.mutable_values())["bad"] = "hush";  // As a secret that was given by mistake.
  EXPECT_THAT(Call(&Stub::ChangeConfig, request), HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(log_.lines(), Contains(AllOf(HasSubstr("not changed"), HasSubstr("bad,"))));
  EXPECT_THAT(log_.lines(), Not(Contains(HasSubstr("hush"))));
}

TEST_F(AdminServiceTest, BeforeTheGatewayServesItIsUnavailable) {
  service_.Serve(nullptr);
  EXPECT_THAT(Call(&Stub::ListParked, admin::v1::ListParkedRequest()),
              HasReason(Reason::kUnavailable));
}

}  // namespace
}  // namespace bdcsync::gateway
