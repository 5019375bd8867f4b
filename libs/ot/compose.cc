#include "libs/ot/compose.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/ot/delta_reader.h"

namespace bdcsync::ot {
namespace {

absl::Status SplitsAt(const DeltaReader& second, const Delta& delta) {
  const size_t index = std::min(second.IndexIn(delta), delta.components().size() - 1);
  return MakeErrorAt(Reason::kInvalidArgument, absl::StrCat("/", index),
                     "a length ends between the halves of a surrogate pair");
}

// The next `length` units of `first`, which are inserted or retained, under a retain of `second`.
bool RetainOver(DeltaReader& first, const Attributes& change, int64_t length, Delta& out) {
  if (first.inserts()) {
    return first.InsertInto(
        out, length,
        change.empty() ? first.attributes() : Compose(first.attributes(), change, Nulls::kDrop));
  }
  if (change.empty()) {
    out.Retain(length, first.attributes());
  } else {
    out.Retain(length, Compose(first.attributes(), change, Nulls::kKeep));
  }
  first.Skip(length);
  return true;
}

bool DeleteOver(DeltaReader& first, int64_t length, Delta& out) {
  if (first.inserts()) return first.SkipInsert(length);
  out.Delete(length);
  first.Skip(length);
  return true;
}

}  // namespace

absl::StatusOr<Delta> Compose(const Delta& first, const Delta& second) {
  Delta out;
  DeltaReader a(first);
  DeltaReader b(second);
  while (!a.done() || !b.done()) {
    if (b.inserts()) {
      b.InsertInto(out, b.length(), b.attributes());
      continue;
    }
    if (a.deletes()) {
      out.Delete(a.length());
      a.Skip(a.length());
      continue;
    }
    const int64_t length = std::min(a.length(), b.length());
    const bool whole =
        b.deletes() ? DeleteOver(a, length, out) : RetainOver(a, b.attributes(), length, out);
    if (!whole) return SplitsAt(b, second);
    b.Skip(length);
  }
  return out;
}

absl::StatusOr<Delta> ComposeAll(absl::Span<const Delta> operations) {
  // Composed runs of falling sizes, as the ones of a binary number: 2^k operations each.
  struct Run {
    Delta delta;
    size_t size;
  };
  std::vector<Run> runs;
  const auto join_last = [&runs]() -> absl::Status {
    Run last = std::move(runs.back());
    runs.pop_back();
    ASSIGN_OR_RETURN(runs.back().delta, Compose(runs.back().delta, last.delta));
    runs.back().size += last.size;
    return absl::OkStatus();
  };
  for (const Delta& operation : operations) {
    runs.push_back({operation, 1});
    while (runs.size() > 1 && runs[runs.size() - 2].size == runs.back().size) {
      RETURN_IF_ERROR(join_last());
    }
  }
  while (runs.size() > 1) RETURN_IF_ERROR(join_last());
  return runs.empty() ? Delta() : std::move(runs.front().delta);
}

absl::StatusOr<Delta> Apply(const Delta& document, const Delta& change) {
  if (change.BaseLength() > document.InsertedLength()) {
    return MakeError(Reason::kInvalidArgument,
                     absl::StrCat("reaches ", change.BaseLength(), " units into a document of ",
                                  document.InsertedLength()));
  }
  return Compose(document, change);
}

}  // namespace bdcsync::ot
