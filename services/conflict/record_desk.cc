#include "services/conflict/record_desk.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/json/parse.h"
#include "libs/merge/take_back.h"
#include "services/conflict/dry_run.h"
#include "services/conflict/meeting.h"
#include "services/conflict/recorded_decision.h"
#include "services/conflict/resolve.h"
#include "services/conflict/told_apart.h"

namespace bdcsync::conflict {
namespace {

constexpr int kDryRunPage = 200;
constexpr size_t kDryRunPageBytes = size_t{4} << 20;

// Asks about the places of one record.
class RecordQuestions final : public merge::RuleEvaluator {
 public:
  RecordQuestions(int record, RemoteQuestions& questions)
      : record_(record), questions_(questions) {}
  merge::Answer Evaluate(const merge::Question& question) override {
    return questions_.Evaluate(record_, question);
  }

 private:
  const int record_;
  RemoteQuestions& questions_;
};

absl::Status Unavailable(const absl::Status& stored) {
  if (absl::IsDataLoss(stored)) return stored;
  return MakeError(Reason::kUnavailable, "the records cannot be reached");
}

absl::Status Invalid(absl::string_view path, absl::string_view message) {
  return MakeErrorAt(Reason::kInvalidArgument, path, message);
}

absl::Status CheckRecordKey(const std::string& space, const std::string& op_id) {
  RETURN_IF_ERROR(entity::ValidateSpace(space));
  const bool good = !op_id.empty() && op_id.size() <= kOperationIdBytesMax &&
                    op_id.find('\0') == std::string::npos;
  return good ? absl::OkStatus() : Invalid("op_id", "op_id must be 1 to 64 letters");
}

absl::StatusOr<AnalysisQuery> QueryOf(const v1::AnalyzeRequest& request, int64_t now_ms) {
  if (!request.space().empty()) RETURN_IF_ERROR(entity::ValidateSpace(request.space()));
  if (!request.entity_type().empty()) RETURN_IF_ERROR(entity::ValidateType(request.entity_type()));
  if (!v1::AnalyzeDimension_IsValid(request.by())) return Invalid("by", "no such dimension");
  AnalysisQuery query{.space = request.space(),
                      .from_ms = request.from_ms(),
                      .to_ms = request.to_ms() == 0 ? now_ms + 1 : request.to_ms(),
                      .by = request.by(),
                      .bucket_ms = request.bucket_ms(),
                      .entity_type = request.entity_type(),
                      .limit = request.limit()};
  if (query.from_ms < 0) return Invalid("from_ms", "from_ms must not be negative");
  if (query.to_ms < query.from_ms) return Invalid("to_ms", "to_ms must not be before from_ms");
  if (query.bucket_ms == 0) query.bucket_ms = kAnalyzeBucketDefaultMs;
  if (query.bucket_ms < kAnalyzeBucketMinMs) {
    return Invalid("bucket_ms", absl::StrCat("bucket_ms is at least ", kAnalyzeBucketMinMs));
  }
  if (query.limit == 0) query.limit = kAnalyzeGroupsDefault;
  if (query.limit < 1 || query.limit > kAnalyzeGroupsMax) {
    return Invalid("limit", absl::StrCat("limit must be 1 to ", kAnalyzeGroupsMax));
  }
  return query;
}

}  // namespace

RecordDesk::RecordDesk(ResolutionStorage& records, AnalysisStorage& analysis, Rules rules,
                       const merge::RuleSetContext& checks, const RemoteAccess& remote,
                       rpc::WorkerPool& workers, const Clock& clock, RecordDeskLimits limits)
    : records_(records),
      analysis_(analysis),
      rules_(std::move(rules)),
      checks_(checks),
      remote_(remote),
      clock_(clock),
      limits_(limits),
      calls_(workers) {}

template <typename Response>
void RecordDesk::RunHeavy(absl::AnyInvocable<absl::StatusOr<Response>()> work,
                          Answer<Response> answer) {
  if (heavy_.fetch_add(1) >= limits_.heavy_max) {
    heavy_.fetch_sub(1);
    return answer(MakeError(Reason::kUnavailable, "too much is counted at this moment"));
  }
  calls_.Run<Response>(std::move(work),
                       [this, answer = std::move(answer)](absl::StatusOr<Response> got) mutable {
                         heavy_.fetch_sub(1);
                         answer(std::move(got));
                       });
}

void RecordDesk::PlanUndo(const v1::PlanUndoRequest& request, Answer<v1::PlanUndoResponse> answer) {
  if (absl::Status key = CheckRecordKey(request.space(), request.op_id()); !key.ok()) {
    return answer(key);
  }
  calls_.Run<v1::PlanUndoResponse>([this, request] { return Plan(request); }, std::move(answer));
}

absl::StatusOr<v1::PlanUndoResponse> RecordDesk::Plan(const v1::PlanUndoRequest& request) {
  absl::StatusOr<std::optional<v1::Resolution>> stored =
      records_.Get(request.space(), request.op_id());
  if (!stored.ok()) return Unavailable(stored.status());
  if (!stored->has_value()) return MakeError(Reason::kNotFound, "there is no such resolution");
  const v1::Resolution& record = **stored;
  if (!record.undone_by_version_id().empty()) {
    return MakeError(Reason::kPreconditionFailed, "the resolution was undone already");
  }
  const int64_t now_ms = absl::ToUnixMillis(clock_.Now());
  if (now_ms - record.time_ms() > absl::ToInt64Milliseconds(limits_.undo_window)) {
    return MakeError(Reason::kPreconditionFailed, "the time to undo the resolution has passed");
  }
  SideReader reader;
  ASSIGN_OR_RETURN(const Document resolved, reader.Read("resolved", request.resolved()));
  ASSIGN_OR_RETURN(Document head, reader.Read("head", request.head()));
  ASSIGN_OR_RETURN(const std::vector<merge::Decision> decisions, ReadDecisions(record));
  const std::shared_ptr<const ActiveRules> active = rules_();
  const MeetingContext context{
      .rules = *active, .now_ms = now_ms, .matching_work_max = limits_.matching_work_max};
  MeetingRules rules({record.entity(), request.resolved(), request.head(), request.head()},
                     context);
  const std::vector<std::string> paths(request.paths().begin(), request.paths().end());
  ASSIGN_OR_RETURN(const merge::MergeResult taken_back,
                   merge::TakeBack(decisions, paths, resolved, std::move(head), rules.options()));
  v1::PlanUndoResponse response;
  WriteDocument(taken_back.value, *response.mutable_merged());
  *response.mutable_entity() = record.entity();
  size_t path_bytes = 0;
  for (const merge::Decision& decision : taken_back.decisions) {
    if (decision.chosen == merge::Side::kTheirs) continue;  // The head stands there.
    path_bytes += decision.path.size();
    if (response.decisions_size() == static_cast<int>(limits_.decisions_max) ||
        path_bytes > limits_.decisions_max * kToldPathBytes) {
      break;
    }
    rules.AddTo(decision, *response.add_decisions());
  }
  return response;
}

void RecordDesk::RecordUndone(const v1::RecordUndoneRequest& request,
                              Answer<v1::RecordUndoneResponse> answer) {
  if (absl::Status key = CheckRecordKey(request.space(), request.op_id()); !key.ok()) {
    return answer(key);
  }
  if (request.version_id().empty() || request.version_id().find('\0') != std::string::npos) {
    return answer(Invalid("version_id", "version_id must be a version"));
  }
  if (request.user_id().find('\0') != std::string::npos) {
    return answer(Invalid("user_id", "user_id is no user"));
  }
  calls_.Run<v1::RecordUndoneResponse>(
      [this, request]() -> absl::StatusOr<v1::RecordUndoneResponse> {
        const absl::StatusOr<std::string> by = records_.MarkUndone(request);
        if (!by.ok()) return Unavailable(by.status());
        if (by->empty()) return MakeError(Reason::kNotFound, "there is no such resolution");
        if (*by == request.version_id()) return v1::RecordUndoneResponse();
        return MakeError(Reason::kPreconditionFailed, "another version has undone it");
      },
      std::move(answer));
}

void RecordDesk::Analyze(const v1::AnalyzeRequest& request, Answer<v1::AnalyzeResponse> answer) {
  absl::StatusOr<AnalysisQuery> query = QueryOf(request, absl::ToUnixMillis(clock_.Now()));
  if (!query.ok()) return answer(query.status());
  query->records_max = limits_.analysis_records_max;
  RunHeavy<v1::AnalyzeResponse>([this, query = *std::move(query)] { return Count(query); },
                                std::move(answer));
}

absl::StatusOr<v1::AnalyzeResponse> RecordDesk::Count(const AnalysisQuery& query) {
  absl::StatusOr<std::vector<v1::AnalyzeGroup>> groups = analysis_.Count(query);
  if (!groups.ok()) return Unavailable(groups.status());
  AnalysisQuery everything = query;
  everything.by = v1::ANALYZE_DIMENSION_UNSPECIFIED;
  absl::StatusOr<std::vector<v1::AnalyzeGroup>> total = analysis_.Count(everything);
  if (!total.ok()) return Unavailable(total.status());
  const absl::StatusOr<std::optional<int64_t>> oldest = analysis_.OldestCounted(query);
  if (!oldest.ok()) return Unavailable(oldest.status());
  v1::AnalyzeResponse response;
  for (v1::AnalyzeGroup& group : *groups) {
    if (query.by == v1::ANALYZE_DIMENSION_TIME) {
      const int64_t start_ms = std::stoll(group.key());
      group.set_key(
          absl::FormatTime(absl::RFC3339_sec, absl::FromUnixMillis(start_ms), absl::UTCTimeZone()));
    }
    *response.add_groups() = std::move(group);
  }
  if (!total->empty()) *response.mutable_total() = std::move(total->front());
  if (oldest->has_value()) response.set_counted_from_ms(**oldest);
  return response;
}

void RecordDesk::DryRun(const v1::DryRunRequest& request, Answer<v1::DryRunResponse> answer) {
  const absl::StatusOr<std::shared_ptr<const ActiveRules>> tried =
      [&]() -> absl::StatusOr<std::shared_ptr<const ActiveRules>> {
    RETURN_IF_ERROR(entity::ValidateType(request.entity_type()));
    if (!request.space().empty()) RETURN_IF_ERROR(entity::ValidateSpace(request.space()));
    if (request.records_max() < 0 || request.records_max() > kDryRunRecordsMax) {
      return Invalid("records_max", absl::StrCat("records_max is at most ", kDryRunRecordsMax));
    }
    return RulesToTry(request, checks_);
  }();
  if (!tried.ok()) return answer(tried.status());
  RunHeavy<v1::DryRunResponse>([this, request, tried = *tried] { return Try(request, *tried); },
                               std::move(answer));
}

void RecordDesk::TryAll(const std::vector<v1::Resolution>& records, const ActiveRules& tried,
                        absl::Duration end, v1::DryRunResponse& response) {
  const RemoteAccess access{remote_.resolver, clock_, end - clock_.Monotonic(),
                            remote_.on_out_of_time};
  RemoteRounds rounds(
      access, [&records](int record) { return MeetingOf(records[static_cast<size_t>(record)]); });
  std::vector<bool> tried_one(records.size());
  for (size_t first = 0; first < records.size();) {
    (void)rounds.Begin();
    bool all = true;
    for (size_t i = first; i < records.size(); ++i) {
      if (rounds.questions().found() >= kDryRunAskedAtOnce) {
        all = false;
        break;
      }
      RecordQuestions remote(static_cast<int>(i), rounds.questions());
      if (!tried_one[i]) {
        tried_one[i] = TryRules(records[i], tried, limits_.matching_work_max, remote, response);
      }
      all = all && tried_one[i];
      if (all) first = i + 1;
    }
    if (!all) rounds.AskAndWait();
  }
  response.set_remote(response.remote() + static_cast<int64_t>(rounds.questions().asked()));
  rounds.End();
}

absl::StatusOr<v1::DryRunResponse> RecordDesk::Try(const v1::DryRunRequest& request,
                                                   const ActiveRules& tried) {
  const int64_t wanted = request.records_max() == 0 ? kDryRunRecordsDefault : request.records_max();
  const absl::Duration start = clock_.Monotonic();
  ResolutionQuery query{
      .space = request.space(), .limit = kDryRunPage, .bytes_max = kDryRunPageBytes};
  if (!query.space.empty()) query.entity_type = request.entity_type();
  v1::DryRunResponse response;
  int64_t read = 0;
  size_t bytes = 0;
  std::vector<v1::Resolution> found;
  const auto done = [&] {
    return response.records() + static_cast<int64_t>(found.size()) >= wanted ||
           read >= limits_.dry_run_read_max || bytes >= limits_.dry_run_bytes_max ||
           clock_.Monotonic() - start >= limits_.dry_run_time_max;
  };
  while (!done()) {
    const absl::StatusOr<std::vector<StoredResolution>> page = records_.List(query);
    if (!page.ok()) return Unavailable(page.status());
    bool recent = true;
    for (const StoredResolution& stored : *page) {
      if (done()) break;
      ++read;
      bytes += stored.resolution.ByteSizeLong();
      query.before = stored.place();
      recent = stored.resolution.time_ms() >= request.from_ms();
      if (!recent) break;  // They are in order of time.
      if (stored.resolution.entity().entity_type() != request.entity_type()) continue;
      found.push_back(stored.resolution);
    }
    TryAll(found, tried, start + limits_.dry_run_time_max, response);
    found.clear();
    if (!recent || page->empty()) return response;
  }
  return response;
}

}  // namespace bdcsync::conflict
