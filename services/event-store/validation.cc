#include "services/event-store/validation.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {
namespace {

absl::Status Invalid(absl::string_view path, absl::string_view message) {
  return MakeErrorAt(Reason::kInvalidArgument, path, message);
}
absl::Status TooLarge(absl::string_view path, int64_t bytes_max) {
  return MakeErrorAt(Reason::kTooLarge, path, absl::StrCat("at most ", bytes_max, " bytes"));
}

bool IsSpaceCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == ':' ||
         c == '@' || c == '-';
}

// How many bytes follow the first byte of a UTF-8 character; -1: it cannot be a first byte.
int ContinuationBytes(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  if (first >= 0xf0 && first <= 0xf4) return 3;
  return -1;
}

// Well-formed UTF-8 without NUL: what every storage takes as text.
bool IsText(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const int more = first == 0 ? -1 : ContinuationBytes(first);
    if (more < 0 || i + static_cast<std::size_t>(more) >= text.size()) return false;
    for (int k = 1; k <= more; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      unsigned char low = 0x80;
      unsigned char high = 0xbf;
      if (k == 1 && first == 0xe0) low = 0xa0;   // Overlong.
      if (k == 1 && first == 0xed) high = 0x9f;  // Surrogates.
      if (k == 1 && first == 0xf0) low = 0x90;   // Overlong.
      if (k == 1 && first == 0xf4) high = 0x8f;  // Beyond U+10FFFF.
      if (byte < low || byte > high) return false;
    }
    i += static_cast<std::size_t>(more) + 1;
  }
  return true;
}

}  // namespace

absl::Status CheckSpace(const std::string& space) {
  if (space.empty()) return Invalid("space", "a space has a name");
  if (static_cast<int64_t>(space.size()) > kSpaceBytesMax) return TooLarge("space", kSpaceBytesMax);
  for (const char c : space) {
    if (!IsSpaceCharacter(c)) return Invalid("space", "letters, digits and _ . : @ - only");
  }
  return absl::OkStatus();
}

absl::Status CheckStream(const v1::StreamKey& stream) {
  RETURN_IF_ERROR(CheckSpace(stream.space()));
  if (stream.name().empty()) return Invalid("stream.name", "a stream has a name");
  if (static_cast<int64_t>(stream.name().size()) > kStreamNameBytesMax) {
    return TooLarge("stream.name", kStreamNameBytesMax);
  }
  if (!IsText(stream.name())) return Invalid("stream.name", "UTF-8 without NUL only");
  return absl::OkStatus();
}

absl::Status CheckItem(const v1::AppendItem& item) {
  RETURN_IF_ERROR(CheckStream(item.stream()));
  if (item.kind() == v1::STREAM_KIND_UNSPECIFIED || !v1::StreamKind_IsValid(item.kind())) {
    return Invalid("kind", "say what the stream tells the story of");
  }
  if (item.expected().value_case() == v1::Expected::VALUE_NOT_SET) {
    return Invalid("expected", "say what you believe of the stream");
  }
  if (item.expected().has_revision() && item.expected().revision() < 0) {
    return Invalid("expected.revision", "revisions start at 1");
  }
  if (static_cast<int64_t>(item.op_id().size()) > kOpIdBytesMax) {
    return TooLarge("op_id", kOpIdBytesMax);
  }
  if (static_cast<int64_t>(item.meta().size()) > kEventMetaBytesMax) {
    return TooLarge("meta", kEventMetaBytesMax);
  }
  if (static_cast<int64_t>(item.data().size()) > kEventDataBytesMax) {
    return TooLarge("data", kEventDataBytesMax);
  }
  if (item.tombstone() && !item.data().empty()) {
    return Invalid("data", "a tombstone has no data");
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const v1::AppendRequest& request) {
  if (request.items_size() > kAppendItemsMax) {
    return MakeErrorAt(Reason::kTooLarge, "items",
                       absl::StrCat("at most ", kAppendItemsMax, " items"));
  }
  int64_t bytes = 0;
  for (const v1::AppendItem& item : request.items()) {
    bytes += static_cast<int64_t>(item.data().size() + item.meta().size());
  }
  if (bytes > kAppendBytesMax) return TooLarge("items", kAppendBytesMax);
  return absl::OkStatus();
}

}  // namespace bdcsync::event_store
