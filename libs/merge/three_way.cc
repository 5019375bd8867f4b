#include "libs/merge/three_way.h"

#include <algorithm>
#include <utility>

#include "libs/json/pointer.h"
#include "libs/merge/array_regions.h"

namespace bdcsync::merge {
namespace {

using json::Array;
using json::Object;
using json::Value;

// Equal, where nullptr is "does not exist".
bool Same(const Value* a, const Value* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

std::optional<Value> Copy(const Value* value) {
  return value == nullptr ? std::nullopt : std::optional<Value>(*value);
}

// The member `key`, which mostly is where it is in the object beside.
const Value* FindNear(const Object* object, size_t position, const std::string& key) {
  if (object == nullptr) return nullptr;
  if (position < object->size() && object->at(position).key == key) {
    return &object->at(position).value;
  }
  return object->Find(key);
}

Value Slice(const Array& array, size_t begin, size_t end) {
  return Array(array.begin() + static_cast<std::ptrdiff_t>(begin),
               array.begin() + static_cast<std::ptrdiff_t>(end));
}

class Merger {
 public:
  explicit Merger(const MergeOptions& options) : options_(options) {}

  MergeResult Run(const Value* base, const Value* theirs, const Value* ours) {
    result_.value = Merge(base, theirs, ours);
    return std::move(result_);
  }

 private:
  // One place in all three versions. nullptr: it does not exist there.
  struct Versions {
    const Value* base;
    const Value* theirs;
    const Value* ours;
  };
  struct Verdict {
    Rule rule;
    std::optional<Side> chosen;
  };

  std::optional<Value> Merge(const Value* base, const Value* theirs, const Value* ours);
  std::optional<Value> MergeWhole(const Versions& versions);
  Value MergeObjects(const Object* base, const Object& theirs, const Object& ours);
  void MergeMember(const std::string& key, const Versions& versions,
                   std::vector<json::Member>& merged);
  Value MergeArrays(const Array& base, const Array& theirs, const Array& ours);
  void MergeRegion(const ArrayRegion& region, const Array& base, const Array& theirs,
                   const Array& ours, Array& merged);
  // What decides between two different changes of one thing.
  Verdict OfOverlap() const;
  void Record(const Verdict& verdict, std::optional<Value> base, std::optional<Value> theirs,
              std::optional<Value> ours, std::optional<Region> region);

  const MergeOptions& options_;
  std::vector<const std::string*> path_;  // Keys from the root to here.
  MergeResult result_;
};

std::optional<Value> Merger::Merge(const Value* base, const Value* theirs, const Value* ours) {
  if (theirs != nullptr && ours != nullptr) {
    if (theirs->is_object() && ours->is_object()) {
      const bool objects = base != nullptr && base->is_object();
      return MergeObjects(objects ? &base->object() : nullptr, theirs->object(), ours->object());
    }
    if (base != nullptr && base->is_array() && theirs->is_array() && ours->is_array() &&
        !Same(theirs, ours)) {
      return MergeArrays(base->array(), theirs->array(), ours->array());
    }
  }
  return MergeWhole({base, theirs, ours});
}

std::optional<Value> Merger::MergeWhole(const Versions& versions) {
  const auto& [base, theirs, ours] = versions;
  if (Same(theirs, ours)) {
    // Equal numbers may differ in their digits: keep those that were written anew.
    const bool ours_is_old = ours != nullptr && base != nullptr && Identical(*ours, *base);
    return Copy(ours_is_old ? theirs : ours);
  }
  Verdict verdict = OfOverlap();
  if (Same(theirs, base)) {
    verdict = {Rule::kThreeWay, Side::kOurs};
    if (theirs == nullptr) return Copy(ours);  // Added: nothing is lost.
  } else if (Same(ours, base)) {
    verdict = {Rule::kThreeWay, Side::kTheirs};
    if (ours == nullptr) return Copy(theirs);
  } else if (theirs == nullptr || ours == nullptr) {
    verdict = {Rule::kEditWins, theirs == nullptr ? Side::kOurs : Side::kTheirs};
  }
  Record(verdict, Copy(base), Copy(theirs), Copy(ours), std::nullopt);
  return Copy(verdict.chosen == Side::kOurs ? ours : theirs);
}

Value Merger::MergeObjects(const Object* base, const Object& theirs, const Object& ours) {
  std::vector<json::Member> merged;
  merged.reserve(std::max(theirs.size(), ours.size()));
  size_t common = 0;
  for (size_t i = 0; i < theirs.size(); ++i) {
    const json::Member& member = theirs.at(i);
    const Value* in_ours = FindNear(&ours, i, member.key);
    common += in_ours != nullptr ? 1 : 0;
    MergeMember(member.key, {FindNear(base, i, member.key), &member.value, in_ours}, merged);
  }
  for (size_t i = 0; common < ours.size() && i < ours.size(); ++i) {
    const json::Member& member = ours.at(i);
    if (FindNear(&theirs, i, member.key) != nullptr) continue;
    MergeMember(member.key, {FindNear(base, i, member.key), nullptr, &member.value}, merged);
  }
  return Object(std::move(merged));
}

void Merger::MergeMember(const std::string& key, const Versions& versions,
                         std::vector<json::Member>& merged) {
  path_.push_back(&key);
  std::optional<Value> value = Merge(versions.base, versions.theirs, versions.ours);
  if (value.has_value()) merged.push_back({key, *std::move(value)});
  path_.pop_back();
}

Value Merger::MergeArrays(const Array& base, const Array& theirs, const Array& ours) {
  Array merged;
  for (const ArrayRegion& region : RegionsOf(base, theirs, ours, options_.matching_work_max)) {
    MergeRegion(region, base, theirs, ours, merged);
  }
  return merged;
}

void Merger::MergeRegion(const ArrayRegion& region, const Array& base, const Array& theirs,
                         const Array& ours, Array& merged) {
  const auto append = [&merged](const Array& from, const Part& part) {
    merged.insert(merged.end(), from.begin() + static_cast<std::ptrdiff_t>(part.begin),
                  from.begin() + static_cast<std::ptrdiff_t>(part.end));
  };
  if (!region.theirs_changed && !region.ours_changed) {
    for (size_t i = 0; i < region.base.size(); ++i) {
      const Value& element = theirs[region.theirs.begin + i];
      const bool old = Identical(element, base[region.base.begin + i]);
      merged.push_back(old ? ours[region.ours.begin + i] : element);
    }
    return;
  }
  Value theirs_part = Slice(theirs, region.theirs.begin, region.theirs.end);
  Value ours_part = Slice(ours, region.ours.begin, region.ours.end);
  Verdict verdict = OfOverlap();
  if (!region.theirs_changed || !region.ours_changed) {
    verdict = {Rule::kThreeWay, region.ours_changed ? Side::kOurs : Side::kTheirs};
    if (region.base.size() == 0) {  // Added: nothing is lost.
      return region.ours_changed ? append(ours, region.ours) : append(theirs, region.theirs);
    }
  } else if (theirs_part == ours_part) {
    return append(ours, region.ours);
  } else if (region.theirs.size() == 0 || region.ours.size() == 0) {
    verdict = {Rule::kEditWins, region.theirs.size() == 0 ? Side::kOurs : Side::kTheirs};
  }
  Record(verdict, Slice(base, region.base.begin, region.base.end), std::move(theirs_part),
         std::move(ours_part),
         Region{region.base.begin, region.theirs.begin, region.ours.begin, merged.size()});
  if (verdict.chosen == Side::kOurs) {
    append(ours, region.ours);
  } else {
    append(theirs, region.theirs);
  }
}

Merger::Verdict Merger::OfOverlap() const {
  switch (options_.overlap) {
    case Overlap::kOurs:
      return {Rule::kLastWriteWins, Side::kOurs};
    case Overlap::kTheirs:
      return {Rule::kLastWriteWins, Side::kTheirs};
    case Overlap::kOpen:
      break;
  }
  return {Rule::kOpen, std::nullopt};
}

void Merger::Record(const Verdict& verdict, std::optional<Value> base, std::optional<Value> theirs,
                    std::optional<Value> ours, std::optional<Region> region) {
  result_.overlapped = result_.overlapped || verdict.rule != Rule::kThreeWay;
  std::string path;
  for (const std::string* key : path_) json::AppendToken(*key, path);
  result_.decisions.push_back({std::move(path), verdict.rule, std::move(base), std::move(theirs),
                               std::move(ours), verdict.chosen, region});
}

}  // namespace

absl::string_view SideName(Side side) {
  constexpr absl::string_view kNames[] = {"base", "theirs", "ours"};
  return kNames[static_cast<size_t>(side)];
}

absl::string_view RuleName(Rule rule) {
  constexpr absl::string_view kNames[] = {"three_way", "lww", "edit_wins", "open"};
  return kNames[static_cast<size_t>(rule)];
}

MergeResult Merge(const std::optional<Value>& base, const std::optional<Value>& theirs,
                  const std::optional<Value>& ours, const MergeOptions& options) {
  const auto pointer = [](const std::optional<Value>& value) { return value ? &*value : nullptr; };
  return Merger(options).Run(pointer(base), pointer(theirs), pointer(ours));
}

}  // namespace bdcsync::merge
