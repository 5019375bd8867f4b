// The heads that were used last, within a bound of bytes. Only a hint: the log checks what a writer
// expects, so a stale head costs a retry, never a wrong version. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "services/version/entity_state.h"
#include "services/version/text_trail.h"

namespace bdcsync::version {

class HeadCache {
 public:
  // What an entry costs beside its key and state: list node, table slot, control blocks.
  static constexpr size_t kEntryBytes = 160;

  struct Update {
    absl::string_view key;
    StatePtr state;  // Null: forget it.
    // What leads to it; lent out by Find to whoever works on the entity, and given back here.
    std::shared_ptr<TextTrail> trail = nullptr;
  };
  struct Head {
    StatePtr state;  // Null: not known.
    std::shared_ptr<TextTrail> trail;
  };
  struct Stats {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evictions = 0;
    size_t bytes = 0;
    size_t entries = 0;
  };

  explicit HeadCache(size_t bytes_max) : bytes_max_(bytes_max) {}
  HeadCache(const HeadCache&) = delete;
  HeadCache& operator=(const HeadCache&) = delete;

  // The head of each key; a hit becomes the most recently used, and its trail goes to the caller.
  std::vector<Head> Find(absl::Span<const absl::string_view> keys);
  // Sets or forgets heads, then drops the least recently used beyond the bound. A head that alone
  // is larger than the bound is not kept.
  void Apply(absl::Span<const Update> updates);
  Stats stats() const;

 private:
  struct Entry {
    std::string key;
    size_t hash = 0;  // Of the key, so that dropping an entry, long unused, reads nothing else.
    StatePtr state;
    std::shared_ptr<TextTrail> trail;
    size_t bytes = 0;
  };
  using Entries = std::list<Entry>;
  struct HashOfKey {
    using is_transparent = void;
    size_t operator()(absl::string_view key) const { return absl::HashOf(key); }
    size_t operator()(Entries::iterator entry) const { return entry->hash; }
  };
  struct SameKey {
    using is_transparent = void;
    bool operator()(Entries::iterator a, Entries::iterator b) const { return a == b; }
    bool operator()(Entries::iterator entry, absl::string_view key) const {
      return entry->key == key;
    }
  };

  void Forget(absl::string_view key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(Entries::iterator entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Set(const Update& update) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t bytes_max_;
  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);  // Most recently used first.
  absl::flat_hash_set<Entries::iterator, HashOfKey, SameKey> places_ ABSL_GUARDED_BY(mutex_);
  Stats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::version
