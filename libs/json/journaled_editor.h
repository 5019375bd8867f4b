// Edits one document in place, within PatchLimits, and can take every edit back. Internal to the
// patch: once an edit has failed, RollBack() is all that may follow. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/json/patch.h"
#include "libs/json/pointer.h"
#include "libs/json/value.h"

namespace bdcsync::json {

// Errors: kPreconditionFailed for a place that is not there, kInvalidArgument for what no document
// allows, kTooLarge and kTooDeep at a limit.
class JournaledEditor {
 public:
  // `document` and `limits` are borrowed.
  JournaledEditor(Value& document, const PatchLimits& limits)
      : document_(document), limits_(limits) {}

  absl::StatusOr<const Value*> Read(const PointerTokens& path) const;
  absl::Status Add(PointerTokens path, const Value& value);
  absl::Status Remove(PointerTokens path);
  absl::Status Replace(PointerTokens path, const Value& value);
  absl::Status Move(PointerTokens from, PointerTokens path);
  absl::Status Copy(const PointerTokens& from, PointerTokens path);

  // Undoes all edits, last one first.
  void RollBack();

 private:
  enum class Undo { kDrop, kPutBack, kSwapBack };
  struct Entry {
    Undo undo;
    PointerTokens path;
    size_t position = 0;
    Value old;
    bool takes_dropped = false;  // kPutBack: what the undo before it dropped, instead of `old`.
  };
  // Where an edit goes: the container and the position in it (its size: at the end).
  struct Place {
    Value* parent;  // nullptr: the place is the document itself.
    size_t position;
    bool exists;
  };
  struct Taken {
    Value value;
    size_t position;
  };

  absl::StatusOr<Place> Locate(const PointerTokens& path);
  // Puts what `make()` returns, which counts `bytes` more, where RFC 6902's add puts it. `make` is
  // called once all limits have been checked.
  template <typename Make>
  absl::Status Insert(PointerTokens path, size_t bytes, Make make);
  template <typename Make>
  absl::Status Overwrite(const Place& place, PointerTokens path, size_t bytes, Make make);
  absl::StatusOr<Taken> Take(const PointerTokens& path);
  absl::StatusOr<size_t> MeasureFor(const PointerTokens& path, const Value& value);
  Value& At(const Place& place);
  absl::Status Spend(uint64_t work);
  absl::Status SpendOnShifting(const Place& place);
  absl::Status CheckGrowth(int64_t growth) const;
  void UndoOne(Entry& entry);

  Value& document_;
  const PatchLimits& limits_;
  std::vector<Entry> journal_;
  uint64_t work_ = 0;
  int64_t bytes_ = -1;  // Of the document; known from the first edit on.
  Value dropped_;       // By the last undo, or by a move that failed halfway.
};

}  // namespace bdcsync::json
