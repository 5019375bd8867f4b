// The client's calls over real gRPC, against a small SyncService.
#include <gmock/gmock.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "bdcsync/sync/v1/sync.grpc.pb.h"
#include "clients/cli/connection_error.h"
#include "clients/cli/sync_client.h"
#include "libs/base/errors.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::cli {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Answers GetStatus with the caller's token as version, refuses Diff, and sends three cursors to a
// watch.
class SmallService final : public v1::SyncService::Service {
 public:
  grpc::Status GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest*,
                         v1::GetStatusResponse* response) override {
    const auto found = context->client_metadata().find("authorization");
    if (found != context->client_metadata().end()) {
      response->set_version(std::string(found->second.data(), found->second.size()));
    }
    return grpc::Status();
  }
  grpc::Status Diff(grpc::ServerContext*, const v1::DiffRequest*, v1::DiffResponse*) override {
    return rpc::ToGrpc(MakeErrorAt(Reason::kBaseNotFound, "from", "no such version"));
  }
  grpc::Status Watch(grpc::ServerContext*, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    for (int i = 1; i <= 3; ++i) {
      v1::WatchResponse message;
      message.set_cursor(absl::StrCat(request->cursor(), i));
      if (!writer->Write(message)) break;
    }
    return rpc::ToGrpc(MakeError(Reason::kUnavailable, "draining"));
  }
};

class GrpcSyncClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    ASSERT_OK_AND_ASSIGN(client_, DialSync({.address = absl::StrCat("127.0.0.1:", port_),
                                            .token = [this] { return token_; }}));
  }

  std::string token_ = "t0ken";
  int port_ = 0;
  SmallService service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<SyncClient> client_;
};

TEST_F(GrpcSyncClientTest, EachCallCarriesTheTokenOfItsMoment) {
  ASSERT_OK_AND_ASSIGN(const auto first, client_->GetStatus());
  EXPECT_EQ(first.version(), "Bearer t0ken");
  token_ = "next";
  ASSERT_OK_AND_ASSIGN(const auto second, client_->GetStatus());
  EXPECT_EQ(second.version(), "Bearer next");
  token_ = "";
  ASSERT_OK_AND_ASSIGN(const auto third, client_->GetStatus());
  EXPECT_EQ(third.version(), "");
}

TEST_F(GrpcSyncClientTest, ARefusalKeepsItsReasonAndPlace) {
  const auto diff = client_->Diff(v1::DiffRequest());
  EXPECT_THAT(diff, HasReason(Reason::kBaseNotFound));
  EXPECT_EQ(PathOf(diff.status()), "from");
}

TEST_F(GrpcSyncClientTest, AMessageThatIsTooLargeForGrpcIsToldAsThat) {
  v1::DiffRequest request;
  for (const size_t bytes :
       {size_t{5} << 20, size_t{17} << 20}) {  // For the server, for ourselves.
    request.set_from_version_id(std::string(bytes, 'x'));
    const absl::Status status = client_->Diff(request).status();
    EXPECT_THAT(status, HasReason(Reason::kTooLarge));
    EXPECT_FALSE(IsNotConnected(status));
  }
}

TEST_F(GrpcSyncClientTest, AWatchHandsOutItsMessagesAndSaysWhyItEnded) {
  std::vector<std::string> cursors;
  v1::WatchRequest request;
  request.set_cursor("c");
  const auto note = [&](const v1::WatchResponse& message) {
    cursors.push_back(message.cursor());
    return true;
  };
  const absl::Status ended = client_->Watch(request, note);
  EXPECT_THAT(ended, HasReason(Reason::kUnavailable));
  EXPECT_FALSE(IsNotConnected(ended)) << "its server has answered";
  EXPECT_THAT(cursors, ElementsAre("c1", "c2", "c3"));
}

TEST_F(GrpcSyncClientTest, AWatchEndsWhenItsReaderHasEnough) {
  int messages = 0;
  EXPECT_OK(client_->Watch(v1::WatchRequest(), [&](const v1::WatchResponse&) {
    ++messages;
    return false;
  }));
  EXPECT_EQ(messages, 1);
}

TEST_F(GrpcSyncClientTest, AConnectionThatBreaksUnderACallHasBeenThere) {
  const auto drop = [this](const v1::WatchResponse&) {
    server_->Shutdown(std::chrono::system_clock::time_point::min());
    return true;
  };
  // The service's own end comes first, or the connection's; either way it was there.
  EXPECT_FALSE(IsNotConnected(client_->Watch(v1::WatchRequest(), drop)));
}

TEST_F(GrpcSyncClientTest, AServerThatIsNotThereIsUnavailable) {
  server_->Shutdown();
  server_.reset();
  const absl::Status status = client_->GetStatus().status();
  EXPECT_THAT(status, HasReason(Reason::kUnavailable));
  EXPECT_TRUE(IsNotConnected(status));
  EXPECT_TRUE(IsNotConnected(client_->desk().ListConflicts({}).status()));
  EXPECT_THAT(client_->Watch(v1::WatchRequest(), [](const v1::WatchResponse&) { return true; }),
              HasReason(Reason::kUnavailable));
}

TEST(DialSync, AFileOfCertificatesIsNamedAsItWasGiven) {
  const auto client = DialSync({.address = "localhost:1", .tls_ca_file = "/no/such/file.pem"});
  EXPECT_THAT(std::string(client.status().message()), HasSubstr("--tls-ca"));
  EXPECT_THAT(std::string(client.status().message()), HasSubstr("/no/such/file.pem"));
}

}  // namespace
}  // namespace bdcsync::cli
