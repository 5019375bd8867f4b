#include "libs/rpc/call_streams.h"

#include <utility>

#include "absl/time/time.h"
#include "libs/rpc/stream_pool.h"
#include "libs/rpc/streamed_call.h"

namespace bdcsync::rpc {
namespace {

// Streams end soon once they are cancelled.
constexpr absl::Duration kStreamsEndMax = absl::Seconds(5);

}  // namespace

CallStreams::CallStreams(StreamAddress address)
    : pool_(std::make_shared<StreamPool>(std::move(address))) {}

CallStreams::~CallStreams() {
  pool_->Close();
  for (const auto& call : pool_->calls().Close()) static_cast<StreamedCall&>(*call).TryCancel();
  pool_->AwaitEnd(kStreamsEndMax);
}

}  // namespace bdcsync::rpc
