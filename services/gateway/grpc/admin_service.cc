#include "services/gateway/grpc/admin_service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/errors.h"

namespace bdcsync::gateway {
namespace {

admin::v1::ParkedGroup Translate(ParkedGroup from, bool with_payload) {
  admin::v1::ParkedGroup to;
  to.set_id(from.id);
  to.set_space(from.space);
  to.set_reason(from.reason);
  to.set_stored_ms(absl::ToUnixMillis(from.stored));
  to.set_parked_ms(absl::ToUnixMillis(from.parked));
  for (version::v1::CommitItem& item : *from.operations.mutable_items()) {
    admin::v1::ParkedOperation& operation = *to.add_operations();
    operation.set_user_id(item.actor().user_id());
    operation.set_device_id(item.actor().device_id());
    if (!with_payload) {
      item.mutable_operation()->clear_data();
      item.mutable_operation()->clear_patch();
      item.mutable_operation()->clear_text();
      item.mutable_operation()->clear_metadata();
    }
    *operation.mutable_operation() = std::move(*item.mutable_operation());
  }
  return to;
}

// Fills a page with `groups`, of which one more than the limit was asked for, and one more than
// kParkedPageBytesMax allows.
void FillPage(std::vector<ParkedGroup> groups, size_t limit, bool with_payload,
              admin::v1::ListParkedResponse& response) {
  size_t bytes = 0;
  for (ParkedGroup& group : groups) {
    bytes += group.bytes;
    const size_t taken = static_cast<size_t>(response.groups_size());
    if (taken == limit || (taken > 0 && bytes > kParkedPageBytesMax)) {
      response.set_next_page_token(absl::StrCat(response.groups(response.groups_size() - 1).id()));
      return;
    }
    *response.add_groups() = Translate(std::move(group), with_payload);
  }
}

template <typename Request>
absl::StatusOr<std::vector<int64_t>> IdsOf(const Request& request) {
  if (request.ids_size() == 0 || request.ids_size() > kParkedIdsMax) {
    return MakeErrorAt(Reason::kInvalidArgument, "ids",
                       absl::StrCat("1 to ", kParkedIdsMax, " ids in one call"));
  }
  return std::vector<int64_t>(request.ids().begin(), request.ids().end());
}

// Parts ids by status into those that are done and those that are unknown; the first other failure
// is returned.
template <typename Ids>
absl::Status Part(const std::vector<int64_t>& ids, const std::vector<absl::Status>& statuses,
                  Ids& done, Ids& not_found) {
  absl::Status failure;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (statuses[i].ok()) {
      done.Add(ids[i]);
    } else if (ReasonOf(statuses[i]) == Reason::kNotFound) {
      not_found.Add(ids[i]);
    } else if (failure.ok()) {
      failure = statuses[i];
    }
  }
  return failure;
}

template <typename Ids>
void Audit(const AdminServiceDependencies& to, const Caller& caller, absl::string_view what,
           const Ids& ids) {
  to.logger.Info(what, {{"user_id", caller.user_id},
                        {"request_id", CallScope::Current().request_id},
                        {"ids", absl::StrJoin(ids, ",")}});
}

// What was refused is told without its values: it may have been a secret.
void AuditChange(const AdminServiceDependencies& to, const Caller& caller,
                 const std::map<std::string, std::string>& changes, bool taken) {
  const auto name = [](std::string* out, const auto& change) { out->append(change.first); };
  to.logger.Info(taken ? "the configuration is changed" : "the configuration is not changed",
                 {{"user_id", caller.user_id},
                  {"request_id", CallScope::Current().request_id},
                  {"changes", taken ? absl::StrJoin(changes, ",", absl::PairFormatter("="))
                                    : absl::StrJoin(changes, ",", name)}});
}

}  // namespace

template <typename Handle>
grpc::ServerUnaryReactor* AdminService::ForAdmin(grpc::CallbackServerContext* context,
                                                 Handle handle) {
  const absl::StatusOr<const AdminServiceDependencies*> serving = to_.Get();
  if (!serving.ok()) return rpc::FinishNow(context, serving.status());
  const AdminServiceDependencies* const to = *serving;
  return PassGate(context, to->gate,
                  [to, handle = std::move(handle)](const std::shared_ptr<const Caller>& caller,
                                                   const auto& done) {
                    if (!caller->admin) {
                      return done(MakeError(Reason::kForbidden, "the claim `admin` is needed"));
                    }
                    handle(*to, caller, done);
                  });
}

