#include "libs/json/journaled_editor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/serialize.h"

namespace bdcsync::json {
namespace {

// What shifting a member and copying a byte cost, in units of shifting an element.
constexpr uint64_t kMemberWork = 10;
constexpr uint64_t kCopiedByteWork = 64;

absl::Span<const std::string> ParentOf(const PointerTokens& path) {
  return absl::MakeConstSpan(path).subspan(0, path.size() - 1);
}

size_t SizeOf(const Value& container) {
  return container.is_object() ? container.object().size() : container.array().size();
}

// Bytes of an element or member, beside its value, in a container of `others` others.
int64_t SeparatorBytes(const Value& container, absl::string_view token, size_t others) {
  const int64_t comma = others > 0 ? 1 : 0;
  return container.is_object() ? static_cast<int64_t>(QuotedSize(token)) + 1 + comma : comma;
}

absl::Status NotThere(const PointerTokens& path) {
  return MakeError(Reason::kPreconditionFailed,
                   absl::StrCat("the document has no place \"", FormatPointer(path), "\""));
}

}  // namespace

absl::StatusOr<const Value*> JournaledEditor::Read(const PointerTokens& path) const {
  const Value* value = Resolve(std::as_const(document_), path);
  if (value == nullptr) return NotThere(path);
  return value;
}

absl::Status JournaledEditor::Add(PointerTokens path, const Value& value) {
  ASSIGN_OR_RETURN(const size_t bytes, MeasureFor(path, value));
  return Insert(std::move(path), bytes, [&] { return value; });
}

absl::Status JournaledEditor::Remove(PointerTokens path) {
  ASSIGN_OR_RETURN(Taken taken, Take(path));
  bytes_ -= static_cast<int64_t>(Measure(taken.value).bytes);
  journal_.push_back({Undo::kPutBack, std::move(path), taken.position, std::move(taken.value)});
  return absl::OkStatus();
}

absl::Status JournaledEditor::Replace(PointerTokens path, const Value& value) {
  ASSIGN_OR_RETURN(const Place place, Locate(path));
  if (!place.exists) return NotThere(path);
  ASSIGN_OR_RETURN(const size_t bytes, MeasureFor(path, value));
  return Overwrite(place, std::move(path), bytes, [&] { return value; });
}

absl::Status JournaledEditor::Move(PointerTokens from, PointerTokens path) {
  if (from == path) return Read(from).status();
  if (from.size() < path.size() && std::equal(from.begin(), from.end(), path.begin())) {
    return MakeError(Reason::kInvalidArgument, "a value cannot be moved into itself");
  }
  if (path.size() > from.size()) {
    ASSIGN_OR_RETURN(const Value* value, Read(from));
    RETURN_IF_ERROR(MeasureFor(path, *value).status());
  }
  ASSIGN_OR_RETURN(Taken taken, Take(from));
  journal_.push_back({.undo = Undo::kPutBack,
                      .path = std::move(from),
                      .position = taken.position,
                      .takes_dropped = true});
  // Its bytes never left the count.
  absl::Status inserted = Insert(std::move(path), 0, [&] { return std::move(taken.value); });
  if (!inserted.ok()) dropped_ = std::move(taken.value);
  return inserted;
}

absl::Status JournaledEditor::Copy(const PointerTokens& from, PointerTokens path) {
  ASSIGN_OR_RETURN(const Value* source, Read(from));
  ASSIGN_OR_RETURN(const size_t bytes, MeasureFor(path, *source));
  RETURN_IF_ERROR(Spend(bytes * kCopiedByteWork));
  return Insert(std::move(path), bytes, [&] { return *source; });
}

absl::StatusOr<JournaledEditor::Place> JournaledEditor::Locate(const PointerTokens& path) {
  if (bytes_ < 0) {
    bytes_ = static_cast<int64_t>(limits_.target_bytes ? *limits_.target_bytes
                                                       : Measure(document_).bytes);
  }
  if (path.empty()) return Place{nullptr, 0, true};
  Value* parent = Resolve(document_, ParentOf(path));
  if (parent == nullptr) return NotThere(path);
  if (parent->is_object()) {
    const std::optional<size_t> position = parent->object().PositionOf(path.back());
    return Place{parent, position.value_or(parent->object().size()), position.has_value()};
  }
  if (!parent->is_array()) return NotThere(path);
  const size_t size = parent->array().size();
  if (path.back() == "-") return Place{parent, size, false};
  const std::optional<size_t> index = ParseIndex(path.back());
  if (!index || *index > size) return NotThere(path);
  return Place{parent, *index, *index < size};
}

Value& JournaledEditor::At(const Place& place) {
  if (place.parent == nullptr) return document_;
  return place.parent->is_object() ? place.parent->object().value_at(place.position)
                                   : place.parent->array()[place.position];
}

template <typename Make>
absl::Status JournaledEditor::Insert(PointerTokens path, size_t bytes, Make make) {
  ASSIGN_OR_RETURN(const Place place, Locate(path));
  if (place.parent == nullptr || (place.parent->is_object() && place.exists)) {
    return Overwrite(place, std::move(path), bytes, make);
  }
  Value& parent = *place.parent;
  const int64_t growth =
      static_cast<int64_t>(bytes) + SeparatorBytes(parent, path.back(), SizeOf(parent));
  RETURN_IF_ERROR(CheckGrowth(growth));
  RETURN_IF_ERROR(SpendOnShifting(place));
  if (parent.is_object()) {
    parent.object().Set(path.back(), make());
  } else {
    Value::InsertInto(parent.array(), place.position, make());
  }
  bytes_ += growth;
  journal_.push_back({Undo::kDrop, std::move(path), place.position});
  return absl::OkStatus();
}

template <typename Make>
absl::Status JournaledEditor::Overwrite(const Place& place, PointerTokens path, size_t bytes,
                                        Make make) {
  Value& current = At(place);
  const int64_t growth = static_cast<int64_t>(bytes) - static_cast<int64_t>(Measure(current).bytes);
  RETURN_IF_ERROR(CheckGrowth(growth));
  Value old = make();
  std::swap(current, old);
  bytes_ += growth;
  journal_.push_back({Undo::kSwapBack, std::move(path), place.position, std::move(old)});
  return absl::OkStatus();
}

absl::StatusOr<JournaledEditor::Taken> JournaledEditor::Take(const PointerTokens& path) {
  if (path.empty()) {
    return MakeError(Reason::kInvalidArgument, "the whole document cannot be removed");
  }
  ASSIGN_OR_RETURN(const Place place, Locate(path));
  if (!place.exists) return NotThere(path);
  RETURN_IF_ERROR(SpendOnShifting(place));
  Value& parent = *place.parent;
  bytes_ -= SeparatorBytes(parent, path.back(), SizeOf(parent) - 1);
  if (parent.is_object()) {
    return Taken{parent.object().Extract(place.position).value, place.position};
  }
  return Taken{Value::ExtractFrom(parent.array(), place.position), place.position};
}

// The bytes of a value that is to lie at `path`, which must not make the document too deep.
absl::StatusOr<size_t> JournaledEditor::MeasureFor(const PointerTokens& path, const Value& value) {
  const Extent extent = Measure(value);
  RETURN_IF_ERROR(Spend(extent.bytes));
  const size_t depth_max = std::min(limits_.depth_max, kDepthCeiling);
  if (path.size() + extent.depth > depth_max) {
    return MakeError(Reason::kTooDeep,
                     absl::StrCat("the result is nested deeper than ", depth_max, " levels"));
  }
  return extent.bytes;
}

absl::Status JournaledEditor::Spend(uint64_t work) {
  work_ += work;
  if (work_ <= limits_.work_max) return absl::OkStatus();
  return MakeError(Reason::kTooLarge, "the patch takes more work than is allowed");
}

absl::Status JournaledEditor::SpendOnShifting(const Place& place) {
  const size_t behind = SizeOf(*place.parent) - place.position;
  return Spend(place.parent->is_object() ? behind * kMemberWork : behind);
}

absl::Status JournaledEditor::CheckGrowth(int64_t growth) const {
  if (growth <= 0 || bytes_ + growth <= static_cast<int64_t>(limits_.result_bytes_max)) {
    return absl::OkStatus();
  }
  return MakeError(Reason::kTooLarge,
                   absl::StrCat("the result is larger than ", limits_.result_bytes_max, " bytes"));
}

void JournaledEditor::RollBack() {
  for (; !journal_.empty(); journal_.pop_back()) UndoOne(journal_.back());
}

void JournaledEditor::UndoOne(Entry& entry) {
  if (entry.path.empty()) {  // Only kSwapBack happens to the document itself.
    std::swap(document_, entry.old);
    dropped_ = std::move(entry.old);
    return;
  }
  Value& parent = *Resolve(document_, ParentOf(entry.path));
  const Place place{&parent, entry.position, true};
  switch (entry.undo) {
    case Undo::kDrop:
      dropped_ = parent.is_object() ? parent.object().Extract(entry.position).value
                                    : Value::ExtractFrom(parent.array(), entry.position);
      return;
    case Undo::kSwapBack:
      dropped_ = std::exchange(At(place), std::move(entry.old));
      return;
    case Undo::kPutBack: {
      Value& old = entry.takes_dropped ? dropped_ : entry.old;
      if (parent.is_object()) {
        parent.object().Insert(entry.position, {entry.path.back(), std::move(old)});
      } else {
        Value::InsertInto(parent.array(), entry.position, std::move(old));
      }
      return;
    }
  }
}

}  // namespace bdcsync::json
