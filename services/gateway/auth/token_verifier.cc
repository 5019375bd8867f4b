#include "services/gateway/auth/token_verifier.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "libs/json/parse.h"
#include "libs/json/value.h"
#include "services/gateway/auth/base64url.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/key_set.h"

namespace bdcsync::gateway {
namespace {

constexpr size_t kPartDepthMax = 8;
constexpr size_t kSpacesMax = 1000;
constexpr size_t kDeviceIdBytesMax = 128;
// 9999-12-31T23:59:59Z, the last that RFC 3339 can tell the client.
constexpr double kSecondsMax = 253402300799;

absl::Status Refused(absl::string_view why) {
  return MakeError(Reason::kUnauthenticated, absl::StrCat("the token ", why));
}

absl::StatusOr<json::Value> DecodePart(absl::string_view part, absl::string_view name) {
  const auto text = DecodeBase64Url(part);
  if (!text.has_value()) return Refused(absl::StrCat("has a ", name, " that is not base64url"));
  json::ParseLimits limits;
  limits.depth_max = kPartDepthMax;
  auto value = json::Parse(*text, limits);
  if (!value.ok() || !value->is_object()) {
    return Refused(absl::StrCat("has a ", name, " that is no JSON object"));
  }
  return *std::move(value);
}

// The text member `name`; empty when there is none.
absl::StatusOr<std::string> TextClaim(const json::Value& object, absl::string_view name) {
  const json::Value* member = object.Find(name);
  if (member == nullptr) return std::string();
  if (!member->is_string()) return Refused(absl::StrCat("has a \"", name, "\" that is no string"));
  return std::string(member->string());
}

absl::StatusOr<std::optional<absl::Time>> TimeClaim(const json::Value& claims,
                                                    absl::string_view name) {
  const json::Value* member = claims.Find(name);
  if (member == nullptr) return std::optional<absl::Time>();
  const auto seconds = member->AsDouble();
  if (!seconds.ok() || *seconds < 0 || *seconds > kSecondsMax) {
    return Refused(absl::StrCat("has an \"", name, "\" that is no time"));
  }
  return std::optional<absl::Time>(absl::UnixEpoch() + absl::Seconds(*seconds));
}

absl::Status CheckSignature(const KeySet& keys, const json::Value& header,
                            absl::string_view signed_part, absl::string_view signature_part) {
  // Extensions that must be understood; none is.
  if (header.Find("crit") != nullptr) return Refused("asks for extensions");
  ASSIGN_OR_RETURN(const std::string algorithm, TextClaim(header, "alg"));
  ASSIGN_OR_RETURN(const std::string kid, TextClaim(header, "kid"));
  const auto signature = DecodeBase64Url(signature_part);
  if (!signature.has_value()) return Refused("has a signature that is not base64url");
  const KeySet::Keys candidates = keys.Candidates(algorithm, kid);
  if (candidates.empty()) return Refused("names no key and algorithm that are known here");
  for (const auto& key : candidates) {
    if (key->Verifies(signed_part, *signature)) return absl::OkStatus();
  }
  return Refused("has a wrong signature");
}

absl::StatusOr<absl::Time> CheckTimes(const json::Value& claims, absl::Time now) {
  ASSIGN_OR_RETURN(const auto expires, TimeClaim(claims, "exp"));
  ASSIGN_OR_RETURN(const auto not_before, TimeClaim(claims, "nbf"));
  ASSIGN_OR_RETURN(const auto issued, TimeClaim(claims, "iat"));
  if (!expires.has_value()) return Refused("has no \"exp\"");
  if (*expires <= now) return MakeError(Reason::kTokenExpired, "the token has expired");
  if (not_before.has_value() && *not_before > now + kTokenLeeway) {
    return Refused("is not valid yet (\"nbf\")");
  }
  if (issued.has_value() && *issued > now + kTokenLeeway) {
    return Refused("was issued in the future (\"iat\")");
  }
  return *expires;
}

absl::Status ReadSpaces(const json::Value& claims, Caller& caller) {
  const json::Value* spaces = claims.Find("spaces");
  if (spaces == nullptr) return absl::OkStatus();
  if (!spaces->is_object()) return Refused("has \"spaces\" that are no object");
  if (spaces->object().size() > kSpacesMax) return Refused("has too many spaces");
  for (const json::Member& member : spaces->object()) {
    const absl::string_view access =
        member.value.is_string() ? member.value.string() : absl::string_view();
    if (access != "read" && access != "write") {
      return Refused("has a space with an access that is neither \"read\" nor \"write\"");
    }
    if (!entity::ValidateSpace(member.key).ok()) return Refused("has a space with an invalid name");
    caller.spaces[member.key] = access == "write" ? Access::kWrite : Access::kRead;
  }
  return absl::OkStatus();
}

absl::StatusOr<Caller> ReadClaims(const json::Value& claims) {
  Caller caller;
  ASSIGN_OR_RETURN(caller.user_id, TextClaim(claims, "sub"));
  if (caller.user_id.empty()) return Refused("has no \"sub\"");
  if (!entity::ValidateSpace(OwnSpace(caller)).ok()) {
    return Refused("has a \"sub\" that cannot name a space");
  }
  ASSIGN_OR_RETURN(caller.device_id, TextClaim(claims, "device_id"));
  if (caller.device_id.size() > kDeviceIdBytesMax) return Refused("has too long a \"device_id\"");
  if (!caller.device_id.empty() && !entity::ValidateId(caller.device_id).ok()) {
    return Refused("has a \"device_id\" with control characters");
  }
  if (const json::Value* admin = claims.Find("admin")) {
    if (!admin->is_bool()) return Refused("has an \"admin\" that is no boolean");
    caller.admin = admin->boolean();
  }
  RETURN_IF_ERROR(ReadSpaces(claims, caller));
  return caller;
}

}  // namespace

absl::StatusOr<Caller> TokenVerifier::Verify(absl::string_view token) const {
  if (token.size() > kTokenBytesMax) return Refused("is too long");
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  if (parts.size() != 3) return Refused("is not a signed JSON Web Token");
  ASSIGN_OR_RETURN(const json::Value header, DecodePart(parts[0], "header"));
  const absl::string_view signed_part = token.substr(0, parts[0].size() + 1 + parts[1].size());
  RETURN_IF_ERROR(CheckSignature(*keys_.keys(), header, signed_part, parts[2]));
  // Only now is anything else of the token believed.
  ASSIGN_OR_RETURN(const json::Value claims, DecodePart(parts[1], "payload"));
  ASSIGN_OR_RETURN(const absl::Time expires, CheckTimes(claims, clock_.Now()));
  ASSIGN_OR_RETURN(Caller caller, ReadClaims(claims));
  caller.token_expires = expires;
  return caller;
}

}  // namespace bdcsync::gateway
