// A resolver over gRPC, against a service in this process.
#include "services/conflict/remote/resolver_endpoint_client.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "bdcsync/resolver/v1/resolver.grpc.pb.h"
#include "libs/base/call_trace.h"
#include "libs/rpc/channels.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::conflict {
namespace {

using resolver::v1::ResolveRequest;
using resolver::v1::ResolveResponse;

// Answers the first place with the call's request id; never, when the resolver's name is "slow".
class FakeService final : public resolver::v1::ConflictResolverService::Service {
 public:
  grpc::Status Resolve(grpc::ServerContext* context, const ResolveRequest* request,
                       ResolveResponse* response) override {
    if (request->resolver() == "slow") stop.WaitForNotification();
    const auto id = context->client_metadata().find("x-request-id");
    std::string& value = *response->add_answers()->mutable_value();
    if (id != context->client_metadata().end()) value.assign(id->second.data(), id->second.size());
    return grpc::Status::OK;
  }

  absl::Notification stop;
};

class ResolverEndpointClientTest : public ::testing::Test {
 protected:
  ResolverEndpointClientTest() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  ~ResolverEndpointClientTest() override {
    if (!service_.stop.HasBeenNotified()) service_.stop.Notify();
    server_->Shutdown();
  }
  absl::StatusOr<ResolveResponse> Ask(const std::string& resolver, absl::Duration timeout) {
    const auto channel = rpc::Dial(address_, {});
    if (!channel.ok()) return channel.status();
    ResolverEndpointClient client(*channel);
    ResolveRequest request;
    request.set_resolver(resolver);
    absl::StatusOr<ResolveResponse> answer;
    absl::Notification done;
    client.Resolve(std::move(request), timeout, [&](absl::StatusOr<ResolveResponse> response) {
      answer = std::move(response);
      done.Notify();
    });
    done.WaitForNotification();
    return answer;
  }

  FakeService service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(ResolverEndpointClientTest, BringsTheAnswerAndPassesTheRequestIdOn) {
  const CallScope scope({.request_id = "req-1"});
  ASSERT_OK_AND_ASSIGN(const ResolveResponse response, Ask("quick", absl::Seconds(30)));
  EXPECT_EQ(response.answers(0).value(), "req-1");
}

TEST_F(ResolverEndpointClientTest, EndsAtTheDeadline) {
  EXPECT_TRUE(absl::IsDeadlineExceeded(Ask("slow", absl::Milliseconds(20)).status()));
}

TEST_F(ResolverEndpointClientTest, SaysThatNobodyIsThere) {
  server_->Shutdown();
  EXPECT_TRUE(absl::IsUnavailable(Ask("quick", absl::Seconds(30)).status()));
}

}  // namespace
}  // namespace bdcsync::conflict
