#include "services/gateway/websocket/outbox.h"

#include <algorithm>
#include <utility>

namespace bdcsync::gateway {
namespace {

// An idle connection keeps no more room than this.
constexpr size_t kFramesKept = 8;
// Frames that have left are taken off the front in bulk.
constexpr size_t kFramesLeftMax = 1024;

}  // namespace

void Outbox::Push(SharedFrame frame) {
  if (frame->empty()) return;
  bytes_ += frame->size();
  frames_.push_back(std::move(frame));
}

size_t Outbox::Gather(absl::Span<iovec> vectors) const {
  size_t count = 0;
  size_t offered = 0;
  size_t skip = offset_;
  for (size_t i = first_; i < frames_.size() && count < vectors.size(); ++i) {
    if (offered >= kWriteBytesMax) break;
    const std::string& frame = *frames_[i];
    // writev does not write through the pointer.
    vectors[count].iov_base = const_cast<char*>(frame.data() + skip);
    vectors[count].iov_len = std::min(frame.size() - skip, kWriteBytesMax - offered);
    offered += vectors[count].iov_len;
    ++count;
    skip = 0;
  }
  return count;
}

void Outbox::Consume(size_t bytes) {
  bytes_ -= bytes;
  while (bytes > 0) {
    SharedFrame& frame = frames_[first_];
    const size_t rest = frame->size() - offset_;
    if (bytes < rest) {
      offset_ += bytes;
      break;
    }
    bytes -= rest;
    offset_ = 0;
    frame.reset();
    ++first_;
  }
  if (first_ == frames_.size()) {
    first_ = 0;
    frames_.clear();
    if (frames_.capacity() > kFramesKept) std::vector<SharedFrame>().swap(frames_);
  } else if (first_ >= kFramesLeftMax) {
    frames_.erase(frames_.begin(), frames_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

void Outbox::DropUnsent() {
  if (empty()) return;
  frames_.resize(offset_ > 0 ? first_ + 1 : first_);
  bytes_ = offset_ > 0 ? frames_[first_]->size() - offset_ : 0;
}

}  // namespace bdcsync::gateway
