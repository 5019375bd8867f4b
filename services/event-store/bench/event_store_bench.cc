// bdc-sync-event-store-bench: appends over gRPC against a running event-store, and beside it, on
// the same PostgreSQL, a bare INSERT … SELECT unnest of the same rows into a table with the columns
// and indexes of events. Prints one JSON object.
//
//   bdc-sync-event-store-bench --address=127.0.0.1:8772 --postgres=postgresql://… [--seconds=5]
//       [--batch=512] [--in_flight=1] [--spaces=100] [--data_bytes=256] [--streams=100]

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
#include "absl/strings/str_format.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/base/status.h"
#include "libs/sql/postgres.h"

ABSL_FLAG(std::string, address, "127.0.0.1:8772", "Where event-store listens.");
ABSL_FLAG(std::string, postgres, "", "Where the baseline is measured; empty: it is not.");
ABSL_FLAG(double, seconds, 5, "How long each measurement lasts.");
ABSL_FLAG(int, batch, 512, "Items in a call, and rows in a statement of the baseline.");
ABSL_FLAG(int, in_flight, 1, "Calls at once, and connections of the baseline.");
ABSL_FLAG(int, spaces, 100, "Spaces that the items are spread over.");
ABSL_FLAG(int, streams, 100, "Streams in each space.");
ABSL_FLAG(int, data_bytes, 256, "Bytes of data in each event.");

