#include "services/conflict/remote/resolver_registry.h"

#include <utility>

namespace bdcsync::conflict {

void ResolverRegistry::Add(std::string name, std::unique_ptr<ResolverLine> line) {
  names_.insert(name);
  lines_[std::move(name)] = std::move(line);
}

void ResolverRegistry::ResolvePlaces(absl::string_view name, std::vector<RemotePlace> places,
                                     Answered answered) {
  const auto line = lines_.find(std::string(name));
  if (line != lines_.end()) {
    line->second->Resolve(std::move(places), std::move(answered));
    return;
  }
  on_unknown_(places.size());
  answered(std::vector<RemoteAnswer>(
      places.size(), {.failure = NoAnswer::kUnknownResolver, .value = std::nullopt}));
}

void ResolverRegistry::Drain(absl::Time deadline) {
  for (const auto& [name, line] : lines_) line->Drain(deadline);
}

}  // namespace bdcsync::conflict
