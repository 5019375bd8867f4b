// A `text` operation: Delta operations on the text at a JSON pointer (docs/ot.md). A value and pure
// functions of it. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/ot/delta.h"
#include "services/version/apply_operation.h"

namespace bdcsync::version {

struct TextChange {
  std::string path;  // A JSON pointer.
  ot::Delta ops;
};

// Reads {"path", "ops"} as it stands in an operation; the place at fault is one in the request,
// such as /text/ops/2/insert. kInvalidArgument or kTooLarge: never retry.
absl::StatusOr<TextChange> ReadTextChange(absl::string_view text, const DataLimits& limits);
// The inverse, in canonical form.
std::string WriteTextChange(absl::string_view path, const ot::Delta& ops);

// Units by which `ops` make a text longer, or shorter if below 0.
int64_t GrowthOf(const ot::Delta& ops);
// Whether text that has seen `ops` may have formats or embeds.
bool IsRich(const ot::Delta& ops);
// What keeping it costs, roughly.
size_t MemoryOf(const ot::Delta& ops);

// Whether a change of what is at `changed` may change what is at `path`: one is within the other.
bool Overlap(absl::string_view changed, absl::string_view path);

// `fault` of ot::Document::Apply about a text of `units`, with the place in the request: `text` as
// it was sent, which need not have as many operations as its canonical form.
absl::Status FaultAsSent(const absl::Status& fault, const ot::Delta& ops, int64_t units,
                         absl::string_view text);

}  // namespace bdcsync::version
