#include "libs/json/path_list.h"

#include <algorithm>
#include <utility>

namespace bdcsync::json {

void PathList::Leave() {
  ends_.pop_back();
  here_.resize(ends_.empty() ? 0 : ends_.back());
  shared_ = std::min(shared_, ends_.size());
}

void PathList::Note() {
  const size_t tokens = std::min(ends_.size(), tokens_max_);
  // Cut to so many tokens it is the last one again.
  if (!noted_.empty() && tokens == tokens_max_ && shared_ >= tokens) return;
  Entry& entry = noted_.emplace_back();
  entry.path = here_.substr(0, tokens == 0 ? 0 : ends_[tokens - 1]);
  entry.ends.assign(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(tokens));
  entry.shared = shared_;
  copied_bytes_ += entry.path.size();
  shared_ = tokens;
  if (noted_.size() > paths_max_) CutAll();
}

// The neighbours that have most in common become one; with one path too many that is enough.
void PathList::CutAll() {
  tokens_max_ = 0;
  for (size_t i = 1; i < noted_.size(); ++i) tokens_max_ = std::max(tokens_max_, noted_[i].shared);
  size_t kept = 0;
  for (size_t i = 0; i < noted_.size(); ++i) {
    if (i > 0 && noted_[i].shared == tokens_max_) continue;
    Entry& entry = noted_[i];
    if (entry.ends.size() > tokens_max_) {
      entry.ends.resize(tokens_max_);
      entry.path.resize(tokens_max_ == 0 ? 0 : entry.ends.back());
    }
    if (kept != i) noted_[kept] = std::move(entry);
    ++kept;
  }
  noted_.resize(kept);
  shared_ = std::min(shared_, tokens_max_);
}

std::vector<std::string> PathList::Take() {
  std::vector<std::string> paths;
  paths.reserve(noted_.size());
  for (Entry& entry : noted_) paths.push_back(std::move(entry.path));
  noted_.clear();
  return paths;
}

}  // namespace bdcsync::json
