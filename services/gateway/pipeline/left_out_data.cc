#include "services/gateway/pipeline/left_out_data.h"

#include <algorithm>
#include <utility>

#include "libs/base/errors.h"
#include "libs/rpc/status.h"

namespace bdcsync::gateway {
namespace {

using version::v1::CommitItem;
using version::v1::CommitRequest;
using version::v1::CommitResponse;
using version::v1::CommitResult;
using version::v1::GetEntitiesRequest;
using version::v1::GetEntitiesResponse;

CommitResult Unknown(absl::string_view why) {
  CommitResult result;
  result.set_outcome(common::v1::OUTCOME_REJECTED);
  rpc::ToProto(MakeError(Reason::kUnavailable, why), *result.mutable_error());
  return result;
}

CommitResult Completed(CommitResult result, absl::StatusOr<GetEntitiesResponse> answer) {
  absl::Status status = answer.status();
  const bool one = status.ok() && answer->entities_size() == 1;
  if (one && answer->entities(0).has_error()) status = rpc::FromProto(answer->entities(0).error());
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
      absl::IsCancelled(status)) {
    return Unknown(status.message());
  }
  if (one && status.ok()) {
    *result.mutable_data() = std::move(*answer->mutable_entities(0)->mutable_data());
  }
  result.set_data_left_out(false);
  return result;
}

// The results of one commit.
struct Results {
  VersionClient& version;
  const size_t replica;
  const std::shared_ptr<const CommitRequest> request;
  CommitResponse response;
  VersionClient::Done<CommitResponse> done;
  int next = 0;
};

// Shared with the read that is under way.
void ReadNext(const std::shared_ptr<Results>& of) {
  CommitResponse& response = of->response;
  while (of->next < response.results_size() && !response.results(of->next).data_left_out()) {
    ++of->next;
  }
  if (of->next == response.results_size()) {
    of->done(std::move(response));
    return;
  }
  ReadLeftOut(of->version, of->replica, of->request->items(of->next),
              std::move(*response.mutable_results(of->next)), [of](CommitResult result) {
                const bool known = !result.has_error();
                *of->response.mutable_results(of->next) = std::move(result);
                // The others would fail as well, each after its time.
                for (CommitResult& other : *of->response.mutable_results()) {
                  if (!known && other.data_left_out()) other = Unknown("its data cannot be read");
                }
                ReadNext(of);
              });
}

// One that does not belong to the request is for whoever asked to judge.
bool LacksData(const CommitResponse& response, const CommitRequest& request) {
  return response.results_size() == request.items_size() &&
         std::any_of(response.results().begin(), response.results().end(),
                     [](const CommitResult& result) { return result.data_left_out(); });
}

}  // namespace

void ReadLeftOut(VersionClient& version, size_t replica, const CommitItem& item,
                 CommitResult result, absl::AnyInvocable<void(CommitResult)> done) {
  GetEntitiesRequest read;
  version::v1::EntityQuery& query = *read.add_queries();
  *query.mutable_entity() = item.operation().entity();
  query.set_version_id(result.version_id());
  version.GetEntities(replica, std::move(read),
                      [result = std::move(result),
                       done = std::move(done)](absl::StatusOr<GetEntitiesResponse> answer) mutable {
                        done(Completed(std::move(result), std::move(answer)));
                      });
}

void CommitWhole(VersionClient& version, size_t replica,
                 std::shared_ptr<const CommitRequest> request,
                 VersionClient::Done<CommitResponse> done) {
  version.Commit(
      replica, request,
      [&version, replica, request,
       done = std::move(done)](absl::StatusOr<CommitResponse> response) mutable {
        if (!response.ok() || !LacksData(*response, *request)) return done(std::move(response));
        ReadNext(std::make_shared<Results>(
            Results{version, replica, std::move(request), *std::move(response), std::move(done)}));
      });
}

}  // namespace bdcsync::gateway
