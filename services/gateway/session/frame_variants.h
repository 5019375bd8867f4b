// What recent shared frames became in another form (protobuf, compressed), so that a frame that
// goes to many sessions of a loop is changed once. Keeps a bounded number of frames and bytes
// alive. One loop.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "services/gateway/session/frame.h"

namespace bdcsync::gateway {

class FrameVariants {
 public:
  // Frames of one turn of fan-out to sessions with different subscriptions.
  static constexpr size_t kFramesMax = 16;
  // Of both forms together; a larger frame is changed each time.
  static constexpr size_t kBytesMax = 4 << 20;

  // The other form of `frame`: `make(frame)`, or what that gave before.
  template <typename Make>
  SharedFrame Of(const SharedFrame& frame, Make make) {
    for (auto known = recent_.rbegin(); known != recent_.rend(); ++known) {
      if (known->first == frame) return known->second;
    }
    SharedFrame variant = make(frame);
    bytes_ += frame->size() + variant->size();
    recent_.emplace_back(frame, variant);
    while (recent_.size() > kFramesMax || bytes_ > kBytesMax) {
      bytes_ -= recent_.front().first->size() + recent_.front().second->size();
      recent_.pop_front();
    }
    return variant;
  }

 private:
  std::deque<std::pair<SharedFrame, SharedFrame>> recent_;
  size_t bytes_ = 0;
};

}  // namespace bdcsync::gateway
