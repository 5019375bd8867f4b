#include "libs/merge/text_merge.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "libs/json/value.h"
#include "libs/merge/array_regions.h"

namespace bdcsync::merge {
namespace {

using json::Array;

Array LinesOf(absl::string_view text) {
  Array lines;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const size_t size = newline == absl::string_view::npos ? text.size() : newline + 1;
    lines.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

enum class Letter { kWord, kSpace, kOther };

// Bytes of longer UTF-8 sequences are of words, so that none is cut.
Letter KindOf(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80 || absl::ascii_isalnum(byte) || c == '_') return Letter::kWord;
  return absl::ascii_isspace(byte) ? Letter::kSpace : Letter::kOther;
}

// Words, runs of white space, and single other letters.
Array WordsOf(absl::string_view text) {
  Array words;
  while (!text.empty()) {
    const Letter kind = KindOf(text[0]);
    size_t size = 1;
    while (kind != Letter::kOther && size < text.size() && KindOf(text[size]) == kind) ++size;
    words.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return words;
}

std::string Join(const Array& pieces, const Part& part) {
  std::string text;
  for (size_t i = part.begin; i < part.end; ++i) {
    const absl::string_view piece = pieces[i].string();
    text.append(piece.data(), piece.size());
  }
  return text;
}

// One stretch as each version has it.
struct Stretch {
  std::string base;
  std::string theirs;
  std::string ours;
};

// Decides between two changes of a stretch by the winner.
void Settle(const Stretch& stretch, Side winner, MergedText& merged) {
  const std::string& last = winner == Side::kOurs ? stretch.ours : stretch.theirs;
  const std::string& first = winner == Side::kOurs ? stretch.theirs : stretch.ours;
  if (stretch.base.empty()) {
    merged.text += first + last;
    return;
  }
  merged.text += last;
  merged.overlapped = true;
}

template <typename Cut, typename Overlap>
void MergePieces(const Stretch& texts, json::MatchingWork& work, const Cut& cut,
                 const Overlap& overlap, MergedText& merged) {
  const Array base = cut(texts.base);
  const Array theirs = cut(texts.theirs);
  const Array ours = cut(texts.ours);
  for (const ArrayRegion& region : RegionsOf(base, theirs, ours, work)) {
    if (!region.theirs_changed) {
      merged.text += Join(ours, region.ours);
      continue;
    }
    const Stretch stretch{Join(base, region.base), Join(theirs, region.theirs),
                          Join(ours, region.ours)};
    if (!region.ours_changed || stretch.theirs == stretch.ours) {
      merged.text += stretch.theirs;
    } else {
      overlap(stretch);
    }
  }
}

}  // namespace

MergedText WordMerger::Merge(absl::string_view base, absl::string_view theirs,
                             absl::string_view ours, Side winner) const {
  MergedText merged;
  const auto settle = [&](const Stretch& stretch) { Settle(stretch, winner, merged); };
  const auto merge_words = [&](const Stretch& lines) {
    MergePieces(lines, work_, WordsOf, settle, merged);
  };
  MergePieces({std::string(base), std::string(theirs), std::string(ours)}, work_, LinesOf,
              merge_words, merged);
  return merged;
}

}  // namespace bdcsync::merge
