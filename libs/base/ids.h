// Random bits and the ids made of them, injected so that tests can repeat a run. Thread-safe.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace bdcsync {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Bits64() = 0;
  // Uniform in [0, 1); for jitter.
  double Fraction() { return static_cast<double>(Bits64() >> 11) * 0x1.0p-53; }
};

// Seeded by the operating system; fit for ids, not for keys.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  uint64_t Bits64() override;

 private:
  absl::Mutex mutex_;
  std::mt19937_64 engine_ ABSL_GUARDED_BY(mutex_);
};

// The same bits for the same seed; for tests.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  uint64_t Bits64() override;

 private:
  absl::Mutex mutex_;
  std::mt19937_64 engine_ ABSL_GUARDED_BY(mutex_);
};

// A random UUID (RFC 9562, version 4) in lower case.
std::string MakeUuid(Random& random);
// A UUID that begins with the time in milliseconds (version 7), in lower case: later ones sort
// behind, so an index over them grows at its end.
std::string MakeTimeOrderedUuid(absl::Time now, Random& random);
// 16 lower-case hexadecimal digits of `bits`.
std::string Hex64(uint64_t bits);
// The inverse of Hex64. False unless `text` is exactly 16 lower-case hexadecimal digits.
bool ParseHex64(absl::string_view text, uint64_t& bits);

}  // namespace bdcsync
