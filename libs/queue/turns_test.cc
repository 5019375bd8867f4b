#include "libs/queue/turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "libs/testing/property_cases.h"

namespace bdcsync::queue {
namespace {

// What Turns does, by looking at everything each time.
class AllLookedAt {
 public:
  struct Entry {
    std::vector<uint64_t> keys;
    absl::Duration due;
    bool taken = false;
  };

  std::map<int64_t, Entry> entries;

  std::vector<int64_t> Ready(absl::Duration now) const {
    std::vector<int64_t> ready;
    for (const auto& [id, entry] : entries) {
      if (!entry.taken && entry.due <= now && First(id)) ready.push_back(id);
    }
    return ready;
  }
  absl::Duration NextReady() const {
    absl::Duration next = absl::InfiniteDuration();
    for (const auto& [id, entry] : entries) {
      if (!entry.taken && First(id)) next = std::min(next, entry.due);
    }
    return next;
  }
  std::vector<int64_t> Behind(int64_t id, const std::vector<uint64_t>& keys) const {
    std::set<uint64_t> stopped(keys.begin(), keys.end());
    std::vector<int64_t> behind;
    for (auto entry = entries.upper_bound(id); entry != entries.end(); ++entry) {
      if (entry->second.taken || !Shares(entry->second.keys, stopped)) continue;
      stopped.insert(entry->second.keys.begin(), entry->second.keys.end());
      behind.push_back(entry->first);
    }
    return behind;
  }

 private:
  static bool Shares(const std::vector<uint64_t>& keys, const std::set<uint64_t>& others) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](uint64_t key) { return others.contains(key); });
  }
  bool First(int64_t id) const {
    const std::vector<uint64_t>& keys = entries.at(id).keys;
    return std::none_of(entries.begin(), entries.lower_bound(id), [&](const auto& before) {
      return Shares(before.second.keys, {keys.begin(), keys.end()});
    });
  }
};

// One history of a queue, in Turns and in the other at once.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {}

  void Step() {
    switch (Below(6)) {
      case 0:
        return Add(next_id_++);
      case 1:  // At its old place, as one that was parked.
        return Add(1 + Below(next_id_));
      case 2:
        now_ += absl::Milliseconds(Below(5));
        return;
      case 3:
        return Take(Below(4));
      case 4:
        return Return();
      default:
        return Remove();
    }
  }
  void Check() {
    const auto& ready = turns_.Ready(now_);
    ASSERT_EQ(std::vector<int64_t>(ready.begin(), ready.end()), model_.Ready(now_));
    const auto next = [this](absl::Duration at) { return std::max(at, now_); };
    ASSERT_EQ(next(turns_.NextReady()), next(model_.NextReady()));
    const int64_t id = Below(next_id_ + 1);
    const std::vector<uint64_t> keys = Keys();
    ASSERT_EQ(turns_.Behind(id, keys), model_.Behind(id, keys));
  }

 private:
  int64_t Below(int64_t limit) { return static_cast<int64_t>(random_() % limit); }
  std::vector<uint64_t> Keys() {
    std::vector<uint64_t> keys;
    for (uint64_t key = 0; key < 4; ++key) {
      if (Below(3) == 0) keys.push_back(key);
    }
    return keys;
  }
  // One of those that were taken or were not; 0: there is none.
  int64_t Any(bool taken) {
    std::vector<int64_t> ids;
    for (const auto& [id, entry] : model_.entries) {
      if (entry.taken == taken) ids.push_back(id);
    }
    return ids.empty() ? 0 : ids[Below(static_cast<int64_t>(ids.size()))];
  }
  void Add(int64_t id) {
    if (model_.entries.contains(id)) return;
    const std::vector<uint64_t> keys = Keys();
    turns_.Add(id, keys);
    model_.entries[id].keys = keys;
  }
  void Take(int64_t count) {
    const auto ready = model_.Ready(now_);
    turns_.Ready(now_);
    for (int64_t i = 0; i < std::min<int64_t>(count, ready.size()); ++i) {
      turns_.Take(ready[i]);
      model_.entries[ready[i]].taken = true;
    }
  }
  void Return() {
    const int64_t id = Any(/*taken=*/true);
    if (id == 0) return;
    const absl::Duration due = now_ + absl::Milliseconds(Below(10));
    turns_.Return(id, due);
    model_.entries[id].taken = false;
    model_.entries[id].due = due;
  }
  void Remove() {
    const int64_t id = Any(/*taken=*/Below(2) == 0);
    if (id == 0) return;
    turns_.Remove(id);
    model_.entries.erase(id);
  }

  std::mt19937_64 random_;
  absl::Duration now_ = absl::Milliseconds(1);
  int64_t next_id_ = 1;
  Turns turns_;
  AllLookedAt model_;
};

TEST(Turns, AreTheSameAsWhenAllItemsAreLookedAtEachTime) {
  constexpr int kStepsPerCase = 60;
  for (uint64_t seed = 0; seed < testing::PropertyCases() / kStepsPerCase; ++seed) {
    SCOPED_TRACE(seed);
    History history(seed);
    for (int step = 0; step < kStepsPerCase; ++step) {
      history.Step();
      history.Check();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(Turns, NothingIsReadyBeforeSomethingIsAdded) {
  Turns turns;
  EXPECT_TRUE(turns.Ready(absl::Seconds(1)).empty());
  EXPECT_EQ(turns.NextReady(), absl::InfiniteDuration());
}

TEST(Turns, WhoeverWasPassedByAnEarlierOneWaitsForIt) {
  Turns turns;
  turns.Add(2, {7});
  EXPECT_EQ(turns.Ready(absl::Seconds(1)).count(2), 1u);
  turns.Add(1, {7});
  EXPECT_EQ(turns.Ready(absl::Seconds(1)).count(2), 0u);
  turns.Remove(1);
  EXPECT_EQ(turns.Ready(absl::Seconds(1)).count(2), 1u);
}

}  // namespace
}  // namespace bdcsync::queue
