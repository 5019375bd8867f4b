#include "libs/entity/key.h"

#include <array>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"

namespace bdcsync::entity {
namespace {

// Which bytes a name may hold.
class Alphabet {
 public:
  explicit constexpr Alphabet(const char* punctuation) {
    for (int c = '0'; c <= '9'; ++c) allowed_[c] = true;
    for (int c = 'a'; c <= 'z'; ++c) allowed_[c] = true;
    for (int c = 'A'; c <= 'Z'; ++c) allowed_[c] = true;
    for (; *punctuation != 0; ++punctuation) allowed_[static_cast<uint8_t>(*punctuation)] = true;
  }
  bool Spells(absl::string_view name) const {
    for (const char c : name) {
      if (!allowed_[static_cast<uint8_t>(c)]) return false;
    }
    return true;
  }

 private:
  std::array<bool, 256> allowed_{};
};

constexpr Alphabet kSpaceAlphabet("_.:@-");
constexpr Alphabet kTypeAlphabet("_.-");
constexpr Alphabet kBranchAlphabet("_./-");

absl::Status ValidateName(absl::string_view field, absl::string_view name, size_t bytes_max,
                          const Alphabet& alphabet, absl::string_view spelling) {
  if (!name.empty() && name.size() <= bytes_max && alphabet.Spells(name)) return absl::OkStatus();
  return MakeErrorAt(Reason::kInvalidArgument, field,
                     absl::StrCat(field, " must be 1 to ", bytes_max, " of ", spelling));
}

// The code point that starts at `text[0]`, and drops it from `text`; nothing when it is not UTF-8.
std::optional<uint32_t> NextCodePoint(absl::string_view& text) {
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const uint8_t lead = text[0];
  const size_t size = lead < 0x80   ? 1
                      : lead < 0xc2 ? 0
                      : lead < 0xe0 ? 2
                      : lead < 0xf0 ? 3
                      : lead < 0xf5 ? 4
                                    : 0;
  if (size == 0 || text.size() < size) return std::nullopt;
  uint32_t point = size == 1 ? lead : lead & (0xff >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    const uint8_t byte = text[i];
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    point = point << 6 | (byte & 0x3f);
  }
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  constexpr uint32_t kCodePointMax = 0x10ffff;
  if (point < kSmallest[size] || surrogate || point > kCodePointMax) return std::nullopt;
  text.remove_prefix(size);
  return point;
}

bool IsPrintableUtf8(absl::string_view text) {
  while (!text.empty()) {
    const std::optional<uint32_t> point = NextCodePoint(text);
    if (!point || *point < 0x20 || (*point >= 0x7f && *point < 0xa0)) return false;
  }
  return true;
}

}  // namespace

absl::Status ValidateSpace(absl::string_view space) {
  return ValidateName("space", space, kSpaceBytesMax, kSpaceAlphabet, "A-Z a-z 0-9 _ . : @ -");
}

absl::Status ValidateType(absl::string_view type) {
  return ValidateName("entity_type", type, kTypeBytesMax, kTypeAlphabet, "A-Z a-z 0-9 _ . -");
}

absl::Status ValidateBranch(absl::string_view branch) {
  return ValidateName("branch", branch, kBranchBytesMax, kBranchAlphabet, "A-Z a-z 0-9 _ . / -");
}

absl::Status ValidateId(absl::string_view id) {
  if (!id.empty() && id.size() <= kIdBytesMax && IsPrintableUtf8(id)) return absl::OkStatus();
  return MakeErrorAt(Reason::kInvalidArgument, "entity_id",
                     absl::StrCat("entity_id must be 1 to ", kIdBytesMax,
                                  " bytes of UTF-8 without control characters"));
}

absl::Status ValidateKey(const KeyView& key) {
  RETURN_IF_ERROR(ValidateSpace(key.space));
  RETURN_IF_ERROR(ValidateType(key.type));
  RETURN_IF_ERROR(ValidateId(key.id));
  return ValidateBranch(key.branch);
}

std::string StreamName(const KeyView& key) {
  return absl::StrCat(key.type, ":", key.branch, ":", key.id);
}

std::optional<KeyView> ParseStreamName(absl::string_view stream) {
  const size_t type_end = stream.find(':');
  if (type_end == absl::string_view::npos) return std::nullopt;
  const size_t branch_end = stream.find(':', type_end + 1);
  if (branch_end == absl::string_view::npos) return std::nullopt;
  KeyView key;
  key.type = stream.substr(0, type_end);
  key.branch = stream.substr(type_end + 1, branch_end - type_end - 1);
  key.id = stream.substr(branch_end + 1);
  if (!ValidateType(key.type).ok() || !ValidateBranch(key.branch).ok() ||
      !ValidateId(key.id).ok()) {
    return std::nullopt;
  }
  return key;
}

}  // namespace bdcsync::entity
