#include "libs/rpc/callback_threads.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "absl/synchronization/notification.h"
#include "libs/rpc/channels.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

// A call that nobody answers, with the last reference of the channel it goes through.
struct Call {
  explicit Call(std::shared_ptr<grpc::Channel> channel) : stub(std::move(channel)) {}

  grpc::GenericStub stub;
  grpc::ClientContext context;
  grpc::Slice nothing;
  grpc::ByteBuffer request{&nothing, 1};
  grpc::ByteBuffer response;
};

// A process of its own: any other server would keep the threads too.
TEST(CallbackThreadsTest, TheLastChannelMayBeLetGoOfByACallback) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_OK_AND_ASSIGN(std::shared_ptr<grpc::Channel> channel, Dial("127.0.0.1:1", {}));
    auto* const call = new Call(std::move(channel));
    absl::Notification done;
    call->stub.UnaryCall(&call->context, "/bdcsync.rpc.Nobody/Nothing", grpc::StubOptions(),
                         &call->request, &call->response, [call, &done](const grpc::Status&) {
                           delete call;
                           done.Notify();
                         });
    done.WaitForNotification();
  }
}

}  // namespace
}  // namespace bdcsync::rpc