namespace bdcsync::event_store {
namespace {

constexpr int kMetaBytes = 120;  // About what a version's description takes.

v1::AppendRequest MakeRequest(const Clock& clock, Random& random) {
  const std::string data(static_cast<std::size_t>(absl::GetFlag(FLAGS_data_bytes)), 'd');
  const std::string meta(kMetaBytes, 'm');
  v1::AppendRequest request;
  for (int i = 0; i < absl::GetFlag(FLAGS_batch); ++i) {
    v1::AppendItem& item = *request.add_items();
    v1::StreamKey& key = *item.mutable_stream();
    key.set_space(absl::StrCat("bench-", random.Bits64() % absl::GetFlag(FLAGS_spaces)));
    key.set_name(absl::StrCat("note:main:", random.Bits64() % absl::GetFlag(FLAGS_streams)));
    item.set_kind(v1::STREAM_KIND_ENTITY);
    item.mutable_expected()->set_any(true);
    item.set_op_id(MakeTimeOrderedUuid(clock.Now(), random));
    item.set_request_hash(random.Bits64());
    item.set_event_id(random.Bits64());
    item.set_meta(meta);
    item.set_data(data);
  }
  return request;
}

// Runs `work` on in_flight threads until time is up; rows per second.
double Measure(const std::function<int(int)>& work) {
  const SystemClock clock;
  const absl::Duration start = clock.Monotonic();
  const absl::Duration end = start + absl::Seconds(absl::GetFlag(FLAGS_seconds));
  std::atomic<int64_t> rows{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < absl::GetFlag(FLAGS_in_flight); ++i) {
    threads.emplace_back([&, i] {
      while (clock.Monotonic() < end) rows += work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(rows) / absl::ToDoubleSeconds(clock.Monotonic() - start);
}

double MeasureStore() {
  const auto channel =
      grpc::CreateChannel(absl::GetFlag(FLAGS_address), grpc::InsecureChannelCredentials());
  const auto stub = v1::EventStoreService::NewStub(channel);
  const SystemClock clock;
  SystemRandom random;
  return Measure([&](int) {
    const v1::AppendRequest request = MakeRequest(clock, random);
    grpc::ClientContext context;
    v1::AppendResponse response;
    const grpc::Status status = stub->Append(&context, request, &response);
    int appended = 0;
    for (const v1::AppendResult& result : response.results()) appended += result.has_appended();
    if (!status.ok() || appended < request.items_size()) {
      std::fprintf(stderr, "append: %s, %d of %d\n", status.error_message().c_str(), appended,
                   request.items_size());
    }
    return appended;
  });
}

constexpr sql::PostgresStatement kInsert{
    "insert",
    "INSERT INTO bench_events SELECT * FROM unnest($1::int4[], $2::int8[], $3::int8[], $4::int8[], "
    "$5::uuid[], $6::int8[], $7::int8[], $8::int8[], $9::bool[], $10::int2[], $11::int4[], "
    "$12::bytea[], $13::bytea[])"};

sql::PostgresParams MakeRows(Random& random, int64_t& position) {
  using sql::PostgresArray;
  const std::string data(static_cast<std::size_t>(absl::GetFlag(FLAGS_data_bytes)), 'd');
  const std::string meta(kMetaBytes, 'm');
  PostgresArray log(PostgresArray::kInt32), flag(PostgresArray::kBool);
  PostgresArray codec(PostgresArray::kInt16), bytes(PostgresArray::kInt32);
  PostgresArray metas(PostgresArray::kBytes), datas(PostgresArray::kBytes);
  PostgresArray streams(PostgresArray::kUuid);
  std::vector<PostgresArray> before(3, PostgresArray(PostgresArray::kInt64));
  std::vector<PostgresArray> after(3, PostgresArray(PostgresArray::kInt64));
  for (int i = 0; i < absl::GetFlag(FLAGS_batch); ++i) {
    ++position;
    log.AddInt32(static_cast<int32_t>(position % 64));
    before[0].AddInt64(position);
    before[1].AddInt64(static_cast<int64_t>(random.Bits64() % 100));
    before[2].AddInt64(position);
    const std::string stream =
        absl::StrFormat("%016d", random.Bits64() % (100 * absl::GetFlag(FLAGS_streams)));
    streams.AddBytes(stream);
    after[0].AddInt64(position);
    after[1].AddInt64(static_cast<int64_t>(random.Bits64()));
    after[2].AddInt64(1700000000000);
    flag.AddBool(false);
    codec.AddInt16(0);
    bytes.AddInt32(static_cast<int32_t>(data.size() + meta.size()));
    metas.AddBytes(meta);
    datas.AddBytes(data);
  }
  sql::PostgresParams params;
  params.Add(std::move(log));
  for (sql::PostgresArray& array : before) params.Add(std::move(array));
  params.Add(std::move(streams));
  for (sql::PostgresArray& array : after) params.Add(std::move(array));
  params.Add(std::move(flag)).Add(std::move(codec)).Add(std::move(bytes));
  params.Add(std::move(metas)).Add(std::move(datas));
  return params;
}

absl::StatusOr<double> MeasureBaseline() {
  const SystemClock clock;
  sql::PostgresOptions options;
  options.url = absl::GetFlag(FLAGS_postgres);
  options.schema = "public";
  options.connections_max = static_cast<std::size_t>(absl::GetFlag(FLAGS_in_flight));
  sql::PostgresPool pool(options, clock);
  RETURN_IF_ERROR(
      pool.Run("DROP TABLE IF EXISTS bench_events; CREATE TABLE bench_events (log_id int NOT NULL, "
               "position bigint NOT NULL, space_id bigint NOT NULL, seq bigint NOT NULL, "
               "stream_id uuid NOT NULL, revision bigint NOT NULL, event_id bigint NOT NULL, "
               "time_ms bigint NOT NULL, tombstone boolean NOT NULL, codec smallint NOT NULL, "
               "bytes int NOT NULL, meta bytea NOT NULL, data bytea NOT NULL, "
               "PRIMARY KEY (log_id, position)); "
               "CREATE INDEX ON bench_events (log_id, space_id, seq); "
               "CREATE INDEX ON bench_events (log_id, stream_id, revision) WHERE revision > 1")
          .status());
  SystemRandom random;
  std::vector<int64_t> positions;
  for (int i = 0; i < absl::GetFlag(FLAGS_in_flight); ++i) {
    positions.push_back(int64_t{i} << 40);
  }
  std::atomic<int> failed{0};
  const double rate = Measure([&](int thread) {
    const sql::PostgresParams rows = MakeRows(random, positions[static_cast<std::size_t>(thread)]);
    if (!pool.Execute(kInsert, rows).ok()) ++failed;
    return absl::GetFlag(FLAGS_batch);
  });
  RETURN_IF_ERROR(pool.Run("DROP TABLE bench_events").status());
  if (failed > 0) return absl::InternalError("an insert of the baseline failed");
  return rate;
}

int Run() {
  const double store = MeasureStore();
  double baseline = 0;
  if (!absl::GetFlag(FLAGS_postgres).empty()) {
    const absl::StatusOr<double> measured = MeasureBaseline();
    if (!measured.ok()) {
      std::fprintf(stderr, "%s\n", measured.status().ToString().c_str());
      return 1;
    }
    baseline = *measured;
  }
  std::printf("{\"events_per_s\": %.0f, \"baseline_rows_per_s\": %.0f, \"ratio\": %.3f}\n", store,
              baseline, baseline > 0 ? store / baseline : 0);
  return 0;
}

}  // namespace
}  // namespace bdcsync::event_store

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return bdcsync::event_store::Run();
}
