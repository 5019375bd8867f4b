#include "libs/sql/postgres.h"

#include <pqxx/pqxx>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/sql/postgres_link.h"

namespace bdcsync::sql {
namespace {

absl::string_view View(const char* text) { return absl::string_view(text); }

// Runs `work` and turns what the driver throws into a status. `read_only` is set when the server
// refused to write.
absl::Status Guard(bool& read_only, absl::FunctionRef<void()> work) {
  try {
    work();
    return absl::OkStatus();
  } catch (const pqxx::statement_completion_unknown& error) {
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", FirstLine(View(error.what()))));
  } catch (const pqxx::transaction_rollback& error) {
    return absl::AbortedError(FirstLine(View(error.what())));
  } catch (const pqxx::broken_connection& error) {
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", FirstLine(View(error.what()))));
  } catch (const pqxx::in_doubt_error& error) {
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", FirstLine(View(error.what()))));
  } catch (const pqxx::sql_error& error) {
    if (IsReadOnlyState(error.sqlstate())) read_only = true;
    return StatusOfState(error.sqlstate(), View(error.what()));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("PostgreSQL: ", error.what()));
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

}  // namespace

int64_t PostgresResult::Int64(int row, int column) const {
  int64_t value = 0;
  if (!absl::SimpleAtoi(Text(row, column), &value)) return 0;
  return value;
}
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

class PqxxRows final : public PostgresResult::Rows {
 public:
  explicit PqxxRows(pqxx::result result) : result_(std::move(result)) {}
  int size() const override { return static_cast<int>(result_.size()); }
  int64_t affected() const override { return static_cast<int64_t>(result_.affected_rows()); }
  bool IsNull(int row, int column) const override { return result_[row][column].is_null(); }
  absl::string_view Text(int row, int column) const override {
    const pqxx::field field = result_[row][column];
    return absl::string_view(field.c_str(), field.size());
  }

 private:
  const pqxx::result result_;
};

PostgresResult Wrap(pqxx::result result) {
  return PostgresResult(std::make_shared<const PqxxRows>(std::move(result)));
}

}  // namespace

PostgresPool::PostgresPool(PostgresOptions options, const Clock& clock)
    : options_(std::move(options)), backoff_(options_.backoff_min, options_.backoff_max, clock) {}
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
    if (!backoff_.MayTry()) {
      return absl::UnavailableError(
          "PostgreSQL cannot be reached; waiting before the next attempt");
    }
    ++open_;
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connect();
  absl::MutexLock lock(&mutex_);
  if (connection.ok()) {
    backoff_.Connected();
    return connection;
  }
  --open_;
  freed_.Signal();
  backoff_.Failed();
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
