#include "libs/sql/postgres_pipeline.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/sql/postgres_link.h"

namespace bdcsync::sql {
namespace {

constexpr int kBinary = 1;
constexpr int kText = 0;
// The statement is not prepared, since the one that was sent first and was to prepare it failed.
constexpr absl::string_view kNotPrepared = "26000";

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

class PqRows final : public PostgresResult::Rows {
 public:
  explicit PqRows(ResultPtr result) : result_(std::move(result)) {}
  int size() const override { return PQntuples(result_.get()); }
  int64_t affected() const override {
    int64_t rows = 0;
    return absl::SimpleAtoi(PQcmdTuples(result_.get()), &rows) ? rows : 0;
  }
  bool IsNull(int row, int column) const override {
    return PQgetisnull(result_.get(), row, column) != 0;
  }
  absl::string_view Text(int row, int column) const override {
    return absl::string_view(PQgetvalue(result_.get(), row, column),
                             static_cast<std::size_t>(PQgetlength(result_.get(), row, column)));
  }

 private:
  const ResultPtr result_;
};

bool IsAnswer(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

absl::string_view StateOf(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? absl::string_view() : absl::string_view(state);
}

absl::string_view View(const char* text) { return absl::string_view(text); }

absl::Status ErrorOf(const PGresult* result) {
  const absl::string_view state = StateOf(result);
  const absl::string_view message = View(PQresultErrorMessage(result));
  // Without a state it is the library that tells of a lost connection.
  if (state.empty()) {
    return absl::UnavailableError(absl::StrCat("PostgreSQL: ", FirstLine(message)));
  }
  if (state == kNotPrepared) return absl::AbortedError(FirstLine(message));
  return StatusOfState(state, message);
}

void Ignore(void* /*context*/, const char* /*notice*/) {}

}  // namespace

// The connection and a bell for who waits for it; closed when nobody does any more.
class PostgresPipeline::Link {
 public:
  explicit Link(const std::string& options)
      : pq_(PQconnectdb(options.c_str())),
        socket_(PQsocket(pq_)),
        bell_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    PQsetNoticeProcessor(pq_, Ignore, nullptr);
  }
  ~Link() {
    PQfinish(pq_);
    if (bell_ >= 0) close(bell_);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  bool Begin() {
    return bell_ >= 0 && PQstatus(pq_) == CONNECTION_OK && PQsetnonblocking(pq_, 1) == 0 &&
           PQenterPipelineMode(pq_) == 1;
  }
  PGconn* pq() { return pq_; }
  // Whether the server has closed it; for when no answer is due.
  bool Ended() {
    pollfd source{socket_, POLLIN, 0};
    while (poll(&source, 1, 0) > 0) {
      if (PQconsumeInput(pq_) == 0) return true;
    }
    return false;
  }
  bool broken() const { return PQstatus(pq_) != CONNECTION_OK; }
  absl::Status error() const {
    return absl::UnavailableError(
        absl::StrCat("PostgreSQL: ", FirstLine(View(PQerrorMessage(pq_)))));
  }

  // Returns when there is something to read, room if `to_write`, or somebody rings: also whoever
  // sees the connection lost, for the library has closed the socket then. Thread-safe, as Ring is.
  void Wait(bool to_write) {
    pollfd sources[] = {{socket_, static_cast<int16_t>(to_write ? POLLIN | POLLOUT : POLLIN), 0},
                        {bell_, POLLIN, 0}};
    (void)poll(sources, std::size(sources), -1);  // Whoever waits looks for himself.
    eventfd_t rings = 0;
    if (sources[1].revents != 0) (void)eventfd_read(bell_, &rings);
  }
  void Ring() { (void)eventfd_write(bell_, 1); }

 private:
  PGconn* const pq_;
  const int socket_;
  const int bell_;
};

PostgresPipeline::PostgresPipeline(PostgresOptions options, const Clock& clock)
    : options_(std::move(options)), backoff_(options_.backoff_min, options_.backoff_max, clock) {}
PostgresPipeline::~PostgresPipeline() = default;

absl::Status PostgresPipeline::Connect() {
  const auto nobody_connects = [this]()
                                   ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !connecting_; };
  mutex_.Await(absl::Condition(&nobody_connects));
  // A server that went away while nothing was on the way is no reason to fail.
  if (link_ != nullptr && unanswered_.empty() && (read_only_ || link_->Ended())) link_ = nullptr;
  if (link_ != nullptr) return absl::OkStatus();
  if (!backoff_.MayTry()) {
    return absl::UnavailableError("PostgreSQL cannot be reached; waiting before the next attempt");
  }
  // Nothing is on the way now, but answers may be there that nobody has taken yet.
  connecting_ = true;
  mutex_.Unlock();
  auto link = std::make_shared<Link>(ConnectionString(options_));
  const bool connected = link->Begin();
  mutex_.Lock();
  connecting_ = false;
  if (!connected) {
    backoff_.Failed();
    return link->error();
  }
  backoff_.Connected();
  prepared_.clear();
  to_write_ = false;
  read_only_ = false;
  link_ = std::move(link);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> PostgresPipeline::Send(const PostgresStatement& statement,
                                               const PostgresParams& params) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& value : params.wire()) {
    values.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  const std::vector<int> formats(values.size(), kBinary);
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Connect());
  PGconn* const pq = link_->pq();
  Sent sent{next_, "", std::nullopt};
  bool sends = true;
  if (!prepared_.contains(statement.name)) {
    sent.prepares = statement.name;
    sends = PQsendPrepare(pq, statement.name, statement.text, 0, nullptr) == 1;
  }
  sends = sends && PQsendQueryPrepared(pq, statement.name, static_cast<int>(values.size()),
                                       values.data(), lengths.data(), formats.data(), kText) == 1;
  if (!sends || PQpipelineSync(pq) != 1) {
    absl::Status failed = link_->error();
    Break();
    return failed;
  }
  if (!sent.prepares.empty()) prepared_.insert(sent.prepares);
  unanswered_.push_back(std::move(sent));
  Flush();
  return next_++;
}

