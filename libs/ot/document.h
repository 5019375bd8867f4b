// A document that is edited in place: rich text on a rope. An operation is applied whole or not at
// all, and costs by what it touches, not by how long the document is. Positions are UTF-16 units.
// Reads from several threads are safe, writes are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/ot/delta.h"
#include "libs/ot/rope.h"
#include "libs/ot/utf16.h"

namespace bdcsync::ot {

struct DocumentLimits {
  int64_t text_bytes_max = 64 * 1024 * 1024;
  // Of what one change writes to the formats of pieces of text that are there, each on its own.
  int64_t formats_bytes_max = 16 * 1024 * 1024;
};

class Document {
 public:
  explicit Document(DocumentLimits limits = {}) : limits_(limits) {}
  // Errors as Apply; also kInvalidArgument when `content` does not only insert.
  static absl::StatusOr<Document> From(const Delta& content, DocumentLimits limits = {});

  // Does `change`, or nothing and says why:
  //   kInvalidArgument  it reaches past the end, or cuts a surrogate pair (the path is its
  //                     component): the sender had another document, or counts wrongly.
  //   kTooLarge         the text would be longer than a document may be, or too much of it would be
  //                     given too large formats.
  absl::Status Apply(const Delta& change);

  // What takes `change` back after it was applied to the document as it is now. Costs by what
  // `change` touches. Errors as Apply.
  absl::StatusOr<Delta> Invert(const Delta& change) const;

  // An embed is one unit, one code point and no bytes.
  const TextSize& size() const { return rope_.size(); }
  Delta Content() const;
  // `units` units from `unit` on, as inserts. kInvalidArgument past the end or in a surrogate pair.
  absl::StatusOr<Delta> Slice(int64_t unit, int64_t units) const;
  // Whether the formats take more than `bytes` where each piece is written with its own. Pieces
  // that were cut from one share theirs, so that it can be far more than the document takes.
  bool HasFormatsOver(int64_t bytes) const;
  // The text without its embeds.
  std::string Text() const;
  // Where code point `point` begins, in units; at most the end.
  int64_t UnitOfPoint(int64_t point) const { return rope_.UnitOfPoint(point); }

  const Rope& rope() const { return rope_; }

 private:
  absl::Status Check(const Delta& change) const;

  DocumentLimits limits_;
  Rope rope_;
};

}  // namespace bdcsync::ot
