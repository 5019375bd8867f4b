#include "services/conflict/remote/options.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/rpc/config.h"
#include "services/conflict/remote/config.h"

namespace bdcsync::conflict {
namespace {

// What a value of conflict.resolver_documents may be.
constexpr config::Bytes kDocumentBytes{.name = "bytes",
                                       .default_value = 64 << 10,
                                       .min = 1,
                                       .max = 8 << 20,
                                       .doc = "The largest documents that a resolver is sent."};

std::size_t Size(int64_t value) { return static_cast<std::size_t>(value); }

LineOptions CommonFrom(const config::Values& values) {
  LineOptions line;
  line.deadline = values.Get(kResolverDeadline);
  line.batch_places_max = Size(values.Get(kResolverBatchPlacesMax));
  // Beside values and documents there are names, ids and times in a message.
  line.batch_bytes_max =
      Size(std::min(values.Get(kResolverBatchBytesMax), values.Get(rpc::kMaxMessageBytes) / 2));
  line.calls_in_flight_max = Size(values.Get(kResolverCallsInFlightMax));
  line.queue_places_max = Size(values.Get(kResolverQueuePlacesMax));
  line.queue_bytes_max = Size(values.Get(kResolverQueueBytesMax));
  line.question.answer_bytes_max = Size(values.Get(kResolverAnswerBytesMax));
  line.breaker.failures_max = static_cast<int>(values.Get(kResolverBreakerFailuresMax));
  line.breaker.failure_percent = static_cast<int>(values.Get(kResolverBreakerFailurePercent));
  line.breaker.wait = values.Get(kResolverBreakerWait);
  line.breaker.wait_max = std::max(line.breaker.wait, values.Get(kResolverBreakerWaitMax));
  return line;
}

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kResolverNameBytesMax &&
         absl::c_all_of(name, [](unsigned char letter) {
           return absl::ascii_isalnum(letter) || letter == '_' || letter == '-';
         });
}

absl::Status Wrong(absl::string_view key, absl::string_view name, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(key, ": ", name, ": ", what));
}

// The values of `map`, parsed as those of the key `like`.
template <typename T>
absl::StatusOr<std::map<std::string, T>> Parse(
    const config::Values& values, const config::StringMap& map, const auto& like,
    const std::map<std::string, ResolverOptions>& resolvers) {
  config::Schema schema;
  schema.Add(like);
  std::map<std::string, T> parsed;
  for (const auto& [name, text] : values.Get(map)) {
    if (!resolvers.contains(name)) {
      return Wrong(map.name, name, absl::StrCat("not in ", kResolvers.name));
    }
    const absl::StatusOr<config::Value> value = config::ParseValue(*schema.Find(like.name), text);
    if (!value.ok()) return Wrong(map.name, name, value.status().message());
    parsed[name] = std::get<T>(*value);
  }
  return parsed;
}

}  // namespace

void DeclareRemoteConfig(config::Schema& schema) {
  schema.Add(kResolvers);
  schema.Add(kResolverDocuments);
  schema.Add(kResolverDeadline);
  schema.Add(kResolverDeadlines);
  schema.Add(kResolverWaitMax);
  schema.Add(kResolverBatchPlacesMax);
  schema.Add(kResolverBatchBytesMax);
  schema.Add(kResolverCallsInFlightMax);
  schema.Add(kResolverQueuePlacesMax);
  schema.Add(kResolverQueueBytesMax);
  schema.Add(kResolverAnswerBytesMax);
  schema.Add(kResolverBreakerFailuresMax);
  schema.Add(kResolverBreakerFailurePercent);
  schema.Add(kResolverBreakerWait);
  schema.Add(kResolverBreakerWaitMax);
}

absl::StatusOr<std::map<std::string, ResolverOptions>> ResolverOptionsFrom(
    const config::Values& values) {
  const LineOptions common = CommonFrom(values);
  std::map<std::string, ResolverOptions> resolvers;
  for (const auto& [name, address] : values.Get(kResolvers)) {
    if (!IsName(name)) {
      return Wrong(kResolvers.name, name, "a name has 1 to 64 letters, digits, '_' and '-'");
    }
    if (address.empty()) return Wrong(kResolvers.name, name, "has no address");
    resolvers[name] = {.address = address, .line = common};
  }
  if (resolvers.size() > kResolversMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(kResolvers.name, ": more than ", kResolversMax, " resolvers"));
  }
  ASSIGN_OR_RETURN(const auto deadlines,
                   Parse<absl::Duration>(values, kResolverDeadlines, kResolverDeadline, resolvers));
  for (const auto& [name, deadline] : deadlines) resolvers[name].line.deadline = deadline;
  ASSIGN_OR_RETURN(const auto documents,
                   Parse<int64_t>(values, kResolverDocuments, kDocumentBytes, resolvers));
  for (const auto& [name, bytes] : documents) {
    QuestionLimits& question = resolvers[name].line.question;
    question.documents_bytes_max = std::min(Size(bytes), common.batch_bytes_max / 2);
  }
  return resolvers;
}

}  // namespace bdcsync::conflict
