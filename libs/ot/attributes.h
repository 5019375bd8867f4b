// The formats of a piece of text or an embed: names and JSON values, immutable and shared by
// copies, so that cutting text copies none. Names and values are shared by what is made of them,
// too: one change can meet any number of pieces. In a change, null takes a format away; a document
// holds no null. Thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"
#include "libs/ot/shared.h"

namespace bdcsync::ot {

// Who counts as having been first where both sides do something at one place.
enum class Priority {
  kOther,  // The side that is transformed.
  kThis,   // The side that it is transformed over.
};

// One name and its value.
class Format {
 public:
  explicit Format(json::Member member) : member_(std::move(member)) {}

  const std::string& name() const { return member_->key; }
  const json::Value& value() const;
  // The same name with null.
  Format Taken() const;

  friend bool operator==(const Format& a, const Format& b);

 private:
  Shared<json::Member> member_;
  bool is_taken_ = false;
};

class Attributes {
 public:
  Attributes() = default;
  // Of two members with one name the last one counts.
  explicit Attributes(const std::vector<json::Member>& members);
  explicit Attributes(const json::Object& members);

  // Those of several `formats`, sorted by name, of which each has another one.
  static Attributes Of(std::vector<Format> formats);

  bool empty() const { return !formats_; }
  // Sorted by name.
  const std::vector<Format>& formats() const;
  const json::Value* Find(absl::string_view name) const;
  // Without the nulls: what text has that is inserted with these.
  Attributes WithoutNulls() const;

  friend bool operator==(const Attributes& a, const Attributes& b);

 private:
  Shared<std::vector<Format>> formats_;
};

// `first`, then `second`. Nulls are kept when the result is a change still (a retain), and do their
// work when it is not (an insert).
enum class Nulls { kKeep, kDrop };
Attributes Compose(const Attributes& first, const Attributes& second, Nulls nulls);
// What turns `from` into `to`.
Attributes Diff(const Attributes& from, const Attributes& to);
// What takes `change` back from text that had `base` before it.
Attributes Invert(const Attributes& change, const Attributes& base);
// What is left of `other` after `change`: of two values for one name, that of the side with
// priority stays.
Attributes Transform(const Attributes& change, const Attributes& other, Priority priority);

}  // namespace bdcsync::ot
