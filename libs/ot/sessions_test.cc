// Editing sessions of real people (../shared/data beside the checkout), replayed by one writer and
// by two at once. Where the data is not there, generated sessions of the same shape take its place,
// and the test says so.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "libs/json/parse.h"
#include "libs/ot/document.h"
#include "libs/ot/transform.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::ot {
namespace {

struct Patch {
  int64_t position, deleted;  // Code points.
  std::string inserted;
};
// What one of two writers did in one go, having seen so many of the other's transactions.
struct Transaction {
  size_t writer;
  size_t seen_of_other;
  std::vector<Patch> patches;
};
struct Session {
  std::string start;
  std::optional<std::string> end;  // Unknown when generated.
  std::vector<Transaction> transactions;
};

std::string ReadGzip(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  std::string text;
  char buffer[1 << 16];
  while (file != nullptr) {
    const int bytes = gzread(file.get(), buffer, sizeof(buffer));
    if (bytes <= 0) break;
    text.append(buffer, static_cast<size_t>(bytes));
  }
  return text;
}

std::vector<Patch> PatchesOf(const json::Value& transaction) {
  std::vector<Patch> patches;
  for (const json::Value& patch : transaction.Find("patches")->array()) {
    const json::Array& fields = patch.array();
    patches.push_back(
        {*fields[0].AsInt64(), *fields[1].AsInt64(), std::string(fields[2].string())});
  }
  return patches;
}

Session Recorded(const json::Value& recording) {
  Session session;
  if (const json::Value* start = recording.Find("startContent"))
    session.start = std::string(start->string());
  session.end = std::string(recording.Find("endContent")->string());
  std::vector<std::array<size_t, 2>> versions;  // Of each transaction: seen of either writer.
  for (const json::Value& transaction : recording.Find("txns")->array()) {
    std::array<size_t, 2> version = {0, 0};
    if (const json::Value* parents = transaction.Find("parents")) {
      for (const json::Value& parent : parents->array()) {
        const auto& other = versions[static_cast<size_t>(*parent.AsInt64())];
        for (size_t i = 0; i < 2; ++i) version[i] = std::max(version[i], other[i]);
      }
    }
    const json::Value* agent = transaction.Find("agent");
    const size_t writer = agent == nullptr ? 0 : static_cast<size_t>(*agent->AsInt64());
    session.transactions.push_back({writer, version[1 - writer], PatchesOf(transaction)});
    ++version[writer];
    versions.push_back(version);
  }
  return session;
}

Session Generated(size_t writers) {
  std::mt19937_64 random(11);
  Session session;
  std::array<size_t, 2> made = {0, 0}, seen = {0, 0};
  const std::array<const char*, 5> words = {"a", "word ", "\n", "\u00E9", "\U0001F600"};
  for (int i = 0; i < 5000; ++i) {
    const size_t writer = random() % writers;
    seen[writer] += random() % (made[1 - writer] - seen[writer] + 1);
    ++made[writer];
    session.transactions.push_back({writer,
                                    seen[writer],
                                    {{static_cast<int64_t>(random() % 100'000),
                                      static_cast<int64_t>(random() % 3), words[random() % 5]}}});
  }
  return session;
}

Session Load(const std::string& name, size_t writers) {
  const std::string text = ReadGzip(std::string(BDC_OT_SHARED_DATA) + "/" + name);
  if (text.empty()) {
    std::printf("%s is not there: replaying a generated session\n", name.c_str());
    return Generated(writers);
  }
  return Recorded(*json::Parse(text));
}

// The patch as a delta on the document. Generated patches may lie beyond its end.
Delta DeltaOf(const Patch& patch, const Document& document) {
  const int64_t points = document.size().points;
  const int64_t position = patch.position % (points + 1);
  const int64_t deleted = std::min(patch.deleted, points - position);
  const int64_t begin = document.UnitOfPoint(position);
  const int64_t end = document.UnitOfPoint(position + deleted);
  return Delta().Retain(begin).InsertText(patch.inserted).Delete(end - begin);
}

// One of two writers: a document, and what the other did and this one has not seen, as it is to be
// done to it, one after another.
struct Writer {
  Document document;
  std::deque<Delta> unseen;
  size_t seen = 0;

  void SeeUntil(size_t count) {
    for (; seen < count; ++seen) {
      ASSERT_FALSE(unseen.empty());
      ASSERT_OK(document.Apply(unseen.front()));
      unseen.pop_front();
    }
  }
  // Does the change here; returns it as it is after all that this writer has not seen.
  Delta Write(Delta change, Priority priority) {
    EXPECT_OK(document.Apply(change));
    const Priority other = priority == Priority::kThis ? Priority::kOther : Priority::kThis;
    for (Delta& theirs : unseen) {
      Delta moved = Transform(theirs, change, priority);
      theirs = Transform(change, theirs, other);
      change = std::move(moved);
    }
    return change;
  }
};

// Ends with what both have, which is the same.
void ReplayByTwo(const Session& session) {
  Document server;
  std::array<Writer, 2> writers;
  for (Document* document : {&server, &writers[0].document, &writers[1].document}) {
    ASSERT_OK(document->Apply(Delta().InsertText(session.start)));
  }
  std::array<size_t, 2> written = {0, 0};
  size_t concurrent = 0;
  for (const Transaction& transaction : session.transactions) {
    Writer& writer = writers[transaction.writer];
    writer.SeeUntil(transaction.seen_of_other);
    if (!writer.unseen.empty()) ++concurrent;
    ASSERT_EQ(transaction.patches.size(), 1u);  // So that `unseen` holds transactions.
    // Of two insertions at one place, the first writer's stands first.
    const Priority priority = transaction.writer == 0 ? Priority::kOther : Priority::kThis;
    const Delta change = DeltaOf(transaction.patches.front(), writer.document);
    Delta moved = writer.Write(change, priority);
    ASSERT_OK(server.Apply(moved));
    writers[1 - transaction.writer].unseen.push_back(std::move(moved));
    ++written[transaction.writer];
  }
  writers[0].SeeUntil(written[1]);
  writers[1].SeeUntil(written[0]);
  EXPECT_TRUE(writers[0].document.Content() == server.Content());
  EXPECT_TRUE(writers[1].document.Content() == server.Content());
  if (session.end) {
    EXPECT_TRUE(server.Text() == *session.end);
  }
  EXPECT_GT(concurrent, 100u);
}

void ReplayByOne(const Session& session) {
  Document document;
  ASSERT_OK(document.Apply(Delta().InsertText(session.start)));
  for (const Transaction& transaction : session.transactions) {
    for (const Patch& patch : transaction.patches) {
      ASSERT_OK(document.Apply(DeltaOf(patch, document)));
    }
  }
  if (session.end) {
    EXPECT_TRUE(document.Text() == *session.end);
  }
}

TEST(Sessions, AComponentWrittenByOneEndsAsRecorded) {
  ReplayByOne(Load("sveltecomponent.json.gz", 1));
}

TEST(Sessions, ATextWrittenByTwoAtOnceInOneLineEndsAsRecorded) {
  ReplayByOne(Load("friendsforever_flat.json.gz", 1));
}

TEST(Sessions, ATextWrittenByTwoAtOnceEndsAsRecordedForBoth) {
  ReplayByTwo(Load("friendsforever.json.gz", 2));
}

}  // namespace
}  // namespace bdcsync::ot
