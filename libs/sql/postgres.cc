#include "libs/sql/postgres.h"

#include <algorithm>
#include <pqxx/pqxx>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace bdcsync::sql {
namespace {

absl::string_view FirstLine(absl::string_view text) { return text.substr(0, text.find('\n')); }

absl::string_view View(const char* text) { return absl::string_view(text); }

constexpr char kReadOnlyTransaction[] = "25006";

// Runs `work` and turns what the driver throws into a status. `read_only` is set when the server
// refused to write.
absl::Status Guard(bool& read_only, absl::FunctionRef<void()> work) {
  try {
    work();
    return absl::OkStatus();
  } catch (const pqxx::unique_violation& error) {
    return absl::AlreadyExistsError(FirstLine(View(error.what())));
  } catch (const pqxx::statement_completion_unknown& error) {
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", FirstLine(View(error.what()))));
  } catch (const pqxx::transaction_rollback& error) {
    return absl::AbortedError(FirstLine(View(error.what())));
  } catch (const pqxx::broken_connection& error) {
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", FirstLine(View(error.what()))));
  } catch (const pqxx::in_doubt_error& error) {
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", FirstLine(View(error.what()))));
  } catch (const pqxx::insufficient_resources& error) {
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", FirstLine(View(error.what()))));
  } catch (const pqxx::sql_error& error) {
    const std::string& state = error.sqlstate();
    const std::string message = absl::StrCat("PostgreSQL ", state, ": ", error.what());
    // 57: the operator or a timeout ended it; 55: a lock was not free; 25: read-only after
    // failover; 40: rolled back by the server.
    if (state == kReadOnlyTransaction) read_only = true;
    const absl::string_view group = absl::string_view(state).substr(0, 2);
    if (group == "40") return absl::AbortedError(FirstLine(message));
    if (group == "57" || group == "55" || group == "25" || group == "53" || group == "08") {
      return absl::UnavailableError(FirstLine(message));
    }
    return absl::InternalError(message);
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("PostgreSQL: ", error.what()));
  }
}

std::string ConnectionString(const PostgresOptions& options) {
  // Key lookups only, so statistics of a young table must never lead to a scan of a grown one.
  const std::string settings =
      absl::StrCat("-c search_path=", options.schema,
                   " -c statement_timeout=", absl::ToInt64Milliseconds(options.statement_timeout),
                   " -c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off",
                   " -c enable_mergejoin=off -c client_min_messages=warning");
  const int64_t connect_seconds =
      std::max<int64_t>(1, absl::ToInt64Seconds(options.connect_timeout));
  const bool is_url = options.url.find("://") != std::string::npos;
  if (!is_url) {
    return absl::StrCat(options.url, " options='", settings, "' connect_timeout=", connect_seconds,
                        " tcp_user_timeout=10000");
  }
  std::string escaped;
  for (const char c : settings) {
    if (c == ' ') {
      escaped += "%20";
    } else if (c == '=') {
      escaped += "%3D";
    } else {
      escaped += c;
    }
  }
  return absl::StrCat(options.url, options.url.find('?') == std::string::npos ? "?" : "&",
                      "options=", escaped, "&connect_timeout=", connect_seconds,
                      "&tcp_user_timeout=10000");
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

}  // namespace

struct PostgresResult::Rows {
  pqxx::result result;
};

PostgresResult::PostgresResult(std::shared_ptr<const Rows> rows)
    : rows_(std::move(rows)), size_(static_cast<int>(rows_->result.size())) {}

int64_t PostgresResult::affected() const {
  return static_cast<int64_t>(rows_->result.affected_rows());
}
bool PostgresResult::IsNull(int row, int column) const {
  return rows_->result[row][column].is_null();
}
absl::string_view PostgresResult::Text(int row, int column) const {
  const pqxx::field field = rows_->result[row][column];
  return absl::string_view(field.c_str(), field.size());
}
int64_t PostgresResult::Int64(int row, int column) const {
  int64_t value = 0;
  if (!absl::SimpleAtoi(Text(row, column), &value)) return 0;
  return value;
}
bool PostgresResult::Bool(int row, int column) const { return Text(row, column) == "t"; }
std::string PostgresResult::Bytes(int row, int column) const {
  absl::string_view hex = Text(row, column);
  if (hex.size() < 2) return std::string();
  hex.remove_prefix(2);  // "\x"
  std::string bytes(hex.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(HexDigit(hex[2 * i]) << 4 | HexDigit(hex[2 * i + 1]));
  }
  return bytes;
}

struct PostgresPool::Connection {
  explicit Connection(const std::string& options) : link(options), quiet(link) {}

  pqxx::result Execute(pqxx::transaction_base& transaction, const PostgresStatement& statement,
                       const PostgresParams& params) {
    if (prepared.insert(statement.name).second) link.prepare(statement.name, statement.text);
    std::vector<pqxx::binarystring> values;
    values.reserve(params.wire().size());
    for (const std::string& value : params.wire()) values.emplace_back(value.data(), value.size());
    return transaction.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(values));
  }

  pqxx::connection link;
  pqxx::quiet_errorhandler quiet;  // Errors are statuses, not lines on standard error.
  absl::flat_hash_set<std::string> prepared;
  bool read_only = false;  // The server refused to write.
};

