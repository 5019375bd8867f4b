#include "libs/json/diff.h"

#include <algorithm>
#include <utility>

#include "libs/json/path_list.h"
#include "libs/json/pointer.h"
#include "libs/json/sequence_match.h"
#include "libs/json/serialize.h"

namespace bdcsync::json {
namespace {

// About what {"op":"replace","path":"","value":} takes beside path and value.
constexpr size_t kOperationBytes = 36;
// A patch of an object is not given up for a replacement before it has so many bytes: what changed
// in a small document is worth more than the bytes.
constexpr size_t kObjectPatchBytes = 1024;

// Extends a pointer by one token while it lives.
class Descend {
 public:
  template <typename Token>
  Descend(std::string& path, Token token) : path_(path), size_(path.size()) {
    AppendToken(token, path_);
  }
  ~Descend() { path_.resize(size_); }

 private:
  std::string& path_;
  size_t size_;
};

class Differ {
 public:
  explicit Differ(const DiffLimits& limits) : work_(limits.matching_work_max) {}

  Array Run(const Value& from, const Value& to) {
    Compare(from, to);
    return std::move(operations_);
  }

 private:
  // The patch of one container.
  struct Part {
    const Value& to;
    size_t operations_before;
    size_t bytes_before;
    size_t bytes_max = 0;  // 0: not known yet, as long as it is empty.
  };

  void Compare(const Value& from, const Value& to);
  void CompareObjects(const Object& from, const Object& to, Part& part);
  void CompareArrays(const Array& from, const Array& to, Part& part);
  void CompareRun(const ChangedRun& run, const Array& from, const Array& to, Part& part);
  // Whether the container is to be replaced: no more operations are worth writing down then, for
  // each holds the path. To be asked where the path is that of the container.
  bool TooLong(Part& part) const;
  void Emit(absl::string_view op, const Value* value);

  MatchingWork work_;
  Array operations_;
  size_t bytes_ = 0;  // Of the operations, about.
  std::string path_;
};

void Differ::Emit(absl::string_view op, const Value* value) {
  Object operation{{"op", op}, {"path", path_}};
  bytes_ += kOperationBytes + QuotedSize(path_);
  if (value != nullptr) {
    bytes_ += Measure(*value).bytes;
    operation.Set("value", *value);
  }
  operations_.emplace_back(std::move(operation));
}

void Differ::Compare(const Value& from, const Value& to) {
  const bool objects = from.is_object() && to.is_object();
  const bool arrays = from.is_array() && to.is_array();
  if (!objects && !arrays) {
    if (!Identical(from, to)) Emit("replace", &to);
    return;
  }
  Part part{to, operations_.size(), bytes_};
  if (objects) {
    CompareObjects(from.object(), to.object(), part);
  } else {
    CompareArrays(from.array(), to.array(), part);
  }
  if (!TooLong(part)) return;
  operations_.resize(part.operations_before);
  bytes_ = part.bytes_before;
  Emit("replace", &to);
}

bool Differ::TooLong(Part& part) const {
  if (operations_.size() == part.operations_before) return false;
  if (part.bytes_max == 0) {
    part.bytes_max = kOperationBytes + QuotedSize(path_) + Measure(part.to).bytes;
    if (part.to.is_object()) part.bytes_max = std::max(part.bytes_max, kObjectPatchBytes);
  }
  return bytes_ - part.bytes_before > part.bytes_max;
}

void Differ::CompareObjects(const Object& from, const Object& to, Part& part) {
  // From the end, where removing is cheap.
  for (size_t i = from.size(); i-- > 0 && !TooLong(part);) {
    if (to.contains(from.at(i).key)) continue;
    const Descend descend(path_, absl::string_view(from.at(i).key));
    Emit("remove", nullptr);
  }
  for (const Member& member : to) {
    if (TooLong(part)) return;
    const Descend descend(path_, absl::string_view(member.key));
    const Value* before = from.Find(member.key);
    if (before == nullptr) {
      Emit("add", &member.value);
    } else {
      Compare(*before, member.value);
    }
  }
}

// From the end to the front, so that the indices of what is still to come stay as they were.
void Differ::CompareArrays(const Array& from, const Array& to, Part& part) {
  size_t used = 0;
  const std::vector<ChangedRun> changes = ChangesBetween(
      from, to, MatchSequences(from, to, ElementEquality::kIdentical, work_.share(), &used));
  work_.Use(used);
  for (auto run = changes.rbegin(); run != changes.rend(); ++run) CompareRun(*run, from, to, part);
}

void Differ::CompareRun(const ChangedRun& run, const Array& from, const Array& to, Part& part) {
  const size_t paired = std::min(run.a_end - run.a_begin, run.b_end - run.b_begin);
  for (size_t i = run.a_end; i-- > run.a_begin + paired && !TooLong(part);) {
    const Descend descend(path_, i);
    Emit("remove", nullptr);
  }
  for (size_t i = paired; i < run.b_end - run.b_begin && !TooLong(part); ++i) {
    const Descend descend(path_, run.a_begin + i);
    Emit("add", &to[run.b_begin + i]);
  }
  for (size_t i = 0; i < paired && !TooLong(part); ++i) {
    const Descend descend(path_, run.a_begin + i);
    Compare(from[run.a_begin + i], to[run.b_begin + i]);
  }
}

class PathLister {
 public:
  explicit PathLister(size_t paths_max) : paths_(paths_max) {}

  std::vector<std::string> Run(const Value& from, const Value& to) {
    Compare(from, to);
    return paths_.Take();
  }

 private:
  void Compare(const Value& from, const Value& to) {
    if (from.is_object() && to.is_object()) {
      CompareObjects(from.object(), to.object());
    } else if (from.is_array() && to.is_array() && from.array().size() == to.array().size()) {
      CompareElements(from.array(), to.array());
    } else if (!Identical(from, to)) {
      paths_.Note();
    }
  }

  void CompareObjects(const Object& from, const Object& to) {
    for (const Member& member : from) {
      const Inside inside(paths_, absl::string_view(member.key));
      if (const Value* after = to.Find(member.key)) {
        Compare(member.value, *after);
      } else {
        paths_.Note();
      }
    }
    for (const Member& member : to) {
      if (from.contains(member.key)) continue;
      const Inside inside(paths_, absl::string_view(member.key));
      paths_.Note();
    }
  }

  void CompareElements(const Array& from, const Array& to) {
    for (size_t i = 0; i < from.size(); ++i) {
      if (Identical(from[i], to[i])) continue;
      const Inside inside(paths_, i);
      paths_.Note();
    }
  }

  PathList paths_;
};

}  // namespace

Value Diff(const Value& from, const Value& to, const DiffLimits& limits) {
  return Differ(limits).Run(from, to);
}

std::vector<std::string> ChangedPaths(const Value& from, const Value& to, size_t paths_max) {
  return PathLister(paths_max).Run(from, to);
}

}  // namespace bdcsync::json
