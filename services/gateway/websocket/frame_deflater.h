// Compresses whole messages for connections that agreed on permessage-deflate (RFC 7692): each by
// itself, without what came before (no context takeover), so that one compressor serves all
// connections of a loop and a frame that goes to many is compressed once. One loop.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "services/gateway/session/frame.h"
#include "services/gateway/session/frame_variants.h"

namespace bdcsync::gateway {

class TransportMetrics;

class FrameDeflater {
 public:
  explicit FrameDeflater(TransportMetrics& metrics);
  ~FrameDeflater();
  FrameDeflater(const FrameDeflater&) = delete;
  FrameDeflater& operator=(const FrameDeflater&) = delete;

  // `frame` with its payload compressed, or itself where that does not make it smaller.
  SharedFrame Deflate(const SharedFrame& frame);
  // The same, remembered for others that it goes to.
  SharedFrame DeflateShared(const SharedFrame& frame);

 private:
  struct Stream;

  TransportMetrics& metrics_;
  std::unique_ptr<Stream> stream_;  // Made when it is first needed.
  FrameVariants deflated_;
};

// Whether a response header that agrees on permessage-deflate leaves the window that the compressor
// uses; a client may ask for a smaller one, and then gets messages as they are. Pure.
bool AllowsDeflate(absl::string_view extensions);

}  // namespace bdcsync::gateway
