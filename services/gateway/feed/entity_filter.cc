#include "services/gateway/feed/entity_filter.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/entity/key.h"
#include "services/gateway/feed/feed_event.h"

namespace bdcsync::gateway {
namespace {

void AppendKey(std::vector<std::string> names, std::string& key) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  absl::StrAppend(&key, names.size(), "[");
  for (const std::string& name : names) absl::StrAppend(&key, name.size(), ":", name);
}

}  // namespace

EntityFilter::EntityFilter(const SubscriptionFilter& filter)
    : entity_types_(filter.entity_types.begin(), filter.entity_types.end()),
      entity_ids_(filter.entity_ids.begin(), filter.entity_ids.end()),
      categories_(filter.categories.begin(), filter.categories.end()),
      branches_(filter.branches.begin(), filter.branches.end()) {
  if (branches_.empty()) branches_.insert(std::string(entity::kMainBranch));
}

bool EntityFilter::MatchesEntity(const FeedEvent& event) const {
  return (entity_types_.empty() || entity_types_.contains(event.entity_type)) &&
         (entity_ids_.empty() || entity_ids_.contains(event.entity_id));
}

bool EntityFilter::MatchesStream(const FeedEvent& event) const {
  return event.entity && branches_.contains(event.branch) && MatchesEntity(event);
}

bool EntityFilter::MatchesConflictsOf(const FeedEvent& event) const {
  return event.conflict != nullptr && MatchesEntity(event);
}

bool EntityFilter::MatchesConflict(const ConflictNews& news) const {
  return branches_.contains(entity::kMainBranch) || branches_.contains(news.conflict->branch());
}

std::string EntityFilter::KeyOf(const SubscriptionFilter& filter) {
  std::string key;
  AppendKey(filter.entity_types, key);
  AppendKey(filter.entity_ids, key);
  AppendKey(filter.categories, key);
  AppendKey(filter.branches.empty() ? std::vector<std::string>{std::string(entity::kMainBranch)}
                                    : filter.branches,
            key);
  return key;
}

}  // namespace bdcsync::gateway
