// Deltas from and to their JSON form, an array of operations of the Delta format:
//   {"insert": "text" or {embed}, "attributes": {…}}   {"retain": n, "attributes": {…}} {"delete":
//   n}
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "libs/json/value.h"
#include "libs/ot/delta.h"

namespace bdcsync::ot {

struct DeltaLimits {
  size_t components_max = 100'000;
  size_t text_bytes_max = 16 * 1024 * 1024;     // Of all inserted text.
  size_t attributes_max = 100;                  // Names of one component.
  size_t value_bytes_max = 64 * 1024;           // JSON of one embed, or of one component's formats.
  int64_t length_max = (int64_t{1} << 53) - 1;  // All units retained, deleted and inserted.
};

// `value` in canonical form: neighbours merged, inserts before deletes, no nulls in the formats of
// an insert, no plain retain at the end. Errors, with the JSON pointer of what is at fault:
//   kInvalidArgument  not an array of such operations; a length that is no integer above 0, an
//                     empty text; text that is not UTF-8, as with half a surrogate pair.
//   kTooLarge         a limit is passed.
absl::StatusOr<Delta> ParseDelta(const json::Value& value, const DeltaLimits& limits = {});
// The same for the content of a document: kInvalidArgument also for what does not insert.
absl::StatusOr<Delta> ParseDocument(const json::Value& value, const DeltaLimits& limits = {});

json::Value ToJson(const Delta& delta);

}  // namespace bdcsync::ot
