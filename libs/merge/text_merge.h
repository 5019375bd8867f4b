// Three-way merge of strings: the interface, and the one for plain strings.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/json/sequence_match.h"
#include "libs/merge/rule.h"

namespace bdcsync::merge {

struct MergedText {
  std::string text;
  bool overlapped = false;  // Both replaced one stretch, differently: the text holds the winner's.
};

class TextMerger {
 public:
  virtual ~TextMerger() = default;
  // `winner` (kTheirs or kOurs) is whose stretch is taken where both replaced one. Where both
  // insert at one place both stand, the winner's last. Merge(b, x, b) = x, Merge(b, x, x) = x; with
  // sides and winner swapped the result is the same.
  virtual MergedText Merge(absl::string_view base, absl::string_view theirs, absl::string_view ours,
                           Side winner) const = 0;
};

// By lines, and by words within lines that both changed. Never cuts a UTF-8 sequence.
class WordMerger final : public TextMerger {
 public:
  // `work` is for matching the lines of a side with those of the base, and words likewise; it is
  // borrowed, and not for several threads.
  explicit WordMerger(json::MatchingWork& work) : work_(work) {}
  MergedText Merge(absl::string_view base, absl::string_view theirs, absl::string_view ours,
                   Side winner) const override;

 private:
  json::MatchingWork& work_;
};

}  // namespace bdcsync::merge
