#include "libs/merge/take_back.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/pointer.h"
#include "libs/merge/place.h"

namespace bdcsync::merge {
namespace {

using json::Array;
using json::Value;
using Document = std::optional<Value>;

// What the result of the merge holds there.
const Document& WinningValue(const Decision& decision) {
  switch (*decision.chosen) {
    case Side::kBase:
      return decision.base;
    case Side::kTheirs:
      return decision.theirs;
    case Side::kOurs:
      return decision.ours;
    case Side::kMerged:
    case Side::kValue:
      break;
  }
  return decision.result;
}

absl::Status NotThere(const Decision& decision) {
  return MakeErrorAt(Reason::kPreconditionFailed, decision.path,
                     "the resolved document does not hold what was decided there");
}

size_t SizeOf(const Document& part) { return part && part->is_array() ? part->array().size() : 0; }

absl::Status PutStretch(const Decision& decision, Value& document,
                        absl::Span<const std::string> tokens) {
  Value* const list = FindPlace(document, tokens);
  if (list == nullptr || !list->is_array()) return NotThere(decision);
  Array& elements = list->array();
  const size_t begin = decision.region->result_begin;
  const size_t size = SizeOf(WinningValue(decision));
  if (begin > elements.size() || size > elements.size() - begin) return NotThere(decision);
  const auto first = elements.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = first + static_cast<std::ptrdiff_t>(size);
  if (size > 0 && Value(Array(first, last)) != *WinningValue(decision)) return NotThere(decision);
  Array changed(elements.begin(), first);
  if (const Document& loser = LosingValue(decision); SizeOf(loser) > 0) {
    changed.insert(changed.end(), loser->array().begin(), loser->array().end());
  }
  changed.insert(changed.end(), last, elements.end());
  elements = std::move(changed);
  return absl::OkStatus();
}

absl::Status PutInList(const Decision& decision, Array& list, absl::string_view token) {
  const std::optional<size_t> element = ElementAt(list, token);
  const Document& loser = LosingValue(decision);
  if (decision.kind == ConflictKind::kMoveMove) {
    if (!element || !loser) return NotThere(decision);
    ASSIGN_OR_RETURN(const int64_t position, loser->AsInt64());
    Value moved = Value::ExtractFrom(list, *element);
    const size_t to = std::clamp<int64_t>(position, 0, static_cast<int64_t>(list.size()));
    Value::InsertInto(list, to, std::move(moved));
  } else if (element && loser) {
    list[*element] = *loser;
  } else if (element) {
    Value::ExtractFrom(list, *element);
  } else if (loser) {
    list.push_back(*loser);
  }
  return absl::OkStatus();
}

absl::Status PutBack(const Decision& decision, Document& document) {
  const Document& loser = LosingValue(decision);
  ASSIGN_OR_RETURN(const json::PointerTokens tokens, json::ParsePointer(decision.path));
  if (decision.region) {
    return document ? PutStretch(decision, *document, tokens) : NotThere(decision);
  }
  if (tokens.empty()) {
    document = loser;
    return absl::OkStatus();
  }
  Value* const parent =
      document ? FindPlace(*document, absl::MakeSpan(tokens).first(tokens.size() - 1)) : nullptr;
  if (parent != nullptr && parent->is_array()) {
    return PutInList(decision, parent->array(), tokens.back());
  }
  if (parent == nullptr || !parent->is_object()) return NotThere(decision);
  if (loser) {
    parent->Set(tokens.back(), *loser);
  } else {
    parent->object().Erase(tokens.back());
  }
  return absl::OkStatus();
}

}  // namespace

const Document& LosingValue(const Decision& decision) {
  return decision.chosen == Side::kTheirs ? decision.ours : decision.theirs;
}

absl::StatusOr<Document> WithLosersBack(const Document& resolved,
                                        absl::Span<const Decision> decisions,
                                        absl::Span<const std::string> paths) {
  for (const std::string& path : paths) {
    const auto has_path = [&path](const Decision& d) { return d.chosen && d.path == path; };
    if (absl::c_any_of(decisions, has_path)) continue;
    return MakeErrorAt(Reason::kInvalidArgument, path, "nothing was decided at this path");
  }
  std::vector<const Decision*> taken;
  for (const Decision& decision : decisions) {
    const bool wanted = paths.empty() ? decision.kind != ConflictKind::kNone
                                      : absl::c_linear_search(paths, decision.path);
    if (decision.chosen && wanted) taken.push_back(&decision);
  }
  // Of stretches of one list the last first, so that the others stand where they stood, also those
  // that end where it begins; moves when all else is there.
  const auto order = [decisions](const Decision* decision) {
    const bool moves = decision->kind == ConflictKind::kMoveMove;
    const auto begin = decision->region ? static_cast<int64_t>(decision->region->result_begin) : 0;
    const auto place = decision->region ? decision - decisions.data() : 0;
    return std::tuple(moves, -begin, -place);
  };
  absl::c_stable_sort(
      taken, [&order](const Decision* a, const Decision* b) { return order(a) < order(b); });
  Document document = resolved;
  for (const Decision* decision : taken) RETURN_IF_ERROR(PutBack(*decision, document));
  return document;
}

absl::StatusOr<MergeResult> TakeBack(absl::Span<const Decision> decisions,
                                     absl::Span<const std::string> paths, const Document& resolved,
                                     Document head, const MergeOptions& options) {
  ASSIGN_OR_RETURN(Document taken_back, WithLosersBack(resolved, decisions, paths));
  MergeOptions standing = options;
  standing.later = Side::kTheirs;
  standing.standing = Side::kTheirs;
  return Merge(resolved, std::move(head), std::move(taken_back), standing);
}

}  // namespace bdcsync::merge