void PostgresPipeline::Flush() {
  const int left = PQflush(link_->pq());
  to_write_ = left > 0;
  if (left == 0 && PQisBusy(link_->pq()) != 0) return;
  // The library reads, too, where it cannot write, and who waits would wait for more than that.
  ReadAnswers();
  if (link_ != nullptr && waiting_) link_->Ring();
}

absl::StatusOr<PostgresResult> PostgresPipeline::Await(int64_t number) {
  const auto may_go_on = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !waiting_ || answers_.contains(number);
  };
  absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(&may_go_on));
    if (auto answer = answers_.extract(number); !answer.empty()) return std::move(answer.mapped());
    AwaitLink();
  }
}

void PostgresPipeline::AwaitLink() {
  const std::shared_ptr<Link> link = link_;
  const bool to_write = to_write_;
  waiting_ = true;
  mutex_.Unlock();
  link->Wait(to_write);
  mutex_.Lock();
  waiting_ = false;
  if (link != link_) return;
  ReadAnswers();
  if (link == link_ && to_write_) Flush();
}

void PostgresPipeline::ReadAnswers() {
  PGconn* const pq = link_->pq();
  (void)PQconsumeInput(pq);  // Where it fails, what came before is still there.
  while (!unanswered_.empty() && PQisBusy(pq) == 0) {
    ResultPtr result(PQgetResult(pq));
    if (result == nullptr) {
      if (link_->broken()) break;
      continue;  // The end of one message's results.
    }
    Sent& sent = unanswered_.front();
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
      answers_.emplace(
          sent.number,
          std::move(sent.answer).value_or(absl::InternalError("PostgreSQL: no answer")));
      unanswered_.pop_front();
    } else if (IsAnswer(result.get())) {
      sent.prepares.clear();
      sent.answer = PostgresResult(std::make_shared<const PqRows>(std::move(result)));
    } else if (PQresultStatus(result.get()) != PGRES_PIPELINE_ABORTED) {
      if (IsReadOnlyState(StateOf(result.get()))) read_only_ = true;
      if (!sent.prepares.empty()) prepared_.erase(sent.prepares);
      sent.answer = ErrorOf(result.get());
    }
  }
  if (link_->broken()) Break();
}

void PostgresPipeline::Break() {
  const absl::Status why = link_->error();
  for (Sent& sent : unanswered_) {
    // An error that the server told before it went says more.
    const bool told = sent.answer.has_value() && !sent.answer->ok();
    answers_.emplace(sent.number, told ? sent.answer->status() : why);
  }
  unanswered_.clear();
  if (waiting_) link_->Ring();
  link_ = nullptr;
}

}  // namespace bdcsync::sql
