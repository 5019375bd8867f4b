#include "services/conflict/rule_set_registry.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/json/parse.h"

namespace bdcsync::conflict {
namespace {

absl::Status Unavailable(absl::string_view what) { return MakeError(Reason::kUnavailable, what); }

// What a caller is told of a failed store: its own mistakes as they are, all else as "try again".
absl::Status Told(const absl::Status& status) {
  // Failures of the store name no place.
  return PathOf(status).empty() ? Unavailable("the rule sets cannot be reached now") : status;
}

absl::Status CheckAuthor(absl::string_view author) {
  const auto is_control = [](unsigned char c) { return absl::ascii_iscntrl(c); };
  if (author.size() <= kAuthorBytesMax && !absl::c_any_of(author, is_control) &&
      author != kFileAuthor) {
    return absl::OkStatus();
  }
  return MakeErrorAt(Reason::kInvalidArgument, "author",
                     absl::StrCat("author must be a user, at most ", kAuthorBytesMax, " bytes"));
}

// Whoever decides has a space of their own.
bool CanBeUser(absl::string_view name) {
  return entity::ValidateSpace(absl::StrCat("user:", name)).ok();
}

absl::StatusOr<int> LimitOf(int asked) {
  const int limit = asked == 0 ? kRulePageDefault : asked;
  if (limit >= 1 && limit <= kRulePageMax) return limit;
  return MakeErrorAt(Reason::kInvalidArgument, "limit",
                     absl::StrCat("limit must be 1 to ", kRulePageMax));
}

}  // namespace

RuleSetRegistry::RuleSetRegistry(RuleSetStorage& storage, const merge::ScriptCompiler& scripts,
                                 const Clock& clock, Options options, Observer observer)
    : storage_(storage),
      scripts_(scripts),
      clock_(clock),
      options_(std::move(options)),
      observer_(std::move(observer)),
      active_(std::make_shared<const ActiveRules>()) {}

absl::StatusOr<merge::RuleSet> RuleSetRegistry::Compile(absl::string_view rules,
                                                        Names names) const {
  if (rules.size() > kRuleSetBytesMax) {
    return MakeErrorAt(Reason::kTooLarge, "rules",
                       absl::StrCat("a rule set has at most ", kRuleSetBytesMax, " bytes"));
  }
  absl::StatusOr<json::Value> value = json::Parse(rules, {.depth_max = kRuleSetDepthMax});
  if (!value.ok()) {
    return MakeErrorAt(Reason::kInvalidArgument, "rules", value.status().message());
  }
  merge::RuleSetContext context{.scripts = &scripts_};
  if (names == Names::kKnown) {
    context.can_be_user = CanBeUser;
    if (options_.resolvers) context.resolvers = &*options_.resolvers;
  }
  return merge::ParseRuleSet(*value, context);
}

absl::Status RuleSetRegistry::Refresh() {
  absl::MutexLock lock(&refreshing_);
  absl::StatusOr<int64_t> revision = storage_.Revision();
  if (revision.ok() && revision_ == *revision) {
    observer_.on_read(absl::OkStatus(), false);
    return absl::OkStatus();
  }
  absl::StatusOr<RuleSetsThatHold> holding =
      revision.ok() ? storage_.ReadHolding() : absl::StatusOr<RuleSetsThatHold>(revision.status());
  if (!holding.ok()) {
    observer_.on_read(holding.status(), false);
    return holding.status();
  }
  absl::Status status;
  const std::shared_ptr<const ActiveRules> before = active_.Get();
  ActiveRules::Sets sets;
  for (const v1::RuleSet& set : holding->sets) {
    const auto known = before->sets().find(set.entity_type());
    if (known != before->sets().end()) sets.insert(*known);
    if (known != before->sets().end() && known->second->version == set.version()) continue;
    absl::StatusOr<merge::RuleSet> compiled = Compile(set.rules(), Names::kAny);
    if (compiled.ok()) {
      sets[set.entity_type()] =
          std::make_shared<const ActiveRuleSet>(ActiveRuleSet{set.version(), *std::move(compiled)});
    } else {
      status = absl::Status(compiled.status().code(),
                            absl::StrCat("rule set ", set.version(), " of ", set.entity_type(),
                                         ": ", compiled.status().message()));
    }
  }
  const bool changed = sets != before->sets();
  if (changed) active_.Set(std::make_shared<const ActiveRules>(std::move(sets)));
  revision_ = holding->revision;
  observer_.on_read(status, changed);
  return status;
}

void RuleSetRegistry::Changed() {
  // What was stored holds; when it cannot be read back now, the next look finds it.
  Refresh().IgnoreError();
  observer_.on_changed();
}

absl::StatusOr<v1::RuleSet> RuleSetRegistry::Store(const NewRuleSet& added) {
  absl::StatusOr<v1::RuleSet> stored = storage_.Put(added);
  if (!stored.ok()) return Told(stored.status());
  return stored;
}

absl::StatusOr<v1::PutRuleSetResponse> RuleSetRegistry::Put(const v1::PutRuleSetRequest& request) {
  RETURN_IF_ERROR(entity::ValidateType(request.entity_type()));
  RETURN_IF_ERROR(CheckAuthor(request.author()));
  if (request.expected_version() < 0) {
    return MakeErrorAt(Reason::kInvalidArgument, kExpectedVersion, "there is no such version");
  }
  RETURN_IF_ERROR(Compile(request.rules(), Names::kKnown).status());
  NewRuleSet added;
  added.set.set_entity_type(request.entity_type());
  added.set.set_rules(request.rules());
  added.set.set_author(request.author());
  if (request.expected_version() > 0) added.expected_version = request.expected_version();
  added.types_max = options_.types_max;
  v1::PutRuleSetResponse response;
  if (request.validate_only()) {
    *response.mutable_rule_set() = std::move(added.set);
    return response;
  }
  added.set.set_time_ms(absl::ToUnixMillis(clock_.Now()));
  ASSIGN_OR_RETURN(*response.mutable_rule_set(), Store(added));
  Changed();
  return response;
}

absl::StatusOr<v1::GetRuleSetResponse> RuleSetRegistry::Get(const v1::GetRuleSetRequest& request) {
  RETURN_IF_ERROR(entity::ValidateType(request.entity_type()));
  absl::StatusOr<std::optional<v1::RuleSet>> found =
      storage_.Get(request.entity_type(), request.version());
  if (!found.ok()) return Told(found.status());
  if (!*found) return MakeError(Reason::kNotFound, "there is no such rule set");
  v1::GetRuleSetResponse response;
  *response.mutable_rule_set() = **std::move(found);
  return response;
}

absl::StatusOr<v1::ListRuleSetsResponse> RuleSetRegistry::List(
    const v1::ListRuleSetsRequest& request) {
  ASSIGN_OR_RETURN(const int limit, LimitOf(request.limit()));
  const bool versions = !request.entity_type().empty();
  int64_t before = 0;
  if (versions) {
    RETURN_IF_ERROR(entity::ValidateType(request.entity_type()));
    const bool numbered = absl::SimpleAtoi(request.page_token(), &before) && before > 0;
    if (!request.page_token().empty() && !numbered) {
      return MakeErrorAt(Reason::kInvalidArgument, "page_token", "page_token is not one of ours");
    }
  } else if (!request.page_token().empty()) {
    RETURN_IF_ERROR(entity::ValidateType(request.page_token()));
  }
  absl::StatusOr<std::vector<v1::RuleSet>> found =
      versions ? storage_.ListVersions(request.entity_type(), before, limit)
               : storage_.ListHolding(request.page_token(), limit);
  if (!found.ok()) return Told(found.status());
  v1::ListRuleSetsResponse response;
  size_t bytes = 0;
  bool all = found->size() < static_cast<size_t>(limit);
  for (v1::RuleSet& set : *found) {
    bytes += set.ByteSizeLong();
    if (response.rule_sets_size() > 0 && bytes > kRulePageBytesMax) {
      all = false;
      break;
    }
    *response.add_rule_sets() = std::move(set);
  }
  if (!all) {
    const v1::RuleSet& last = response.rule_sets(response.rule_sets_size() - 1);
    response.set_next_page_token(versions ? absl::StrCat(last.version()) : last.entity_type());
  }
  return response;
}

absl::StatusOr<v1::RemoveRuleSetResponse> RuleSetRegistry::Remove(
    const v1::RemoveRuleSetRequest& request) {
  RETURN_IF_ERROR(entity::ValidateType(request.entity_type()));
  RETURN_IF_ERROR(CheckAuthor(request.author()));
  absl::StatusOr<bool> removed = storage_.Remove(request.entity_type(), request.author());
  if (!removed.ok()) return Told(removed.status());
  if (*removed) Changed();
  return v1::RemoveRuleSetResponse();
}

absl::Status RuleSetRegistry::PutFile(const RuleTexts& sets) {
  for (const auto& [type, rules] : sets) {
    absl::Status valid = entity::ValidateType(type);
    if (valid.ok()) valid = Compile(rules, Names::kKnown).status();
    if (valid.ok()) continue;
    return MakeErrorAt(Reason::kInvalidArgument, PathOf(valid),
                       absl::StrCat("rules of \"", type, "\": ", valid.message()));
  }
  bool changed = false;
  for (const auto& [type, rules] : sets) {
    ASSIGN_OR_RETURN(const bool put, PutFromFile(type, rules));
    changed = changed || put;
  }
  ASSIGN_OR_RETURN(const bool removed, RemoveMissing(sets));
  if (changed || removed) Changed();
  return absl::OkStatus();
}

absl::StatusOr<bool> RuleSetRegistry::PutFromFile(const std::string& entity_type,
                                                  const std::string& rules) {
  const std::string author(kFileAuthor);
  absl::StatusOr<std::optional<StoredRuleSet>> latest = storage_.LatestOf(entity_type, author);
  if (!latest.ok()) return Told(latest.status());
  const bool known =
      latest->has_value() && (*latest)->set.rules() == rules && (*latest)->removed_by != author;
  if (known) return false;
  absl::StatusOr<std::optional<v1::RuleSet>> holding = storage_.Get(entity_type, 0);
  if (!holding.ok()) return Told(holding.status());
  NewRuleSet added;
  added.set.set_entity_type(entity_type);
  added.set.set_rules(rules);
  added.set.set_author(author);
  added.set.set_time_ms(absl::ToUnixMillis(clock_.Now()));
  added.types_max = options_.types_max;
  // Another replica may be taking over the same file.
  added.expected_version = *holding ? (*holding)->version() : 0;
  RETURN_IF_ERROR(Store(added).status());
  return true;
}

absl::StatusOr<bool> RuleSetRegistry::RemoveMissing(const RuleTexts& sets) {
  absl::StatusOr<RuleSetsThatHold> holding = storage_.ReadHolding();
  if (!holding.ok()) return Told(holding.status());
  bool removed = false;
  for (const v1::RuleSet& set : holding->sets) {
    if (set.author() != kFileAuthor || sets.contains(set.entity_type())) continue;
    absl::StatusOr<bool> one = storage_.Remove(set.entity_type(), std::string(kFileAuthor));
    if (!one.ok()) return Told(one.status());
    removed = removed || *one;
  }
  return removed;
}

}  // namespace bdcsync::conflict
