// Version ids: "<revision>-<16 hexadecimal digits>". The revision finds the event in its stream,
// the digits (the event's id) prove that it is the same one. Opaque to clients. Thread-safe: values
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::entity {

struct VersionId {
  int64_t revision = 0;  // From 1.
  uint64_t event_id = 0;

  friend bool operator==(const VersionId&, const VersionId&) = default;
};

std::string MakeVersionId(int64_t revision, uint64_t event_id);

// The inverse; nothing unless `text` is exactly what MakeVersionId makes.
std::optional<VersionId> ParseVersionId(absl::string_view text);

// A revision as text, e.g. inside a page token: decimal digits, from 1, no leading zero.
std::optional<int64_t> ParseRevision(absl::string_view text);

}  // namespace bdcsync::entity
