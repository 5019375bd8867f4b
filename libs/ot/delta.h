// An operation on rich text, or a whole text (then it only inserts): retain, insert, delete, one
// after another from the start, with lengths in UTF-16 units. Canonical whatever is pushed:
// neighbours of one kind and format are merged, inserts stand before deletes, no plain retain is
// last. So deltas that do the same by the same components are equal. Up to four components and
// short texts need no memory of their own. Values: copies are deep but for formats and embeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "libs/json/value.h"
#include "libs/ot/attributes.h"
#include "libs/ot/shared.h"

namespace bdcsync::ot {

// What is in the text but is not text: an image, a mention. One unit.
using Embed = Shared<json::Value>;
bool SameEmbed(const Embed& a, const Embed& b);

struct Component {
  enum class Kind : uint8_t { kRetain, kDelete, kText, kEmbed };

  Kind kind = Kind::kRetain;
  int64_t length = 0;     // In UTF-16 units.
  Attributes attributes;  // Of a retain: changes, null takes away. Never of a delete.
  Embed embed;            // Of kEmbed only.
  std::string text;       // Of kText only; UTF-8.

  bool inserts() const { return kind == Kind::kText || kind == Kind::kEmbed; }
  friend bool operator==(const Component& a, const Component& b);
};

class Delta {
 public:
  static constexpr size_t kInlineComponents = 4;
  using Components = absl::InlinedVector<Component, kInlineComponents>;
  // Where a reader of components stands after the last one: everything is retained.
  static constexpr int64_t kEndless = std::numeric_limits<int64_t>::max();

  // Each adds to the end; nothing happens for a length of 0. `utf8` must be valid; it has `units`
  // units where the caller knows.
  Delta& Retain(int64_t length, const Attributes& attributes = {});
  Delta& Delete(int64_t length);
  Delta& InsertText(absl::string_view utf8, const Attributes& attributes = {});
  Delta& InsertText(absl::string_view utf8, int64_t units, const Attributes& attributes);
  Delta& InsertEmbed(const Embed& embed, const Attributes& attributes = {});
  Delta& Push(const Component& component);

  const Components& components() const { return components_; }
  bool empty() const { return components_.empty(); }
  // Whether it only inserts: then it is the content of a document.
  bool IsDocument() const;
  // Units of the document that it needs at least: all that is retained and deleted.
  int64_t BaseLength() const;
  // Units that it inserts: the length of the document that it is.
  int64_t InsertedLength() const;
  // Bytes of all texts.
  size_t TextBytes() const;

  friend bool operator==(const Delta& a, const Delta& b) { return a.components_ == b.components_; }

 private:
  // The component that an insert of this kind and format may be merged with, or null.
  Component* LastInsert(Component::Kind kind, const Attributes& attributes);
  Component& AddInsert();
  void FlushRetain() {
    if (retain_ > 0) AddRetain();
  }
  void AddRetain();

  Components components_;
  int64_t retain_ = 0;  // Plain, not yet a component: nothing may follow.
};

}  // namespace bdcsync::ot
