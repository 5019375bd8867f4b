#include "services/conflict/meeting.h"

#include <utility>

#include "libs/base/errors.h"
#include "libs/json/serialize.h"

namespace bdcsync::conflict {
namespace {

using json::Value;

void SetText(const Document& document, std::string& out) {
  if (document) json::AppendTo(*document, out);
}

// What a script may know of the meeting beside the values.
Value MetaOf(const Meeting& meeting, const WriteOrder& order) {
  Value meta;
  meta.Set("space", meeting.entity.space());
  meta.Set("entity_type", meeting.entity.entity_type());
  meta.Set("entity_id", meeting.entity.entity_id());
  meta.Set("later", merge::SideName(order.later));
  const auto add = [&meta](const std::string& name, const v1::Side& side) {
    const int64_t time_ms = side.client_time_ms() > 0 ? side.client_time_ms() : side.time_ms();
    meta.Set(name + "_time", time_ms);
    meta.Set(name + "_user", side.user_id());
    meta.Set(name + "_device", side.device_id());
  };
  add("base", meeting.base);
  add("theirs", meeting.theirs);
  add("ours", meeting.ours);
  meta.Set("app_version", meeting.ours.app_version());
  return meta;
}

}  // namespace

absl::StatusOr<Document> SideReader::Read(absl::string_view field, const v1::Side& side) {
  if (!side.exists()) return Document();
  absl::StatusOr<Value> value = versions_.Read(side.data());
  if (value.ok()) return Document(*std::move(value));
  return MakeErrorAt(Reason::kInvalidArgument, field, value.status().message());
}

void WriteDocument(const Document& document, v1::Side& side) {
  side.set_exists(document.has_value());
  side.clear_data();
  SetText(document, *side.mutable_data());
}

MeetingRules::MeetingRules(const Meeting& meeting, const MeetingContext& context,
                           merge::RuleEvaluator* others, PlaceTimes* times)
    : meeting_(meeting),
      context_(context),
      set_(context.rules.For(meeting.entity.entity_type())),
      order_(OrderOf(meeting.base, meeting.theirs, meeting.ours, context.now_ms,
                     context.clock_skew_max)),
      others_(others),
      times_(times) {
  if (!set_.rules.has_scripts()) return;
  rules::ScriptEvaluator::Hooks hooks;
  hooks.on_run = [&context, type = meeting.entity.entity_type()](const absl::Status& run) {
    if (context.on_script) context.on_script(type, run);
  };
  hooks.has_time = context.has_time_for_script;
  scripts_.emplace(MetaOf(meeting, order_), others, std::move(hooks));
}

merge::MergeOptions MeetingRules::options() {
  merge::MergeOptions options;
  options.rules = &set_.rules;
  options.later = order_.later;
  if (times_ != nullptr) {
    options.later_at = [this](const std::string& path) { return OrderAt(path).later; };
  }
  options.evaluator = scripts_ ? &*scripts_ : others_;
  options.matching_work_max = context_.matching_work_max;
  return options;
}

WriteOrder MeetingRules::OrderAt(const std::string& path) const {
  const std::optional<WriteTime> written = times_ == nullptr ? std::nullopt : times_->LastAt(path);
  if (!written) return order_;
  v1::Side theirs;
  theirs.set_client_time_ms(written->client_time_ms);
  theirs.set_time_ms(written->time_ms > 0 ? written->time_ms : context_.now_ms);
  return OrderOf(meeting_.base, theirs, meeting_.ours, context_.now_ms, context_.clock_skew_max);
}

void MeetingRules::AddTo(const merge::Decision& decision, v1::Decision& out) const {
  out.set_path(decision.path);
  out.set_rule(std::string(merge::RuleName(decision.rule)));
  out.set_kind(std::string(merge::ConflictKindName(decision.kind)));
  SetText(decision.base, *out.mutable_base());
  SetText(decision.theirs, *out.mutable_theirs());
  SetText(decision.ours, *out.mutable_ours());
  SetText(decision.result, *out.mutable_result());
  if (decision.chosen) out.set_chosen(std::string(merge::SideName(*decision.chosen)));
  const bool by_time = decision.rule == merge::RuleKind::kLastWriteWins ||
                       decision.rule == merge::RuleKind::kFirstWrite;
  if (by_time) out.set_close_call(OrderAt(decision.path).close_call);
  if (!decision.region) return;
  v1::Region& region = *out.mutable_region();
  region.set_base_begin(static_cast<int64_t>(decision.region->base_begin));
  region.set_theirs_begin(static_cast<int64_t>(decision.region->theirs_begin));
  region.set_ours_begin(static_cast<int64_t>(decision.region->ours_begin));
  region.set_result_begin(static_cast<int64_t>(decision.region->result_begin));
}

}  // namespace bdcsync::conflict
