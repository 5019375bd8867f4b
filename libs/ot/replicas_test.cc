// Three replicas that edit one document at once through a server, as clients do: one operation in
// flight, the rest composed. Whatever the schedule, all end with one document.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"
#include "libs/ot/choices.h"
#include "libs/ot/compose.h"
#include "libs/ot/delta_json.h"
#include "libs/ot/history.h"
#include "libs/ot/random_text.h"
#include "libs/ot/transform.h"
#include "libs/testing/property_cases.h"

namespace bdcsync::ot {
namespace {

struct Committed {
  Delta delta;
  size_t author;
};

// Keeps the one order of all operations; what comes late is moved over what came before it.
struct Server {
  std::vector<Committed> log;

  bool Commit(const Delta& change, size_t base, size_t author) {
    std::vector<Delta> since;
    for (size_t i = base; i < log.size(); ++i) since.push_back(log[i].delta);
    const absl::StatusOr<Rebased> rebased = Rebase(since, {change});
    if (!rebased.ok()) return false;
    log.push_back({rebased->ours.front(), author});
    return true;
  }
};

struct Replica {
  size_t name;
  Delta content;
  size_t known = 0;  // Entries of the log that are in `content`.
  // Sent and not yet seen in the log, and what was done after it: both as of `content`.
  bool in_flight = false, has_waiting = false;
  Delta flying, waiting;

  bool Edit(const Delta& change) {
    const absl::StatusOr<Delta> after = Apply(content, change);
    const absl::StatusOr<Delta> both = Compose(waiting, change);
    if (!after.ok() || !both.ok()) return false;
    content = *after;
    waiting = *both;
    has_waiting = true;
    return true;
  }

  bool Send(Server& server) {
    if (in_flight || !has_waiting) return true;
    flying = std::exchange(waiting, Delta());
    in_flight = true;
    has_waiting = false;
    return server.Commit(flying, known, name);
  }

  bool Receive(const Server& server) {
    if (known == server.log.size()) return true;
    const Committed& next = server.log[known++];
    if (next.author == name) {
      in_flight = false;
      flying = Delta();
      return true;
    }
    // The server's stands first, on both sides of each diamond.
    const Delta over_flying = Transform(flying, next.delta, Priority::kOther);
    flying = Transform(next.delta, flying, Priority::kThis);
    const Delta over_waiting = Transform(waiting, over_flying, Priority::kOther);
    waiting = Transform(over_flying, waiting, Priority::kThis);
    const absl::StatusOr<Delta> after = Apply(content, over_waiting);
    if (!after.ok()) return false;
    content = *after;
    return true;
  }
};

// The characters of a content, so that the generator can edit it further.
Cells CellsOf(const Delta& content) {
  Cells cells;
  for (const Component& component : content.components()) {
    std::map<std::string, json::Value> formats;
    for (const Format& format : component.attributes.formats()) {
      formats[format.name()] = format.value();
    }
    if (component.kind == Component::Kind::kEmbed) {
      cells.push_back({"", *component.embed, formats});
      continue;
    }
    for (const char c : component.text) {
      const bool continues = (static_cast<uint8_t>(c) & 0xC0) == 0x80;
      if (!continues) cells.push_back({"", {}, formats});
      cells.back().text += c;
    }
  }
  return cells;
}

TEST(Replicas, ThreeConvergeOnWhateverScheduleTheServerSees) {
  const Law converge = [](Choices& choices, std::string& story) {
    const Delta start = ContentOf(RandomText(choices));
    absl::StrAppend(&story, "start ", json::Serialize(ToJson(start)), "\n");
    Server server;
    std::array<Replica, 3> replicas = {Replica{0, start}, Replica{1, start}, Replica{2, start}};
    for (size_t i = choices.Below(25); i > 0; --i) {
      Replica& replica = replicas[choices.Below(3)];
      const size_t what = choices.Below(3);
      bool done = true;
      if (what == 0) {
        const Delta change = RandomEdit(choices, CellsOf(replica.content), 3).delta;
        absl::StrAppend(&story, replica.name, " edits ", json::Serialize(ToJson(change)), "\n");
        done = replica.Edit(change);
      } else {
        absl::StrAppend(&story, replica.name, what == 1 ? " sends\n" : " receives\n");
        done = what == 1 ? replica.Send(server) : replica.Receive(server);
      }
      if (!done) return false;
    }
    for (int round = 0; round < 2; ++round) {  // What is in flight, then what waits behind it.
      for (Replica& replica : replicas) {
        while (replica.known < server.log.size()) {
          if (!replica.Receive(server)) return false;
        }
        if (!replica.Send(server)) return false;
      }
      for (Replica& replica : replicas) {
        while (replica.known < server.log.size()) {
          if (!replica.Receive(server)) return false;
        }
      }
    }
    absl::StatusOr<Delta> expected = start;
    for (const Committed& entry : server.log) {
      if (expected.ok()) expected = Apply(*expected, entry.delta);
    }
    for (const Replica& replica : replicas) {
      absl::StrAppend(&story, replica.name, " has ", json::Serialize(ToJson(replica.content)),
                      "\n");
      if (!expected.ok() || !(replica.content == *expected) || replica.has_waiting) return false;
    }
    return true;
  };
  EXPECT_EQ(FindCounterexample(converge, testing::PropertyCases()), "");
}

}  // namespace
}  // namespace bdcsync::ot
