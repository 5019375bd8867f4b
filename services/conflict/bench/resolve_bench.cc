// bdc-sync-conflict-bench: resolves over gRPC against a running conflict service, and beside it, in
// this process, reads, merges and writes the same documents. Each call is about operations of its
// own: one that is decided again replaces its record, which costs more than a new one. Prints one
// JSON object, microseconds for one conflict.
//
//   bdc-sync-conflict-bench --address=127.0.0.1:8774 [--seconds=5] [--batch=64] [--in_flight=4]
//       [--document_bytes=1024]

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/json/serialize.h"
#include "libs/json/version_reader.h"
#include "libs/merge/three_way.h"

ABSL_FLAG(std::string, address, "127.0.0.1:8774", "Where conflict listens.");
ABSL_FLAG(double, seconds, 5, "How long each measurement lasts.");
ABSL_FLAG(int, batch, 64, "Conflicts in a call.");
ABSL_FLAG(int, in_flight, 4, "Calls at once.");
ABSL_FLAG(int, document_bytes, 1024, "Size of each document, about.");

namespace bdcsync::conflict {
namespace {

// Both sides change one member of their own, and one together.
std::string Document(const std::string& theirs, const std::string& ours, const std::string& both) {
  json::Value document;
  document.Set("theirs", theirs);
  document.Set("ours", ours);
  document.Set("both", both);
  const auto bytes_max = static_cast<std::size_t>(absl::GetFlag(FLAGS_document_bytes));
  for (std::size_t i = 0; json::Measure(document).bytes + 40 < bytes_max; ++i) {
    json::Value member;
    member.Set("name", absl::StrCat("member ", i));
    member.Set("count", i);
    document.Set(absl::StrCat("m", i), std::move(member));
  }
  return json::Serialize(document);
}

void SetSide(const std::string& data, const std::string& version, v1::Side& side) {
  side.set_exists(true);
  side.set_data(data);
  side.set_version_id(version);
  side.set_user_id("ada");
  side.set_device_id("phone");
}

v1::ResolveRequest MakeRequest(Random& random) {
  v1::ResolveRequest request;
  request.set_without_decisions(true);
  for (int i = 0; i < absl::GetFlag(FLAGS_batch); ++i) {
    v1::ResolveItem& item = *request.add_items();
    item.mutable_entity()->set_space(absl::StrCat("bench-", random.Bits64() % 100));
    item.mutable_entity()->set_entity_type("note");
    item.mutable_entity()->set_entity_id(absl::StrCat(random.Bits64() % 1000));
    SetSide(Document("a", "a", "a"), "1-0000000000000001", *item.mutable_base());
    SetSide(Document("b", "a", "b"), "2-0000000000000002", *item.mutable_theirs());
    SetSide(Document("a", "c", "c"), "", *item.mutable_ours());
  }
  return request;
}

// Runs `work` on `threads` threads until time is up; microseconds of wall time for one conflict.
double Measure(int threads, const std::function<int(v1::ResolveRequest&)>& work) {
  SystemRandom random;
  std::vector<v1::ResolveRequest> requests;  // Made before: making them is not measured.
  for (int i = 0; i < threads; ++i) requests.push_back(MakeRequest(random));
  const SystemClock clock;
  const absl::Duration start = clock.Monotonic();
  const absl::Duration end = start + absl::Seconds(absl::GetFlag(FLAGS_seconds));
  std::atomic<int64_t> conflicts{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&, i] {
      while (clock.Monotonic() < end) conflicts += work(requests[i]);
    });
  }
  for (std::thread& worker : workers) worker.join();
  const double seconds = absl::ToDoubleSeconds(clock.Monotonic() - start);
  return seconds * 1e6 / static_cast<double>(std::max<int64_t>(conflicts, 1));
}

int ResolveOnce(v1::ConflictService::StubInterface& stub, Random& random,
                v1::ResolveRequest& request) {
  const SystemClock clock;
  for (v1::ResolveItem& item : *request.mutable_items()) {
    item.set_op_id(MakeTimeOrderedUuid(clock.Now(), random));
  }
  grpc::ClientContext context;
  v1::ResolveResponse response;
  const grpc::Status status = stub.Resolve(&context, request, &response);
  int resolved = 0;
  for (const v1::ResolveResult& result : response.results()) resolved += result.has_merged();
  if (!status.ok() || resolved < request.items_size()) {
    std::fprintf(stderr, "resolve: %s, %d of %d\n", status.error_message().c_str(), resolved,
                 request.items_size());
  }
  return resolved;
}

int MergeOnce(const v1::ResolveRequest& request) {
  int merged = 0;
  for (const v1::ResolveItem& item : request.items()) {
    json::VersionReader versions;
    const auto read = [&versions](const v1::Side& side) {
      return std::optional<json::Value>(*versions.Read(side.data()));
    };
    const auto base = read(item.base());
    auto theirs = read(item.theirs());
    const merge::MergeResult result =
        merge::Merge(base, std::move(theirs), read(item.ours())).value();
    merged += json::Serialize(*result.value).empty() ? 0 : 1;
  }
  return merged;
}

void Run() {
  const auto channel =
      grpc::CreateChannel(absl::GetFlag(FLAGS_address), grpc::InsecureChannelCredentials());
  const auto stub = v1::ConflictService::NewStub(channel);
  SystemRandom random;
  const double resolve_us =
      Measure(absl::GetFlag(FLAGS_in_flight),
              [&](v1::ResolveRequest& request) { return ResolveOnce(*stub, random, request); });
  const double merge_us = Measure(1, MergeOnce);
  std::printf("{\"resolve_us\":%.3f,\"merge_us\":%.3f}\n", resolve_us, merge_us);
}

}  // namespace
}  // namespace bdcsync::conflict

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  bdcsync::conflict::Run();
  return 0;
}
