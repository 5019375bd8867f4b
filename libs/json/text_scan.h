// Texts several bytes at a time: which of their bytes JSON writes in another way, and copies of
// short ones. Internal to libs/json. Thread-safe.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bdcsync::json {

enum class Plain {
  kAnyUtf8,  // No quote, no backslash, nothing below space.
  kAscii,    // Nor a byte of a longer UTF-8 sequence.
};

template <Plain kPlain>
constexpr bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && c != '"' && c != '\\' && (kPlain == Plain::kAnyUtf8 || byte < 0x80);
}

// The high bit of each byte that is not plain, up to the lowest such byte: bytes above it may have
// theirs set too (the usual carry tricks).
template <Plain kPlain>
constexpr uint64_t NotPlain(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  constexpr uint64_t kHighs = 0x8080808080808080u;
  const auto zeros = [](uint64_t bytes) { return (bytes - kOnes) & ~bytes & kHighs; };
  const uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
  const uint64_t marks = below_space | zeros(word ^ (kOnes * '"')) | zeros(word ^ (kOnes * '\\'));
  return kPlain == Plain::kAscii ? marks | (word & kHighs) : marks;
}

// The place of the lowest byte that `marks` of NotPlain mark.
static_assert(std::endian::native == std::endian::little);
inline size_t FirstMarked(uint64_t marks) {
  return static_cast<size_t>(std::countr_zero(marks)) / 8;
}

inline uint64_t LoadWord(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// Texts are mostly short: a call of memcmp costs more than its work.
inline bool SameBytes(const char* a, const char* b, size_t size) {
  const auto same = [&]<typename Word>(Word) {  // Two words that may overlap.
    const auto load = [](const char* bytes) {
      Word word;
      std::memcpy(&word, bytes, sizeof(word));
      return word;
    };
    const size_t last = size - sizeof(Word);
    return ((load(a) ^ load(b)) | (load(a + last) ^ load(b + last))) == 0;
  };
  if (size > 2 * sizeof(uint64_t)) return std::memcmp(a, b, size) == 0;
  if (size >= sizeof(uint64_t)) return same(uint64_t{});
  if (size >= sizeof(uint32_t)) return same(uint32_t{});
  if (size >= sizeof(uint16_t)) return same(uint16_t{});
  return size == 0 || *a == *b;
}

// Of up to 16 bytes: two words that may overlap, in place of a call.
inline void CopyShort(const char* from, size_t size, char* to) {
  const auto copy = [&]<typename Word>(Word) {
    Word head;
    Word tail;
    std::memcpy(&head, from, sizeof(Word));
    std::memcpy(&tail, from + size - sizeof(Word), sizeof(Word));
    std::memcpy(to, &head, sizeof(Word));
    std::memcpy(to + size - sizeof(Word), &tail, sizeof(Word));
  };
  if (size >= sizeof(uint64_t)) return copy(uint64_t{});
  if (size >= sizeof(uint32_t)) return copy(uint32_t{});
  if (size >= sizeof(uint16_t)) return copy(uint16_t{});
  if (size == 1) *to = *from;
}

// The last eight bytes of a text, or all of a shorter one: some of them twice, spaces for the rest.
inline uint64_t LoadLast(const char* text, size_t size) {
  if (size >= 8) return LoadWord(text + size - 8);
  const auto load = [text]<typename Half>(Half, size_t at) {
    Half half;
    std::memcpy(&half, text + at, sizeof(half));
    return uint64_t{half};
  };
  if (size >= 4) return load(uint32_t{}, 0) | load(uint32_t{}, size - 4) << 32;
  constexpr uint64_t kSpaces = 0x2020202020202020u;
  if (size >= 2) return load(uint16_t{}, 0) | load(uint16_t{}, size - 2) << 16 | kSpaces << 32;
  return size == 1 ? load(uint8_t{}, 0) | kSpaces << 8 : kSpaces;
}

#if defined(__SSE2__)
inline constexpr size_t kBlockBytes = 16;

inline __m128i LoadBlock(const char* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

// A bit for each byte that is not plain.
template <Plain kPlain>
uint32_t NotPlain(__m128i block) {
  const __m128i quotes = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslashes = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  // Signed, bytes from 0x80 on are below space too.
  const __m128i others = kPlain == Plain::kAscii
                             ? _mm_cmplt_epi8(block, _mm_set1_epi8(0x20))
                             : _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  const __m128i marks = _mm_or_si128(_mm_or_si128(quotes, backslashes), others);
  return static_cast<uint32_t>(_mm_movemask_epi8(marks));
}
inline size_t FirstMarked(uint32_t marks) { return static_cast<size_t>(std::countr_zero(marks)); }
#else
inline constexpr size_t kBlockBytes = 8;

inline uint64_t LoadBlock(const char* bytes) { return LoadWord(bytes); }
#endif

// How many bytes from `begin` on are plain.
template <Plain kPlain>
size_t PlainPrefix(const char* begin, const char* end) {
  const char* at = begin;
  for (; end - at >= static_cast<std::ptrdiff_t>(kBlockBytes); at += kBlockBytes) {
    const auto marks = NotPlain<kPlain>(LoadBlock(at));
    if (marks != 0) return static_cast<size_t>(at - begin) + FirstMarked(marks);
  }
  for (; end - at >= 8; at += 8) {
    const uint64_t marks = NotPlain<kPlain>(LoadWord(at));
    if (marks != 0) return static_cast<size_t>(at - begin) + FirstMarked(marks);
  }
  while (at < end && IsPlain<kPlain>(*at)) ++at;
  return static_cast<size_t>(at - begin);
}

}  // namespace bdcsync::json
