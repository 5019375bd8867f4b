#include "services/event-store/storage/open.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/sql/postgres_url.h"
#include "services/event-store/storage/postgres_event_storage.h"
#include "services/event-store/storage/routed_event_storage.h"
#include "services/event-store/storage/sqlite_event_storage.h"

namespace bdcsync::event_store {
namespace {

constexpr int kWritersByDefaultMax = 4;
constexpr char kSqliteFile[] = "events.db";

bool IsPostgres(absl::string_view url) {
  return absl::StartsWith(url, "postgresql://") || absl::StartsWith(url, "postgres://");
}

// "7" or "0-31", both ends included.
absl::StatusOr<LogRange> ParseRange(const std::string& text) {
  const std::vector<std::string> ends = absl::StrSplit(text, '-');
  LogRange range;
  uint32_t last = 0;
  const bool good = ends.size() <= 2 && absl::SimpleAtoi(ends.front(), &range.first) &&
                    absl::SimpleAtoi(ends.back(), &last) && last >= range.first;
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat("storage.log_dsns: \"", text, "\" is no range of logs, write 0-31"));
  }
  range.end = last + 1;
  return range;
}

// The ranges of the map, in its order, and how many logs they are.
struct RangesOfMap {
  std::vector<LogRange> ranges;
  uint32_t log_count = 0;
};

absl::StatusOr<RangesOfMap> RangesOf(const OpenOptions& options) {
  RangesOfMap map;
  map.log_count = options.log_count;
  uint32_t named = 0;
  for (const auto& [text, url] : options.log_dsns) {
    ASSIGN_OR_RETURN(const LogRange range, ParseRange(text));
    map.ranges.push_back(range);
    named = std::max(named, range.end);
  }
  if (map.log_count == 0) map.log_count = named;
  if (named > uint32_t{kLogCountMax}) {
    return absl::InvalidArgumentError(
        absl::StrCat("storage.log_dsns: a store has at most ", kLogCountMax, " logs"));
  }
  const absl::Status covered = CheckRanges(map.ranges, map.log_count);
  if (covered.ok()) return map;
  return absl::InvalidArgumentError(absl::StrCat("storage.log_dsns: ", covered.message()));
}

absl::StatusOr<std::unique_ptr<EventStorage>> OpenRouted(const OpenOptions& options,
                                                         PostgresEventStorageOptions postgres,
                                                         EventStorageOptions storage,
                                                         const Clock& clock, Random& random) {
  ASSIGN_OR_RETURN(const RangesOfMap map, RangesOf(options));
  storage.log_count = map.log_count;
  std::vector<StorageShard> shards;
  std::size_t next = 0;
  for (const auto& [text, url] : options.log_dsns) {
    StorageShard shard;
    shard.logs = map.ranges[next++];
    RETURN_IF_ERROR(sql::CheckPostgresUrl(url, "storage.log_dsns"));
    postgres.url = url;
    EventStorageOptions part = storage;
    part.first_log = shard.logs.first;
    part.end_log = shard.logs.end;
    ASSIGN_OR_RETURN(shard.storage, OpenPostgresEventStorage(postgres, part, clock, random));
    shards.push_back(std::move(shard));
  }
  return MakeRoutedEventStorage(storage.log_count, std::move(shards));
}

absl::StatusOr<std::string> SqlitePath(const OpenOptions& options) {
  const std::string path = options.url.substr(options.url.find(':') + 1);
  if (!path.empty()) return path;
  std::error_code error;
  std::filesystem::create_directories(options.data_dir, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("data_dir ", options.data_dir, " cannot be made: ", error.message()));
  }
  return absl::StrCat(options.data_dir, "/", kSqliteFile);
}

// A writer plans while it commits, so one keeps a connection busy; what it takes of this machine is
// as much again as PostgreSQL's part.
int WritersFor(const OpenOptions& options) {
  if (options.writers > 0) return options.writers;
  const auto half = static_cast<int>(std::thread::hardware_concurrency() / 2);
  return std::max(std::clamp(half, 1, kWritersByDefaultMax),
                  static_cast<int>(options.log_dsns.size()));
}

}  // namespace

absl::Status CheckOpenOptions(const OpenOptions& options) {
  if (!options.log_dsns.empty()) {
    RETURN_IF_ERROR(RangesOf(options).status());
    for (const auto& [text, url] : options.log_dsns) {
      RETURN_IF_ERROR(sql::CheckPostgresUrlText(url, "storage.log_dsns"));
    }
    return absl::OkStatus();
  }
  if (IsPostgres(options.url)) return sql::CheckPostgresUrlText(options.url, "storage.url");
  if (absl::StartsWith(options.url, "sqlite:")) return absl::OkStatus();
  return absl::InvalidArgumentError("storage.url begins with sqlite: or postgresql://");
}

absl::StatusOr<OpenedStorage> OpenEventStorage(const OpenOptions& options, const Clock& clock,
                                               Random& random) {
  EventStorageOptions storage;
  storage.log_count = options.log_count;
  PostgresEventStorageOptions postgres;
  postgres.url = options.url;
  const int writers = WritersFor(options);
  // Several writers keep all processors busy by themselves.
  const bool halves = writers == 1;
  postgres.writers = static_cast<std::size_t>(halves ? 2 : writers);
  postgres.readers = static_cast<std::size_t>(options.readers);
  postgres.sweep_blocks_max = options.sweep_bytes_max / kBlockBytes;
  OpenedStorage opened;
  if (!options.log_dsns.empty()) {
    opened.writers = writers;
    opened.halves = halves;
    ASSIGN_OR_RETURN(opened.storage, OpenRouted(options, postgres, storage, clock, random));
    return opened;
  }
  if (IsPostgres(options.url)) {
    RETURN_IF_ERROR(sql::CheckPostgresUrl(options.url, "storage.url"));
    opened.writers = writers;
    opened.halves = halves;
    ASSIGN_OR_RETURN(opened.storage, OpenPostgresEventStorage(postgres, storage, clock, random));
    return opened;
  }
  if (absl::StartsWith(options.url, "sqlite:")) {
    ASSIGN_OR_RETURN(const std::string path, SqlitePath(options));
    ASSIGN_OR_RETURN(opened.storage,
                     OpenSqliteEventStorage(path, storage, random, options.sqlite_cache_bytes));
    return opened;
  }
  return absl::InvalidArgumentError("storage.url begins with sqlite: or postgresql://");
}

}  // namespace bdcsync::event_store
