// Three JSON texts with NUL bytes between them: a document and two deltas. What is taken is
// canonical and survives its JSON; both representations of a document agree; and the laws hold.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_split.h"
#include "libs/json/parse.h"
#include "libs/ot/compose.h"
#include "libs/ot/delta_json.h"
#include "libs/ot/diff.h"
#include "libs/ot/document.h"
#include "libs/ot/invert.h"
#include "libs/ot/transform.h"

namespace {

using bdcsync::ot::Delta;
using bdcsync::ot::Priority;

void Require(bool holds) {
  if (!holds) std::abort();
}

bool Same(const absl::StatusOr<Delta>& a, const absl::StatusOr<Delta>& b) {
  return a.ok() && b.ok() && *a == *b;
}

// Whether `change` can be done; then it is, in every way, and taken back.
bool CheckApply(const Delta& document, const Delta& change) {
  absl::StatusOr<bdcsync::ot::Document> rope = bdcsync::ot::Document::From(document);
  Require(rope.ok() && rope->Content() == document);
  const absl::StatusOr<Delta> after = Apply(document, change);
  const absl::StatusOr<Delta> inverse = Invert(change, document);
  const absl::Status applied = rope->Apply(change);
  Require(applied.ok() == inverse.ok());
  if (!applied.ok()) {
    Require(rope->Content() == document);
    return false;
  }
  Require(Same(after, rope->Content()));
  Require(Same(Apply(*after, *inverse), document));
  Require(Same(Apply(document, *Diff(document, *after)), after));
  return true;
}

void CheckPair(const Delta& document, const Delta& a, const Delta& b) {
  const Delta b_after_a = Transform(a, b, Priority::kThis);
  const Delta a_after_b = Transform(b, a, Priority::kOther);
  const absl::StatusOr<Delta> one = Compose(a, b_after_a);
  const absl::StatusOr<Delta> other = Compose(b, a_after_b);
  Require(one.ok() && other.ok());
  Require(Same(Apply(document, *one), Apply(document, *other)));
  Require(Same(Apply(*Apply(document, a), b_after_a), Apply(document, *one)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<Delta> deltas;
  for (const absl::string_view text : absl::StrSplit(input, '\0')) {
    const absl::StatusOr<bdcsync::json::Value> value = bdcsync::json::Parse(text);
    if (!value.ok()) return 0;
    const absl::StatusOr<Delta> delta = bdcsync::ot::ParseDelta(*value);
    if (!delta.ok()) return 0;
    Require(Same(bdcsync::ot::ParseDelta(ToJson(*delta)), *delta));
    deltas.push_back(*delta);
  }
  if (deltas.size() != 3 || !deltas[0].IsDocument()) return 0;
  const bool first = CheckApply(deltas[0], deltas[1]);
  const bool second = CheckApply(deltas[0], deltas[2]);
  if (first && second) CheckPair(deltas[0], deltas[1], deltas[2]);
  return 0;
}
