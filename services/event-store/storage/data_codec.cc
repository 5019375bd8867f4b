#include "services/event-store/storage/data_codec.h"

#include <zstd.h>

#include "services/event-store/limits.h"

namespace bdcsync::event_store {
namespace {

constexpr int kLevel = 1;  // The commit waits for it.

}  // namespace

// Made for the first data that is large enough: making it takes longer than a small commit's rest.
struct DataCodec::State {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  std::string buffer;
  ~State() { ZSTD_freeCCtx(context); }
};

DataCodec::DataCodec() = default;
DataCodec::~DataCodec() = default;

DataCodec::Encoded DataCodec::Encode(absl::string_view data) {
  if (data.size() < kCompressBytesMin) return {Codec::kRaw, data};
  if (state_ == nullptr) state_ = std::make_unique<State>();
  state_->buffer.resize(ZSTD_compressBound(data.size()));
  const std::size_t size =
      ZSTD_compressCCtx(state_->context, state_->buffer.data(), state_->buffer.size(), data.data(),
                        data.size(), kLevel);
  if (ZSTD_isError(size) || size >= data.size()) return {Codec::kRaw, data};
  return {Codec::kZstd, absl::string_view(state_->buffer.data(), size)};
}

absl::StatusOr<std::string> DecodeData(Codec codec, std::string bytes) {
  if (codec == Codec::kRaw) return bytes;
  if (codec != Codec::kZstd) return absl::DataLossError("event data has an unknown codec");
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size > static_cast<unsigned long long>(kSnapshotBytesMax)) {  // Also both error values.
    return absl::DataLossError("event data has no credible size");
  }
  std::string data(size, '\0');
  const std::size_t got = ZSTD_decompress(data.data(), data.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(got) || got != data.size()) {
    return absl::DataLossError("event data cannot be decompressed");
  }
  return data;
}

}  // namespace bdcsync::event_store
