// Calls of a peer on streams that stay: after the first call of a method the next ones cost a
// message each way instead of a call of gRPC's. A call has a stream for itself while it lasts: it
// takes a free one or opens one, so none waits behind another and an answer needs no number. What
// ends a stream ends its call: UNAVAILABLE, or the status that the service gave. Made by client.h.
// Thread-safe.
#pragma once

#include <memory>

namespace grpc {
class Channel;
}  // namespace grpc

namespace bdcsync::rpc {

class StreamPool;

class CallStreams {
 public:
  explicit CallStreams(std::shared_ptr<grpc::Channel> channel);
  // Ends all streams, and answers what is in flight with CANCELLED. Waits until the streams have
  // ended, so not on a thread of gRPC's.
  ~CallStreams();
  CallStreams(const CallStreams&) = delete;
  CallStreams& operator=(const CallStreams&) = delete;

 private:
  friend class StreamedCall;
  const std::shared_ptr<StreamPool>
      pool_;  // Shared with streams and calls, which end when they can.
};

}  // namespace bdcsync::rpc
