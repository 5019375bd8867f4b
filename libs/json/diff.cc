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
  explicit Differ(const DiffLimits& limits) : limits_(limits) {}

  Array Run(const Value& from, const Value& to) {
    Compare(from, to);
    return std::move(operations_);
  }

 private:
  void Compare(const Value& from, const Value& to);
  void CompareObjects(const Object& from, const Object& to);
  void CompareArrays(const Array& from, const Array& to);
  void CompareRun(const ChangedRun& run, const Array& from, const Array& to);
  void Emit(absl::string_view op, const Value* value);

  const DiffLimits& limits_;
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
  const size_t operations_before = operations_.size();
  const size_t bytes_before = bytes_;
  if (objects) {
    CompareObjects(from.object(), to.object());
  } else {
    CompareArrays(from.array(), to.array());
  }
  if (operations_.size() == operations_before) return;
  const size_t replacement_bytes = kOperationBytes + QuotedSize(path_) + Measure(to).bytes;
  const size_t patch_bytes = bytes_ - bytes_before;
  if (patch_bytes <= replacement_bytes || (objects && patch_bytes <= kObjectPatchBytes)) return;
  operations_.resize(operations_before);
  bytes_ = bytes_before;
  Emit("replace", &to);
}

void Differ::CompareObjects(const Object& from, const Object& to) {
  // From the end, where removing is cheap.
  for (size_t i = from.size(); i-- > 0;) {
    if (to.contains(from.at(i).key)) continue;
    const Descend descend(path_, absl::string_view(from.at(i).key));
    Emit("remove", nullptr);
  }
  for (const Member& member : to) {
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
void Differ::CompareArrays(const Array& from, const Array& to) {
  const std::vector<ChangedRun> changes = ChangesBetween(
      from, to, MatchSequences(from, to, ElementEquality::kIdentical, limits_.matching_work_max));
  for (auto run = changes.rbegin(); run != changes.rend(); ++run) CompareRun(*run, from, to);
}

void Differ::CompareRun(const ChangedRun& run, const Array& from, const Array& to) {
  const size_t paired = std::min(run.a_end - run.a_begin, run.b_end - run.b_begin);
  for (size_t i = run.a_end; i-- > run.a_begin + paired;) {
    const Descend descend(path_, i);
    Emit("remove", nullptr);
  }
  for (size_t i = paired; i < run.b_end - run.b_begin; ++i) {
    const Descend descend(path_, run.a_begin + i);
    Emit("add", &to[run.b_begin + i]);
  }
  for (size_t i = 0; i < paired; ++i) {
    const Descend descend(path_, run.a_begin + i);
    Compare(from[run.a_begin + i], to[run.b_begin + i]);
  }
}

class PathLister {
 public:
  std::vector<std::string> Run(const Value& from, const Value& to) {
    Compare(from, to);
    return std::move(paths_);
  }

 private:
  void Compare(const Value& from, const Value& to) {
    if (from.is_object() && to.is_object()) {
      CompareObjects(from.object(), to.object());
    } else if (from.is_array() && to.is_array() && from.array().size() == to.array().size()) {
      CompareElements(from.array(), to.array());
    } else if (!Identical(from, to)) {
      paths_.push_back(path_);
    }
  }

  void CompareObjects(const Object& from, const Object& to) {
    for (const Member& member : from) {
      const Descend descend(path_, absl::string_view(member.key));
      if (const Value* after = to.Find(member.key)) {
        Compare(member.value, *after);
      } else {
        paths_.push_back(path_);
      }
    }
    for (const Member& member : to) {
      if (from.contains(member.key)) continue;
      const Descend descend(path_, absl::string_view(member.key));
      paths_.push_back(path_);
    }
  }

  void CompareElements(const Array& from, const Array& to) {
    for (size_t i = 0; i < from.size(); ++i) {
      if (Identical(from[i], to[i])) continue;
      const Descend descend(path_, i);
      paths_.push_back(path_);
    }
  }

  std::vector<std::string> paths_;
  std::string path_;
};

}  // namespace

Value Diff(const Value& from, const Value& to, const DiffLimits& limits) {
  return Differ(limits).Run(from, to);
}

std::vector<std::string> ChangedPaths(const Value& from, const Value& to, size_t paths_max) {
  std::vector<std::string> paths = PathLister().Run(from, to);
  CutToAncestors(paths, paths_max);
  return paths;
}

}  // namespace bdcsync::json
