// Random text operations on old bases, in batches, with restarts and repeats, against a model that
// is slow and plain: one step per unit, every version kept.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "libs/json/serialize.h"
#include "libs/ot/choices.h"
#include "libs/ot/delta_json.h"
#include "libs/testing/property_cases.h"
#include "services/version/testing/committer_fixture.h"

namespace bdcsync::version::testing {
namespace {

using ot::Choices;

// One unit is kept ('='), deleted ('-') or inserted (any other letter).
using Units = std::string;

bool Inserts(char unit) { return unit != '=' && unit != '-'; }

// Inserts before deletes at each place, nothing kept at the end.
Units Canonical(Units units) {
  for (auto run = units.begin(); run != units.end();) {
    run = std::find_if(run, units.end(), [](char unit) { return unit != '='; });
    const auto end = std::find(run, units.end(), '=');
    std::stable_partition(run, end, Inserts);
    run = end;
  }
  while (!units.empty() && units.back() == '=') units.pop_back();
  return units;
}

// `second` as it is to be done after `first`, which was first.
Units Moved(const Units& first, const Units& second, bool first_has_priority) {
  Units moved;
  size_t i = 0;
  for (size_t j = 0; j < second.size();) {
    const char theirs = i < first.size() ? first[i] : '=';
    if (Inserts(theirs) && (first_has_priority || !Inserts(second[j]))) {
      moved += '=';
      ++i;
    } else if (Inserts(second[j])) {
      moved += second[j++];
    } else {
      if (theirs != '-') moved += second[j];
      ++i;
      ++j;
    }
  }
  return Canonical(moved);
}

std::string Done(const std::string& text, const Units& units) {
  std::string result;
  size_t place = 0;
  for (const char unit : units) {
    if (Inserts(unit)) {
      result += unit;
    } else {
      if (unit == '=') result += text[place];
      ++place;
    }
  }
  return result + text.substr(place);
}

Units AnyUnits(Choices& choices, size_t length) {
  Units units;
  for (size_t left = length;;) {
    const size_t choice = choices.Below(6);
    if (choice == 0) return Canonical(units);
    if (choice <= 2) units += static_cast<char>('a' + choices.Below(26));
    if (choice > 2 && left == 0) continue;
    if (choice > 2) {
      const size_t count = 1 + choices.Below(left);
      units.append(count, choice == 3 ? '-' : '=');
      left -= count;
    }
  }
}

std::string OpsOf(const Units& units) {
  ot::Delta ops;
  for (const char unit : units) {
    if (unit == '=') ops.Retain(1);
    if (unit == '-') ops.Delete(1);
    if (Inserts(unit)) ops.InsertText(absl::string_view(&unit, 1));
  }
  return json::Serialize(ot::ToJson(ops));
}

class TextRandom : public CommitterFixture {
 protected:
  struct Version {
    std::string id;
    Units units;  // What made it.
    std::string text;
  };

  bool Play(Choices& choices, std::string& story);
  bool PlayBatch(Choices& choices, std::string& story);

  std::string id_;
  std::vector<Version> versions_;
  std::vector<Operation> last_batch_;
};

bool TextRandom::PlayBatch(Choices& choices, std::string& story) {
  const size_t base = versions_.size() - 1 - choices.Below(std::min<size_t>(versions_.size(), 8));
  std::vector<Units> theirs;
  for (size_t i = base + 1; i < versions_.size(); ++i) theirs.push_back(versions_[i].units);
  std::string had = versions_[base].text;
  std::vector<Operation> batch;
  absl::StrAppend(&story, "on version ", base, ":");
  const size_t count = 1 + choices.Below(3);
  for (size_t i = 0; i < count; ++i) {
    const Units ours = AnyUnits(choices, had.size());
    absl::StrAppend(&story, " [", ours, "]");
    had = Done(had, ours);
    batch.push_back(On(Text(id_, OpsOf(ours)), versions_[base].id));
    Units moved = ours;
    for (Units& their : theirs) {
      const Units next = Moved(their, moved, true);
      their = Moved(moved, their, false);
      moved = next;
    }
    versions_.push_back({"", moved, Done(versions_.back().text, moved)});
  }
  const auto results = CommitAll(batch, As::kClientBatch);
  const size_t first = versions_.size() - count;
  for (size_t i = 0; i < count; ++i) {
    versions_[first + i].id = results[i].version_id();
    absl::StrAppend(&story, results[i].has_error() ? results[i].error().message() : "");
  }
  last_batch_ = batch;
  const std::string want = "{\"t\":\"" + versions_.back().text + "\"}";
  absl::StrAppend(&story, "\n  want ", want, "\n  have ", DataOf(id_), "\n");
  return DataOf(id_) == want;
}

bool TextRandom::Play(Choices& choices, std::string& story) {
  CommitLimits limits;
  limits.data.text_trail_bytes_max = choices.OneIn(2) ? 256 << 10 : choices.Below(2000);
  Restart(limits);
  id_ = absl::StrCat("e", ++operations_);
  versions_ = {{Commit(Create(id_, R"({"t":""})")).version_id(), "", ""}};
  for (size_t turns = 1 + choices.Below(12); turns > 0; --turns) {
    if (choices.OneIn(4)) Restart(limits);
    if (choices.OneIn(5) && !last_batch_.empty()) {
      for (const Result& result : CommitAll(last_batch_, As::kClientBatch)) {
        if (result.outcome() != common::v1::OUTCOME_DUPLICATE) return false;
      }
    }
    if (!PlayBatch(choices, story)) return false;
  }
  return true;
}

TEST_F(TextRandom, EveryOperationGetsToTheHeadAsThePlainModelSays) {
  const uint64_t cases = ::bdcsync::testing::PropertyCases() / 10;  // Each is a dozen batches.
  const std::string counterexample = ot::FindCounterexample(
      [this](Choices& choices, std::string& story) { return Play(choices, story); }, cases);
  EXPECT_EQ(counterexample, "");
  EXPECT_GT(observer_.text[static_cast<size_t>(TextRoute::kSteps)], 1000);
}

}  // namespace
}  // namespace bdcsync::version::testing
