// All resolvers that the configuration allows, by name. Thread-safe; never blocks but in Drain.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/conflict/remote/remote_resolver.h"
#include "services/conflict/remote/resolver_line.h"

namespace bdcsync::conflict {

class ResolverRegistry final : public RemoteResolver {
 public:
  // `on_unknown` is told how many places a resolver was asked about that nobody knows.
  explicit ResolverRegistry(std::function<void(std::size_t places)> on_unknown)
      : on_unknown_(std::move(on_unknown)) {}
  // Before the first ResolvePlaces.
  void Add(std::string name, std::unique_ptr<ResolverLine> line);
  // For the parser of rule sets, which refuses other names.
  const absl::flat_hash_set<std::string>& names() const { return names_; }

  void ResolvePlaces(absl::string_view name, std::vector<RemotePlace> places,
                     Answered answered) override;

  // Returns when nothing is under way, or at `deadline`.
  void Drain(absl::Time deadline);

 private:
  const std::function<void(std::size_t places)> on_unknown_;
  std::map<std::string, std::unique_ptr<ResolverLine>> lines_;
  absl::flat_hash_set<std::string> names_;
};

}  // namespace bdcsync::conflict
