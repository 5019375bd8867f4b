// How an event's data is kept in a row: as it is, or compressed when that is smaller. Readers of
// the storage never see the difference. A codec holds compression state: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bdcsync::event_store {

enum class Codec : int16_t { kRaw = 0, kZstd = 1 };

// Smaller data is not worth the time.
inline constexpr std::size_t kCompressBytesMin = 2048;

class DataCodec {
 public:
  DataCodec();
  ~DataCodec();

  struct Encoded {
    Codec codec;
    absl::string_view bytes;  // Of the input or of the codec, until the next Encode.
  };
  Encoded Encode(absl::string_view data);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// DATA_LOSS when the bytes are not what Encode made.
absl::StatusOr<std::string> DecodeData(Codec codec, std::string bytes);

}  // namespace bdcsync::event_store
