#include "libs/merge/path_pattern.h"

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"

namespace bdcsync::merge {
namespace {

class PatternReader {
 public:
  explicit PatternReader(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<PathStep>> Run() {
    if (text_.size() > kPatternBytesMax) return Wrong("longer than a pattern may be");
    if (!Take('$')) return Wrong("a pattern begins with $");
    std::vector<PathStep> steps;
    while (position_ < text_.size()) {
      if (steps.size() == kPatternStepsMax) return Wrong("more steps than a pattern may have");
      ASSIGN_OR_RETURN(PathStep step, ReadStep());
      steps.push_back(std::move(step));
    }
    return steps;
  }

 private:
  bool Sees(char c) const { return position_ < text_.size() && text_[position_] == c; }
  bool Take(char c) {
    if (!Sees(c)) return false;
    ++position_;
    return true;
  }
  absl::Status Wrong(absl::string_view what) const {
    return MakeError(Reason::kInvalidArgument, absl::StrCat(what, " (byte ", position_, ")"));
  }

  absl::StatusOr<PathStep> ReadStep() {
    PathStep step;
    if (Take('.')) {
      step.deep = Take('.');
      if (Sees('.')) return Wrong("too many dots");
      if (!step.deep || !Sees('[')) return ReadName(std::move(step));
    }
    if (!Take('[')) return Wrong("expected . or [");
    if (Take('*')) {
      step.any = true;
    } else if (Sees('\'') || Sees('"')) {
      ASSIGN_OR_RETURN(step.name, ReadQuoted());
    } else {
      return Wrong("expected [*] or ['name']; an element has no index, [*] is any");
    }
    if (!Take(']')) return Wrong("expected ]");
    return step;
  }

  absl::StatusOr<PathStep> ReadName(PathStep step) {
    if (Take('*')) {
      step.any = true;
      return step;
    }
    constexpr absl::string_view kSpecial = ".[]*'\"\\ ";
    const size_t begin = position_;
    while (position_ < text_.size() && kSpecial.find(text_[position_]) == absl::string_view::npos &&
           static_cast<unsigned char>(text_[position_]) > ' ') {
      ++position_;
    }
    if (position_ == begin) return Wrong("expected a name; ['…'] holds any");
    step.name = std::string(text_.substr(begin, position_ - begin));
    return step;
  }

  absl::StatusOr<std::string> ReadQuoted() {
    const char quote = text_[position_++];
    std::string name;
    while (!Sees(quote)) {
      Take('\\');  // What follows stands for itself.
      if (position_ == text_.size()) return Wrong("the name has no closing quote");
      name.push_back(text_[position_++]);
    }
    ++position_;
    return name;
  }

  const absl::string_view text_;
  size_t position_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<PathStep>> ParsePathPattern(absl::string_view text) {
  return PatternReader(text).Run();
}

}  // namespace bdcsync::merge
