// What operators do: parked operations of a gateway, and configuration at run time.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/commands.h"
#include "clients/cli/input.h"
#include "clients/cli/render.h"
#include "libs/base/status.h"
#include "libs/json/serialize.h"

namespace bdcsync::cli {
namespace {

using Ids = std::vector<int64_t>;

constexpr int kGroupsDefault = 100;
constexpr int kGroupsMax = 1'000'000;
constexpr int kPageGroupsMax = 500;   // What ListParked allows.
constexpr size_t kIdsPerCall = 1000;  // What RetryParked and DiscardParked allow.

// Up to `wanted` groups; `more` tells whether there are others.
absl::StatusOr<std::vector<admin::v1::ParkedGroup>> ReadParked(SyncClient& client, int wanted,
                                                               bool with_payload, bool& more) {
  std::vector<admin::v1::ParkedGroup> groups;
  admin::v1::ListParkedRequest request;
  request.set_with_payload(with_payload);
  more = true;
  while (more && static_cast<int>(groups.size()) < wanted) {
    request.set_limit(std::min(wanted - static_cast<int>(groups.size()), kPageGroupsMax));
    ASSIGN_OR_RETURN(auto page, client.ListParked(request));
    for (auto& group : *page.mutable_groups()) groups.push_back(std::move(group));
    request.set_page_token(page.next_page_token());
    more = !page.next_page_token().empty();
  }
  return groups;
}

absl::StatusOr<int> ListSpool(const Call& call, bool with_payload) {
  const int missing = with_payload ? kGroupsMax : kGroupsDefault;
  const auto limit = ReadCount(call.arguments, "limit", missing, 1, kGroupsMax);
  if (!limit.ok()) return UsageError(limit.status());
  bool more = false;
  ASSIGN_OR_RETURN(const auto groups, ReadParked(call.client, *limit, with_payload, more));
  if (with_payload || call.arguments.Has("json")) {
    for (const auto& group : groups) {
      call.environment.out << json::Serialize(JsonOf(group)) << "\n";
    }
  } else {
    call.environment.out << TableOf(groups);
  }
  if (more) call.environment.err << "bdc-sync: there are more; --limit shows them\n";
  return 0;
}

// The ids of the command line, or of everything with --all.
absl::StatusOr<Ids> ReadIds(const Call& call) {
  const std::vector<std::string>& words = call.arguments.operands();
  Ids ids;
  for (size_t i = 1; i < words.size(); ++i) {
    int64_t id = 0;
    if (!absl::SimpleAtoi(words[i], &id) || id < 1) {
      return Usage(absl::StrCat("'", words[i], "' is no id: `spool list` shows them"));
    }
    ids.push_back(id);
  }
  if (call.arguments.Has("all") == !ids.empty()) return Usage("give ids, or --all");
  if (!ids.empty()) return ids;
  bool more = false;
  ASSIGN_OR_RETURN(const auto groups,
                   ReadParked(call.client, kGroupsMax, /*with_payload=*/false, more));
  for (const auto& group : groups) ids.push_back(group.id());
  return ids;
}

// Makes calls of at most kIdsPerCall ids and reports what became of all. `done` names the field of
// the response that lists those that are done.
template <typename Request, typename Response>
absl::StatusOr<int> ActOn(const Call& call, const char* word,
                          absl::StatusOr<Response> (SyncClient::*method)(const Request&),
                          const google::protobuf::RepeatedField<int64_t>& (Response::*done)()
                              const) {
  ASSIGN_OR_RETURN(const Ids ids, ReadIds(call));
  Ids acted;
  Ids unknown;
  for (size_t at = 0; at < ids.size(); at += kIdsPerCall) {
    Request request;
    for (size_t i = at; i < std::min(ids.size(), at + kIdsPerCall); ++i) request.add_ids(ids[i]);
    ASSIGN_OR_RETURN(const Response response, (call.client.*method)(request));
    acted.insert(acted.end(), (response.*done)().begin(), (response.*done)().end());
    unknown.insert(unknown.end(), response.not_found().begin(), response.not_found().end());
  }
  if (call.arguments.Has("json")) {
    json::Value value;
    value.Set(word, ArrayOf(acted));
    value.Set("not_found", ArrayOf(unknown));
    call.environment.out << json::Serialize(value) << "\n";
  } else {
    call.environment.out << word << " " << acted.size() << "\n";
    if (!unknown.empty()) {
      call.environment.err << "bdc-sync: not parked: " << absl::StrJoin(unknown, " ") << "\n";
    }
  }
  return unknown.empty() ? 0 : 1;
}

}  // namespace

absl::StatusOr<int> RunSpool(const Call& call) {
  const std::string action = call.arguments.operand(0);
  const bool takes_ids = action == "retry" || action == "discard";
  if (!takes_ids && call.arguments.operands().size() > 1) return Usage("only one word is wanted");
  if (action == "list") return ListSpool(call, /*with_payload=*/false);
  if (action == "export") return ListSpool(call, /*with_payload=*/true);
  if (action == "retry") {
    return ActOn(call, "retried", &SyncClient::RetryParked,
                 &admin::v1::RetryParkedResponse::retried);
  }
  if (action == "discard") {
    return ActOn(call, "discarded", &SyncClient::DiscardParked,
                 &admin::v1::DiscardParkedResponse::discarded);
  }
  return Usage(absl::StrCat("'", action, "' is not list, retry, discard or export"));
}

absl::StatusOr<int> RunConfig(const Call& call) {
  admin::v1::ChangeConfigRequest request;
  for (const std::string& word : call.arguments.operands()) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Usage(absl::StrCat("'", word, "' is not KEY=VALUE"));
    }
    (*request.mutable_values())[word.substr(0, equals)] = word.substr(equals + 1);
  }
  ASSIGN_OR_RETURN(const auto response, call.client.ChangeConfig(request));
  std::vector<std::pair<std::string, std::string>> values(response.values().begin(),
                                                          response.values().end());
  std::sort(values.begin(), values.end());
  if (call.arguments.Has("json")) {
    json::Value value{json::Object()};
    for (const auto& [key, text] : values) value.Set(key, text);
    call.environment.out << json::Serialize(value) << "\n";
    return 0;
  }
  if (values.empty()) call.environment.out << "nothing is changed at run time\n";
  for (const auto& [key, text] : values) call.environment.out << key << "=" << text << "\n";
  return 0;
}

}  // namespace bdcsync::cli
