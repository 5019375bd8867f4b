// Calls of a peer on streams that stay: connections of their own (framed_socket.h) on which a call
// is a message each way and nothing else. A call has a stream for itself while it lasts: it takes a
// free one or opens one, so none waits behind another and an answer needs no number. What ends a
// stream ends its call: UNAVAILABLE. Made by client.h. Thread-safe.
#pragma once

#include <memory>

#include "libs/rpc/stream_address.h"

namespace bdcsync::rpc {

class StreamPool;

class CallStreams {
 public:
  explicit CallStreams(StreamAddress address);
  // Ends all streams, and answers what is in flight with CANCELLED. Waits until the streams have
  // ended, so not on the thread of a loop.
  ~CallStreams();
  CallStreams(const CallStreams&) = delete;
  CallStreams& operator=(const CallStreams&) = delete;

 private:
  friend class StreamedCall;
  const std::shared_ptr<StreamPool>
      pool_;  // Shared with streams and calls, which end when they can.
};

}  // namespace bdcsync::rpc
