// Which events of a space a subscription is about. Type, id and branch of a stream never change;
// the category of an entity does, which is how it enters and leaves a view. Immutable once made,
// hence thread-safe.
#pragma once

#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "services/gateway/session/subscriptions.h"

namespace bdcsync::gateway {

struct ConflictNews;
struct FeedEvent;

class EntityFilter {
 public:
  explicit EntityFilter(const SubscriptionFilter& filter);

  // Whether the event is about an entity, and one whose type, id and branch are asked for.
  bool MatchesStream(const FeedEvent& event) const;
  // Whether the event is about conflicts of an entity whose type and id are asked for …
  bool MatchesConflictsOf(const FeedEvent& event) const;
  // … and whether main, or the branch that holds this one's change, is. Its category is not known
  // here and does not count.
  bool MatchesConflict(const ConflictNews& news) const;
  bool MatchesCategory(absl::string_view category) const {
    return categories_.empty() || categories_.contains(category);
  }
  // Equal for filters that match the same; subscriptions with one key share their frames.
  static std::string KeyOf(const SubscriptionFilter& filter);

 private:
  using Names = absl::flat_hash_set<std::string>;

  bool MatchesEntity(const FeedEvent& event) const;

  Names entity_types_;
  Names entity_ids_;
  Names categories_;
  Names branches_;  // Never empty.
};

}  // namespace bdcsync::gateway
