#include "services/version/testing/fake_event_log.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "libs/base/errors.h"
#include "libs/rpc/status.h"

namespace bdcsync::version::testing {
namespace {

using event_store::v1::AppendItem;
using event_store::v1::AppendRequest;
using event_store::v1::AppendResponse;
using event_store::v1::AppendResult;
using event_store::v1::Event;

constexpr uint64_t kEpoch = 77;
constexpr int64_t kFirstTimeMs = 1'000'000;

absl::Status TooLarge() { return MakeError(Reason::kTooLarge, "ask for fewer"); }

AppendResult Failed(Reason reason) {
  AppendResult result;
  rpc::ToProto(MakeError(reason, "said the fake log"), *result.mutable_error());
  return result;
}

}  // namespace

AppendResult FakeEventLog::ApplyItem(const AppendItem& item) {
  const std::string& space = item.stream().space();
  if (!away_.empty() && space == away_) return Failed(Reason::kUnavailable);
  if (!item.op_id().empty()) {
    const auto known = operations_.find({space, item.op_id()});
    if (known != operations_.end()) {
      if (known->second.request_hash() != item.request_hash()) {
        return Failed(Reason::kOperationIdReused);
      }
      AppendResult result;
      *result.mutable_duplicate() = known->second.event();
      result.set_epoch(kEpoch);
      return result;
    }
  }
  Events& events = streams_[{space, item.stream().name()}];
  const bool fits = item.expected().revision() == static_cast<int64_t>(events.size()) &&
                    (item.expected().event_id() == 0 || events.empty() ||
                     events.back().event_id() == item.expected().event_id());
  if (!fits) {
    AppendResult result = Failed(Reason::kPreconditionFailed);
    if (!events.empty()) *result.mutable_head() = events.back();
    return result;
  }
  Event event;
  event.set_position(++position_);
  *event.mutable_stream() = item.stream();
  event.set_kind(item.kind());
  event.set_seq(++seqs_[space]);
  event.set_revision(static_cast<int64_t>(events.size()) + 1);
  event.set_event_id(item.event_id());
  event.set_time_ms(time_ms_);
  event.set_meta(item.meta());
  event.set_data(item.data());
  event.set_tombstone(item.tombstone());
  events.push_back(event);
  if (!item.op_id().empty()) {
    event_store::v1::StoredOperation& stored = operations_[{space, item.op_id()}];
    *stored.mutable_event() = event;
    stored.set_request_hash(item.request_hash());
    stored.set_epoch(kEpoch);
  }
  AppendResult result;
  result.mutable_appended()->set_epoch(kEpoch);
  result.mutable_appended()->set_position(event.position());
  result.mutable_appended()->set_seq(event.seq());
  result.mutable_appended()->set_revision(event.revision());
  result.mutable_appended()->set_time_ms(event.time_ms());
  return result;
}

AppendResponse FakeEventLog::Apply(const AppendRequest& request) {
  AppendResponse response;
  time_ms_ = kFirstTimeMs + position_ + 1;
  for (int begin = 0; begin < request.items_size();) {
    const uint32_t group = request.items(begin).atomic_group();
    int end = begin + 1;
    while (group != 0 && end < request.items_size() && request.items(end).atomic_group() == group) {
      ++end;
    }
    bool all_appended = true;
    bool all_duplicate = true;
    for (int i = begin; i < end; ++i) {
      *response.add_results() = ApplyItem(request.items(i));
      all_appended = all_appended && response.results(i).has_appended();
      all_duplicate = all_duplicate && response.results(i).has_duplicate();
    }
    if (!all_appended && !all_duplicate) TakeBack(request, begin, end, response);
    begin = end;
  }
  return response;
}

void FakeEventLog::TakeBack(const AppendRequest& request, int begin, int end,
                            AppendResponse& response) {
  for (int i = end; i-- > begin;) {
    AppendResult& result = *response.mutable_results(i);
    if (!result.has_appended()) continue;
    const AppendItem& item = request.items(i);
    streams_[{item.stream().space(), item.stream().name()}].pop_back();
    operations_.erase({item.stream().space(), item.op_id()});
    --seqs_[item.stream().space()];
    --position_;
    result = Failed(Reason::kDependsOnRejected);
  }
  for (int i = begin; i < end; ++i) {
    AppendResult& result = *response.mutable_results(i);
    const event_store::v1::StreamKey& key = request.items(i).stream();
    const Events& events = streams_[{key.space(), key.name()}];
    if (result.has_duplicate() && result.duplicate().position() > position_) {
      result = Failed(Reason::kDependsOnRejected);
    } else if (result.has_head() && events.empty()) {
      result.clear_head();
    } else if (result.has_head()) {
      *result.mutable_head() = events.back();
    }
  }
}

void FakeEventLog::Append(AppendRequest request, Callback<AppendResponse> callback) {
  std::function<void()> hook;
  {
    absl::MutexLock lock(&mutex_);
    hook = std::exchange(hook_, nullptr);
  }
  if (hook) hook();
  absl::StatusOr<AppendResponse> answer = AppendResponse();
  {
    absl::MutexLock lock(&mutex_);
    ++appends_;
    largest_append_ = std::max(largest_append_, request.ByteSizeLong());
    if (failure_.ok() || lose_answers_) answer = Apply(request);
    if (!failure_.ok()) answer = failure_;
  }
  callback(std::move(answer));
}

AppendResponse FakeEventLog::AppendElsewhere(AppendRequest request) {
  absl::MutexLock lock(&mutex_);
  return Apply(request);
}

void FakeEventLog::ReadHeads(event_store::v1::ReadHeadsRequest request,
                             Callback<event_store::v1::ReadHeadsResponse> callback) {
  absl::StatusOr<event_store::v1::ReadHeadsResponse> answer = event_store::v1::ReadHeadsResponse();
  {
    absl::MutexLock lock(&mutex_);
    ++head_reads_;
    for (const auto& key : request.streams()) {
      event_store::v1::Head& head = *answer->add_heads();
      if (!away_.empty() && key.space() == away_) {
        head.set_unavailable(true);
        continue;
      }
      const auto stream = streams_.find({key.space(), key.name()});
      if (stream != streams_.end() && !stream->second.empty()) {
        *head.mutable_event() = stream->second.back();
      }
    }
    const bool whole = absl::c_none_of(
        answer->heads(), [](const event_store::v1::Head& head) { return head.unavailable(); });
    if (answer->ByteSizeLong() > answer_bytes_max_) answer = TooLarge();
    if (!whole && !request.partial()) answer = absl::UnavailableError("a server is away");
    if (!failure_.ok()) answer = failure_;
  }
  callback(std::move(answer));
}

void FakeEventLog::ReadStream(event_store::v1::ReadStreamRequest request,
                              Callback<event_store::v1::ReadStreamResponse> callback) {
  absl::StatusOr<event_store::v1::ReadStreamResponse> answer =
      event_store::v1::ReadStreamResponse();
  {
    absl::MutexLock lock(&mutex_);
    ++stream_reads_;
    Events events = streams_[{request.stream().space(), request.stream().name()}];
    answer->set_head_revision(static_cast<int64_t>(events.size()));
    if (request.backward()) std::reverse(events.begin(), events.end());
    for (Event& event : events) {
      const int64_t from = request.from_revision();
      if (from != 0 && (request.backward() ? event.revision() > from : event.revision() < from)) {
        continue;
      }
      if (request.until_time_ms() != 0 && event.time_ms() > request.until_time_ms()) continue;
      if (answer->events_size() == request.limit()) break;
      if (request.without_data()) event.clear_data();
      const bool fits = answer->ByteSizeLong() + event.ByteSizeLong() <= answer_bytes_max_;
      if (!fits && answer->events_size() > 0) break;
      *answer->add_events() = event;
    }
    if (!failure_.ok()) answer = failure_;
  }
  callback(std::move(answer));
}

void FakeEventLog::GetOperations(event_store::v1::GetOperationsRequest request,
                                 Callback<event_store::v1::GetOperationsResponse> callback) {
  absl::StatusOr<event_store::v1::GetOperationsResponse> answer =
      event_store::v1::GetOperationsResponse();
  {
    absl::MutexLock lock(&mutex_);
    ++operation_reads_;
    for (const auto& key : request.operations()) {
      const auto known = operations_.find({key.space(), key.op_id()});
      *answer->add_operations() =
          known == operations_.end() ? event_store::v1::StoredOperation() : known->second;
    }
    if (answer->ByteSizeLong() > answer_bytes_max_) answer = TooLarge();
    if (!failure_.ok()) answer = failure_;
  }
  callback(std::move(answer));
}

void FakeEventLog::LimitAnswers(size_t bytes_max) {
  absl::MutexLock lock(&mutex_);
  answer_bytes_max_ = bytes_max;
}

void FakeEventLog::ForgetOperations() {
  absl::MutexLock lock(&mutex_);
  operations_.clear();
}

void FakeEventLog::BeforeNextAppend(std::function<void()> hook) {
  absl::MutexLock lock(&mutex_);
  hook_ = std::move(hook);
}

void FakeEventLog::FailWith(absl::Status status, bool lose_answers) {
  absl::MutexLock lock(&mutex_);
  failure_ = std::move(status);
  lose_answers_ = lose_answers;
}

std::vector<std::string> FakeEventLog::StreamNames(const std::string& space) {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> names;
  for (const auto& [key, events] : streams_) {
    if (key.first == space && !events.empty()) names.push_back(key.second);
  }
  return names;
}

std::vector<Event> FakeEventLog::Stream(const std::string& space, const std::string& name) {
  absl::MutexLock lock(&mutex_);
  return streams_[{space, name}];
}

size_t FakeEventLog::event_count() {
  absl::MutexLock lock(&mutex_);
  return static_cast<size_t>(position_);
}

int FakeEventLog::appends() {
  absl::MutexLock lock(&mutex_);
  return appends_;
}

int FakeEventLog::head_reads() {
  absl::MutexLock lock(&mutex_);
  return head_reads_;
}

int FakeEventLog::operation_reads() {
  absl::MutexLock lock(&mutex_);
  return operation_reads_;
}

int FakeEventLog::stream_reads() {
  absl::MutexLock lock(&mutex_);
  return stream_reads_;
}

size_t FakeEventLog::largest_append() {
  absl::MutexLock lock(&mutex_);
  return largest_append_;
}

void FakeEventLog::SetAway(const std::string& space) {
  absl::MutexLock lock(&mutex_);
  away_ = space;
}

void FakeEventLog::NoteCaller(CallTrace trace) {
  absl::MutexLock lock(&mutex_);
  last_caller_ = std::move(trace);
}

CallTrace FakeEventLog::last_caller() {
  absl::MutexLock lock(&mutex_);
  return last_caller_;
}

}  // namespace bdcsync::version::testing
