// Lists the changed places of a document as JSON pointers while the document is walked, in bounded
// memory: no more paths are held than may be listed, however many changes there are and however
// long the keys above them. Internal. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libs/json/pointer.h"

namespace bdcsync::json {

class PathList {
 public:
  // Lists at most `paths_max` paths, but at least one. When there are more, all are cut to the
  // greatest number of tokens at which that many different ones are left; [""] covers everything.
  explicit PathList(size_t paths_max) : paths_max_(paths_max == 0 ? 1 : paths_max) {}

  // The walk goes into a member or an element, and out of it again. Notes must be in the order of a
  // walk: those with a common ancestor are neighbours.
  template <typename Token>
  void Enter(Token token) {
    AppendToken(token, here_);
    ends_.push_back(here_.size());
  }
  void Leave();
  // The place where the walk stands has changed. Not noted before.
  void Note();

  std::vector<std::string> Take();
  // Bytes copied so far, for tests.
  size_t copied_bytes() const { return copied_bytes_; }

 private:
  struct Entry {
    std::string path;
    std::vector<size_t> ends;  // Of its tokens.
    size_t shared = 0;         // How many tokens it begins with that the one before it has too.
  };

  void CutAll();

  const size_t paths_max_;
  std::string here_;
  std::vector<size_t> ends_;  // Of the tokens of here_.
  std::vector<Entry> noted_;
  size_t tokens_max_ = static_cast<size_t>(-1);  // Paths are cut to so many.
  size_t shared_ = 0;                            // Tokens of here_ that the last entry begins with.
  size_t copied_bytes_ = 0;
};

// Stands inside `token` while it lives.
class Inside {
 public:
  template <typename Token>
  Inside(PathList& list, Token token) : list_(list) {
    list_.Enter(token);
  }
  ~Inside() { list_.Leave(); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  PathList& list_;
};

}  // namespace bdcsync::json
