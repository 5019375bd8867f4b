#include "services/conflict/remote/remote_questions.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"

namespace bdcsync::conflict {
namespace {

std::string KeyOf(int item, const merge::Question& question) {
  std::string key = absl::StrCat(item, " ", question.rule.resolver, " ",
                                 merge::ConflictKindName(question.kind), " ", question.path);
  if (question.region != nullptr) {
    absl::StrAppend(&key, " ", question.region->base_begin, " ", question.region->theirs_begin, " ",
                    question.region->ours_begin);
  }
  return key;
}

std::string TextOf(const json::Value* value) {
  return value == nullptr ? std::string() : json::Serialize(*value);
}

merge::Answer ElseBecause(const merge::Question& question, absl::string_view why) {
  merge::Answer answer;
  answer.note = absl::StrCat("remote ", question.rule.resolver, ": ", why);
  return answer;
}

merge::Answer ToMerge(const merge::Question& question, const RemoteAnswer& from) {
  if (from.failure) return ElseBecause(question, NoAnswerName(*from.failure));
  merge::Answer answer;
  answer.kind = merge::Answer::Kind::kValue;
  answer.value = from.value;
  if (question.region != nullptr && !answer.value) answer.value = json::Value(json::Array());
  return answer;
}

}  // namespace

merge::Answer RemoteQuestions::Evaluate(int item, const merge::Question& question) {
  merge::Answer pending;
  pending.kind = merge::Answer::Kind::kPending;
  std::string key = KeyOf(item, question);
  if (const auto known = answers_.find(key); known != answers_.end()) {
    return known->second ? ToMerge(question, *known->second) : pending;
  }
  if (stopped_) {
    ++given_up_;
    return ElseBecause(question, "out of time");
  }
  Asked& asked = asked_[item];
  if (asked.places == kRemotePlacesMax ||
      question.path.size() > kRemotePathBytesMax - asked.path_bytes) {
    return ElseBecause(question, "too many places");
  }
  ++asked.places;
  asked.path_bytes += question.path.size();
  ++asked_all_;
  ++found_;
  std::shared_ptr<const RemoteMeeting>& meeting = meetings_[item];
  if (meeting == nullptr) meeting = meeting_of_(item);
  Batch& batch = open_[question.rule.resolver];
  batch.places.push_back({.meeting = meeting,
                          .path = question.path,
                          .kind = std::string(merge::ConflictKindName(question.kind)),
                          .base = TextOf(question.base),
                          .theirs = TextOf(question.theirs),
                          .ours = TextOf(question.ours),
                          .stretch = question.region != nullptr});
  answers_[key] = std::nullopt;
  batch.keys.push_back(std::move(key));
  return pending;
}

std::vector<RemoteQuestions::Batch> RemoteQuestions::Take() {
  std::vector<Batch> batches;
  for (auto& [resolver, batch] : open_) {
    batch.resolver = resolver;
    batches.push_back(std::move(batch));
  }
  open_.clear();
  found_ = 0;
  return batches;
}

void RemoteQuestions::Put(const Batch& batch, std::vector<RemoteAnswer> answers) {
  for (std::size_t i = 0; i < batch.keys.size(); ++i) {
    answers_[batch.keys[i]] = std::move(answers[i]);
  }
}

}  // namespace bdcsync::conflict
