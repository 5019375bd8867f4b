#include "services/conflict/remote/question.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"

namespace bdcsync::conflict {
namespace {

std::size_t DocumentBytes(const RemoteMeeting& meeting) {
  return meeting.base.data().size() + meeting.theirs.data().size() + meeting.ours.data().size();
}

bool SendsDocuments(const RemoteMeeting& meeting, const QuestionLimits& limits) {
  return meeting.has_documents && limits.documents_bytes_max > 0 &&
         DocumentBytes(meeting) <= limits.documents_bytes_max;
}

void SetVersion(const v1::Side& side, bool with_document, resolver::v1::Version& version) {
  version.set_exists(side.exists());
  version.set_version_id(side.version_id());
  version.set_user_id(side.user_id());
  version.set_device_id(side.device_id());
  version.set_app_version(side.app_version());
  version.set_client_time_ms(side.client_time_ms());
  version.set_time_ms(side.time_ms());
  if (with_document) version.set_document(side.data());
}

void SetMeeting(const RemoteMeeting& from, bool with_documents, resolver::v1::Meeting& meeting) {
  meeting.set_op_id(from.op_id);
  meeting.set_space(from.entity.space());
  meeting.set_entity_type(from.entity.entity_type());
  meeting.set_entity_id(from.entity.entity_id());
  meeting.set_branch(from.entity.branch());
  meeting.set_with_documents(with_documents);
  SetVersion(from.base, with_documents, *meeting.mutable_base());
  SetVersion(from.theirs, with_documents, *meeting.mutable_theirs());
  SetVersion(from.ours, with_documents, *meeting.mutable_ours());
}

RemoteAnswer Without(NoAnswer reason) { return {.failure = reason, .value = std::nullopt}; }

RemoteAnswer ReadValue(absl::string_view text, bool stretch, const QuestionLimits& limits) {
  absl::StatusOr<json::Value> value =
      json::Parse(text, {.depth_max = kAnswerDepthMax, .bytes_max = limits.answer_bytes_max});
  if (value.ok()) {
    if (stretch && !value->is_array()) return Without(NoAnswer::kInvalidAnswer);
    return {.failure = std::nullopt, .value = *std::move(value)};
  }
  return Without(ReasonOf(value.status()) == Reason::kBadMessage ? NoAnswer::kInvalidAnswer
                                                                 : NoAnswer::kAnswerTooLarge);
}

RemoteAnswer Read(const resolver::v1::Answer& answer, const RemotePlace& place,
                  const QuestionLimits& limits) {
  if (answer.path() != place.path) return Without(NoAnswer::kInvalidAnswer);
  switch (answer.outcome_case()) {
    case resolver::v1::Answer::kValue:
      return ReadValue(answer.value(), place.stretch, limits);
    case resolver::v1::Answer::kRemove:
      return {};
    case resolver::v1::Answer::kDecline:
      return Without(NoAnswer::kDeclined);
    case resolver::v1::Answer::kError:
      return Without(NoAnswer::kResolverError);
    case resolver::v1::Answer::OUTCOME_NOT_SET:
      break;
  }
  return Without(NoAnswer::kInvalidAnswer);
}

}  // namespace

std::size_t BytesOf(const RemotePlace& place, const QuestionLimits& limits) {
  std::size_t bytes =
      place.path.size() + place.base.size() + place.theirs.size() + place.ours.size();
  if (SendsDocuments(*place.meeting, limits)) bytes += DocumentBytes(*place.meeting);
  return bytes;
}

resolver::v1::ResolveRequest MakeQuestion(absl::string_view resolver,
                                          absl::Span<const RemotePlace* const> places,
                                          const QuestionLimits& limits) {
  resolver::v1::ResolveRequest request;
  request.set_resolver(std::string(resolver));
  const RemoteMeeting* last = nullptr;
  resolver::v1::Meeting* meeting = nullptr;
  uint32_t number = 0;
  for (const RemotePlace* place : places) {
    if (place->meeting.get() != last) {
      last = place->meeting.get();
      meeting = request.add_meetings();
      SetMeeting(*last, SendsDocuments(*last, limits), *meeting);
    }
    resolver::v1::Place& asked = *meeting->add_places();
    asked.set_number(++number);
    asked.set_path(place->path);
    asked.set_kind(place->kind);
    asked.set_base(place->base);
    asked.set_theirs(place->theirs);
    asked.set_ours(place->ours);
    asked.set_stretch(place->stretch);
  }
  return request;
}

std::vector<RemoteAnswer> ReadAnswers(const resolver::v1::ResolveResponse& response,
                                      absl::Span<const RemotePlace* const> places,
                                      const QuestionLimits& limits) {
  std::vector<RemoteAnswer> answers(places.size(), Without(NoAnswer::kUnanswered));
  std::vector<bool> answered(places.size());
  for (const resolver::v1::Answer& answer : response.answers()) {
    const std::size_t index = std::size_t{answer.number()} - 1;
    if (index >= places.size() || answered[index]) {
      return std::vector<RemoteAnswer>(places.size(), Without(NoAnswer::kInvalidAnswer));
    }
    answered[index] = true;
    answers[index] = Read(answer, *places[index], limits);
  }
  return answers;
}

bool AnyIsValid(absl::Span<const RemoteAnswer> answers) {
  return absl::c_any_of(answers, [](const RemoteAnswer& answer) {
    return answer.failure != NoAnswer::kInvalidAnswer &&
           answer.failure != NoAnswer::kAnswerTooLarge;
  });
}

}  // namespace bdcsync::conflict
