#include "libs/base/hash.h"

#include <algorithm>
#include <cstddef>

namespace bdcsync {
namespace {

constexpr size_t kWordBytes = 8;

// The last mixer of MurmurHash3.
uint64_t Finish(uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdull;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ull;
  hash ^= hash >> 33;
  return hash;
}

// The first eight bytes, or as many as there are, the same on every machine.
uint64_t LittleEndian(absl::string_view bytes) {
  const auto byte = [bytes](size_t i) {
    return uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  };
  if (bytes.size() >= kWordBytes) {  // One load.
    return byte(0) | byte(1) | byte(2) | byte(3) | byte(4) | byte(5) | byte(6) | byte(7);
  }
  uint64_t word = 0;
  for (size_t i = 0; i < bytes.size(); ++i) word |= byte(i);
  return word;
}

}  // namespace

uint64_t StableHash64(absl::string_view bytes, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325ull ^ seed;
  for (const char c : bytes) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3ull;
  }
  return Finish(hash);
}

uint64_t StableHash64OfText(absl::string_view bytes, uint64_t seed) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995ull;
  uint64_t hash = seed ^ (bytes.size() * kMultiplier);
  while (!bytes.empty()) {
    uint64_t word = LittleEndian(bytes) * kMultiplier;
    word ^= word >> 47;
    hash = (hash ^ (word * kMultiplier)) * kMultiplier;
    bytes.remove_prefix(std::min(bytes.size(), kWordBytes));
  }
  return Finish(hash);
}

}  // namespace bdcsync