grpc::ServerUnaryReactor* AdminService::ListParked(grpc::CallbackServerContext* context,
                                                   const admin::v1::ListParkedRequest* request,
                                                   admin::v1::ListParkedResponse* response) {
  return ForAdmin(context, [=](const AdminServiceDependencies& to,
                               const std::shared_ptr<const Caller>& /*caller*/, const auto& done) {
    int64_t after_id = 0;
    if (!request->page_token().empty() && !absl::SimpleAtoi(request->page_token(), &after_id)) {
      done(MakeErrorAt(Reason::kInvalidArgument, "page_token", "this is no token of an answer"));
      return;
    }
    if (request->limit() < 0 || request->limit() > kParkedPageMax) {
      done(MakeErrorAt(Reason::kInvalidArgument, "limit", absl::StrCat("0 to ", kParkedPageMax)));
      return;
    }
    const size_t limit =
        static_cast<size_t>(request->limit() == 0 ? kParkedPageDefault : request->limit());
    to.parked.List(after_id, limit + 1, kParkedPageBytesMax,
                   [=](absl::StatusOr<std::vector<ParkedGroup>> groups) {
                     const absl::Status status = groups.status();
                     if (status.ok())
                       FillPage(*std::move(groups), limit, request->with_payload(), *response);
                     done(status);
                   });
  });
}

grpc::ServerUnaryReactor* AdminService::RetryParked(grpc::CallbackServerContext* context,
                                                    const admin::v1::RetryParkedRequest* request,
                                                    admin::v1::RetryParkedResponse* response) {
  return ForAdmin(context, [=](const AdminServiceDependencies& to,
                               const std::shared_ptr<const Caller>& caller, const auto& done) {
    const auto ids = IdsOf(*request);
    if (!ids.ok()) return done(ids.status());
    Audit(to, *caller, "parked operations are to be retried", *ids);
    to.parked.Retry(*ids, [=, ids = *ids](absl::StatusOr<std::vector<absl::Status>> statuses) {
      absl::Status status = statuses.status();
      if (status.ok()) {
        status = Part(ids, *statuses, *response->mutable_retried(), *response->mutable_not_found());
      }
      done(status);
    });
  });
}

grpc::ServerUnaryReactor* AdminService::DiscardParked(
    grpc::CallbackServerContext* context, const admin::v1::DiscardParkedRequest* request,
    admin::v1::DiscardParkedResponse* response) {
  return ForAdmin(context, [=](const AdminServiceDependencies& to,
                               const std::shared_ptr<const Caller>& caller, const auto& done) {
    const auto ids = IdsOf(*request);
    if (!ids.ok()) return done(ids.status());
    Audit(to, *caller, "parked operations are to be discarded", *ids);
    to.parked.Discard(*ids, [=, ids = *ids](absl::StatusOr<std::vector<absl::Status>> statuses) {
      absl::Status status = statuses.status();
      if (status.ok()) {
        status =
            Part(ids, *statuses, *response->mutable_discarded(), *response->mutable_not_found());
      }
      done(status);
    });
  });
}

grpc::ServerUnaryReactor* AdminService::ChangeConfig(grpc::CallbackServerContext* context,
                                                     const admin::v1::ChangeConfigRequest* request,
                                                     admin::v1::ChangeConfigResponse* response) {
  return ForAdmin(context, [=](const AdminServiceDependencies& to,
                               const std::shared_ptr<const Caller>& caller, const auto& done) {
    const std::map<std::string, std::string> changes(request->values().begin(),
                                                     request->values().end());
    const auto holding = to.change_config(changes);
    if (!changes.empty()) AuditChange(to, *caller, changes, holding.ok());
    if (holding.ok()) {
      response->mutable_values()->insert(holding->begin(), holding->end());
    }
    done(holding.status());
  });
}

}  // namespace bdcsync::gateway
