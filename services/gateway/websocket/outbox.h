// The outgoing queue of one connection: whole frames in order, handed to the socket as one gather
// write after the other, of which any number of bytes may be taken. Not thread-safe.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "services/gateway/session/frame.h"

namespace bdcsync::gateway {

class Outbox {
 public:
  // The most that one write offers the socket, so that one connection does not hold up the loop.
  static constexpr size_t kWriteVectorsMax = 64;
  static constexpr size_t kWriteBytesMax = 256 << 10;

  void Push(SharedFrame frame);
  bool empty() const { return bytes_ == 0; }
  // Queued and not consumed.
  size_t bytes() const { return bytes_; }
  // Points `vectors` at the bytes to write next; returns how many it filled. Valid until the next
  // change.
  size_t Gather(absl::Span<iovec> vectors) const;
  // The first `bytes` have left.
  void Consume(size_t bytes);
  // Drops everything but a frame of which a part has left already.
  void DropUnsent();

 private:
  std::vector<SharedFrame> frames_;  // Those before first_ have left.
  size_t first_ = 0;
  size_t offset_ = 0;  // Bytes of the first frame that have left.
  size_t bytes_ = 0;
};

}  // namespace bdcsync::gateway
