#include "services/gateway/websocket/frame_deflater.h"

#include <zlib.h>

#include <cstddef>
#include <new>

#include "absl/strings/match.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace {

// The compressor of a loop holds 256 KiB: (1 << (15 + 2)) + (1 << (8 + 9)).
constexpr int kWindowBits = 15;
constexpr int kMemoryLevel = 8;
// The quickest: 4 KiB of changes get to 0.37 of their size, 280 KiB to 0.25. Level 6 saves an
// eighth of that more and takes 2.6 times as long.
constexpr int kLevel = Z_BEST_SPEED;
// What a flush ends with and permessage-deflate leaves out.
constexpr size_t kFlushTailBytes = 4;
// What a flush may need beyond what deflateBound says.
constexpr size_t kFlushBytesMax = 16;

}  // namespace

struct FrameDeflater::Stream {
  Stream() {
    // A raw stream, without a header.
    if (deflateInit2(&zlib, kLevel, Z_DEFLATED, -kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Stream() { deflateEnd(&zlib); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream zlib = {};
};

FrameDeflater::FrameDeflater(TransportMetrics& metrics) : metrics_(metrics) {}
FrameDeflater::~FrameDeflater() = default;

SharedFrame FrameDeflater::Deflate(const SharedFrame& frame) {
  if (stream_ == nullptr) stream_ = std::make_unique<Stream>();
  z_stream& zlib = stream_->zlib;
  const absl::string_view payload = PayloadOf(*frame);
  std::string out(deflateBound(&zlib, payload.size()) + kFlushBytesMax, '\0');
  // zlib does not write through the pointer.
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(payload.data()));
  zlib.avail_in = static_cast<uInt>(payload.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  const int done = deflate(&zlib, Z_SYNC_FLUSH);
  const size_t bytes = out.size() - zlib.avail_out;
  const bool complete = done == Z_OK && zlib.avail_in == 0 && zlib.avail_out > 0;
  deflateReset(&zlib);
  metrics_.uncompressed_bytes.Add(static_cast<double>(payload.size()));
  if (!complete || bytes < kFlushTailBytes || bytes - kFlushTailBytes >= payload.size()) {
    metrics_.compressed_bytes.Add(static_cast<double>(payload.size()));
    return frame;
  }
  out.resize(bytes - kFlushTailBytes);
  metrics_.compressed_bytes.Add(static_cast<double>(out.size()));
  auto deflated = std::make_shared<std::string>();
  deflated->reserve(kFrameHeaderBytesMax + out.size());
  AppendFrameHeader(static_cast<char>(frame->front() | kCompressedBit), out.size(), *deflated);
  deflated->append(out);
  return deflated;
}

SharedFrame FrameDeflater::DeflateShared(const SharedFrame& frame) {
  return deflated_.Of(frame, [this](const SharedFrame& plain) { return Deflate(plain); });
}

bool AllowsDeflate(absl::string_view extensions) {
  return absl::StrContains(extensions, "permessage-deflate") &&
         (!absl::StrContains(extensions, "server_max_window_bits") ||
          absl::StrContains(extensions, "server_max_window_bits=15"));
}

}  // namespace bdcsync::gateway
