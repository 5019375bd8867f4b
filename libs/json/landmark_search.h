// Where, beside an original text, the reading of another version of it stands: which landmark the
// next container may be equal to. Changed, added and removed elements are passed over, a few at a
// time. Internal to the parser. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include "libs/json/text_parser.h"

namespace bdcsync::json {

class LandmarkSearch {
 public:
  // The landmarks inside one container, and how far they were met.
  struct Window {
    size_t first = 0;  // Behind the last one that was met.
    size_t guess = 0;  // What stands here if each container since then was changed.
    size_t end = 0;
    size_t misses = 0;  // Containers since then, as far as `first` has not been moved for them.
  };

  // nullptr: there is nothing to find, and nothing below must be called. Otherwise borrowed.
  explicit LandmarkSearch(const Landmarks* landmarks) : landmarks_(landmarks) {
    if (landmarks != nullptr) window_.end = landmarks->size();
  }

  bool active() const { return landmarks_ != nullptr; }

  // The landmark whose text begins at `at`, and goes no deeper than `height_max`; nullptr: none
  // that was looked at.
  const Landmark* Find(const char* at, const char* end, size_t height_max) {
    size_t index = window_.first;
    for (size_t tries = 0; tries < kTriesMax && index < window_.end; ++tries) {
      const Landmark& landmark = (*landmarks_)[index];
      const bool same = landmark.size <= static_cast<size_t>(end - at) &&
                        std::memcmp(landmark.begin, at, landmark.size) == 0;
      if (same && landmark.height > height_max) return nullptr;
      if (same) {
        window_.first = window_.guess = landmark.behind;
        window_.misses = 0;
        return &landmark;
      }
      index = landmark.behind;
    }
    return nullptr;
  }

  // Goes into a container that was not found; returns what Leave wants.
  Window Enter() {
    if (window_.guess >= window_.end) return std::exchange(window_, Window());
    const Landmark& changed = (*landmarks_)[window_.guess];
    Window around = window_;
    window_ = {window_.guess + 1, window_.guess + 1, changed.behind, 0};
    around.guess = changed.behind;
    if (++around.misses > kBehindMax) {
      around.first = (*landmarks_)[around.first].behind;
      --around.misses;
    }
    return around;
  }
  void Leave(const Window& around) { window_ = around; }

 private:
  static constexpr size_t kTriesMax = 16;
  static constexpr size_t kBehindMax = 8;

  const Landmarks* const landmarks_;
  Window window_;
};

}  // namespace bdcsync::json