namespace {

PostgresResult Wrap(pqxx::result result) {
  return PostgresResult(
      std::make_shared<const PostgresResult::Rows>(PostgresResult::Rows{std::move(result)}));
}

}  // namespace

PostgresPool::PostgresPool(PostgresOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), backoff_(options_.backoff_min) {
  no_connect_before_ = clock_.Monotonic();
}
PostgresPool::~PostgresPool() = default;

absl::StatusOr<std::unique_ptr<PostgresPool::Connection>> PostgresPool::Acquire() {
  {
    absl::MutexLock lock(&mutex_);
    const auto available = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !idle_.empty() || open_ < options_.connections_max;
    };
    if (!freed_.AwaitFor(mutex_, options_.acquire_timeout, available)) {
      return absl::ResourceExhaustedError("no PostgreSQL connection came free in time");
    }
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
    if (clock_.Monotonic() < no_connect_before_) {
      return absl::UnavailableError(
          "PostgreSQL cannot be reached; waiting before the next attempt");
    }
    ++open_;
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connect();
  absl::MutexLock lock(&mutex_);
  if (connection.ok()) {
    backoff_ = options_.backoff_min;
    return connection;
  }
  --open_;
  freed_.Signal();
  no_connect_before_ = clock_.Monotonic() + backoff_;
  backoff_ = std::min(backoff_ * 2, options_.backoff_max);
  return connection;
}

absl::StatusOr<std::unique_ptr<PostgresPool::Connection>> PostgresPool::Connect() {
  std::unique_ptr<Connection> connection;
  bool read_only = false;
  absl::Status status = Guard(
      read_only, [&] { connection = std::make_unique<Connection>(ConnectionString(options_)); });
  if (!status.ok()) return absl::UnavailableError(status.message());
  return connection;
}

// A connection that failed is closed, and with it its idle siblings: they went to the same server.
void PostgresPool::Release(std::unique_ptr<Connection> connection) {
  std::vector<std::unique_ptr<Connection>> doomed;
  absl::MutexLock lock(&mutex_);
  if (connection->link.is_open()) {
    idle_.push_back(std::move(connection));
    freed_.Signal();
    return;
  }
  open_ -= 1 + idle_.size();
  freed_.SignalAll();
  doomed = std::move(idle_);
  idle_.clear();
}

absl::Status PostgresPool::With(absl::FunctionRef<void(Connection&)> work) {
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Acquire());
  const absl::Status status = Guard(connection->read_only, [&] { work(*connection); });
  // Which server writes, and whether this one may, is found out when a connection is made.
  if (connection->read_only) connection->link.disconnect();
  Release(std::move(connection));
  return status;
}

absl::StatusOr<PostgresResult> PostgresPool::Execute(const PostgresStatement& statement,
                                                     const PostgresParams& params) {
  pqxx::result result;
  RETURN_IF_ERROR(With([&](Connection& connection) {
    pqxx::nontransaction transaction(connection.link);
    result = connection.Execute(transaction, statement, params);
  }));
  return Wrap(std::move(result));
}

absl::StatusOr<PostgresResult> PostgresPool::Run(absl::string_view sql) {
  pqxx::result result;
  RETURN_IF_ERROR(With([&](Connection& connection) {
    pqxx::nontransaction transaction(connection.link);
    result = transaction.exec(std::string(sql));
  }));
  return Wrap(std::move(result));
}

absl::Status PostgresPool::Transaction(absl::FunctionRef<absl::Status(PostgresSession&)> work) {
  class Session final : public PostgresSession {
   public:
    Session(Connection& connection, pqxx::work& transaction)
        : connection_(connection), transaction_(transaction) {}
    absl::StatusOr<PostgresResult> Execute(const PostgresStatement& statement,
                                           const PostgresParams& params) override {
      pqxx::result result;
      RETURN_IF_ERROR(Guard(connection_.read_only, [&] {
        result = connection_.Execute(transaction_, statement, params);
      }));
      return Wrap(std::move(result));
    }
    absl::StatusOr<PostgresResult> Run(absl::string_view sql) override {
      pqxx::result result;
      RETURN_IF_ERROR(
          Guard(connection_.read_only, [&] { result = transaction_.exec(std::string(sql)); }));
      return Wrap(std::move(result));
    }

   private:
    Connection& connection_;
    pqxx::work& transaction_;
  };
  absl::Status outcome;
  RETURN_IF_ERROR(With([&](Connection& connection) {
    pqxx::work transaction(connection.link);
    Session session(connection, transaction);
    outcome = work(session);
    if (outcome.ok()) {
      transaction.commit();
    } else {
      transaction.abort();
    }
  }));
  return outcome;
}

}  // namespace bdcsync::sql
