#include "libs/base/ids.h"

#include "absl/strings/str_format.h"

namespace bdcsync {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

}  // namespace

SystemRandom::SystemRandom() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(),
                     device(), device(), device(), device()};
  engine_.seed(seed);
}

uint64_t SystemRandom::Bits64() {
  absl::MutexLock lock(&mutex_);
  return engine_();
}

uint64_t SeededRandom::Bits64() {
  absl::MutexLock lock(&mutex_);
  return engine_();
}

namespace {

// The bits that say version and variant are written over.
std::string UuidOf(uint64_t high, uint64_t version, uint64_t low) {
  const std::string h = Hex64((high & ~0xf000ull) | version << 12);
  const std::string l = Hex64((low & 0x3fffffffffffffffull) | 0x8000000000000000ull);
  return h.substr(0, 8) + '-' + h.substr(8, 4) + '-' + h.substr(12, 4) + '-' + l.substr(0, 4) +
         '-' + l.substr(4, 12);
}

}  // namespace

std::string Hex64(uint64_t bits) {
  std::string text(16, '0');
  for (int i = 15; i >= 0; --i, bits >>= 4) text[i] = kDigits[bits & 0xf];
  return text;
}

bool ParseHex64(absl::string_view text, uint64_t& bits) {
  if (text.size() != 16) return false;
  uint64_t value = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<uint64_t>(c - 'a' + 10);
    } else {
      return false;
    }
  }
  bits = value;
  return true;
}

std::string MakeUuid(Random& random) {
  const uint64_t high = random.Bits64();
  return UuidOf(high, 4, random.Bits64());
}

std::string MakeTimeOrderedUuid(absl::Time now, Random& random) {
  const auto time_ms = static_cast<uint64_t>(absl::ToUnixMillis(now));
  const uint64_t high = time_ms << 16 | (random.Bits64() & 0xfff);
  return UuidOf(high, 7, random.Bits64());
}

}  // namespace bdcsync
