// Reads the components of a delta in pieces of any length, as two deltas are walked side by side.
// After the last component it stands on an endless plain retain. Internal to libs/ot. Borrows the
// delta. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

#include "libs/ot/delta.h"
#include "libs/ot/utf16.h"

namespace bdcsync::ot {

class DeltaReader {
 public:
  explicit DeltaReader(const Delta& delta)
      : at_(delta.components().data()), end_(at_ + delta.components().size()) {}

  bool done() const { return at_ == end_; }
  Component::Kind kind() const { return done() ? Component::Kind::kRetain : at_->kind; }
  bool inserts() const { return !done() && at_->inserts(); }
  bool deletes() const { return !done() && at_->kind == Component::Kind::kDelete; }
  // Of what is left of the component.
  int64_t length() const { return done() ? Delta::kEndless : at_->length - units_; }
  // Of the component; none at the end.
  const Attributes& attributes() const {
    static const Attributes& none = *new Attributes();
    return done() ? none : at_->attributes;
  }
  // The component's place in the delta, for messages.
  size_t IndexIn(const Delta& delta) const {
    return static_cast<size_t>(at_ - delta.components().data());
  }

  void Skip(int64_t length) {
    if (done()) return;
    units_ += length;
    if (units_ < at_->length) return;
    ++at_;
    units_ = 0;
    bytes_ = 0;
  }

  // Inserts the next `length` units of an insert into `out`, with `attributes`. False, and nothing
  // is done, when that would cut a surrogate pair in two.
  bool InsertInto(Delta& out, int64_t length, const Attributes& attributes) {
    if (at_->kind == Component::Kind::kEmbed) {
      out.InsertEmbed(at_->embed, attributes);
      Skip(1);
      return true;
    }
    const absl::string_view rest = absl::string_view(at_->text).substr(bytes_);
    const std::optional<size_t> bytes = BytesOf(rest, length);
    if (!bytes.has_value()) return false;
    out.InsertText(rest.substr(0, *bytes), length, attributes);
    bytes_ += *bytes;
    Skip(length);
    return true;
  }
  // Passes over `length` units of an insert. False when that would cut a surrogate pair in two.
  bool SkipInsert(int64_t length) {
    if (at_->kind == Component::Kind::kText) {
      const std::optional<size_t> bytes =
          BytesOf(absl::string_view(at_->text).substr(bytes_), length);
      if (!bytes.has_value()) return false;
      bytes_ += *bytes;
    }
    Skip(length);
    return true;
  }

 private:
  std::optional<size_t> BytesOf(absl::string_view rest, int64_t length) const {
    if (length == at_->length - units_) return rest.size();
    // One byte a unit throughout: the common case.
    if (static_cast<int64_t>(at_->text.size()) == at_->length) return static_cast<size_t>(length);
    return ByteOfUnit(rest, length);
  }

  const Component* at_;
  const Component* end_;
  int64_t units_ = 0;  // Of the component at `at_` that were read.
  size_t bytes_ = 0;   // Of its text.
};

}  // namespace bdcsync::ot
