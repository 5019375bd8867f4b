#include "libs/rpc/config.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/rpc/stream_address.h"

namespace bdcsync::rpc {
namespace {

// Ways of gRPC to name an address that have no host and port, or several.
constexpr absl::string_view kOtherSchemes[] = {"unix:", "unix-abstract:", "ipv4:", "ipv6:"};

bool IsAddress(const std::string& text) {
  for (const absl::string_view scheme : kOtherSchemes) {
    if (absl::StartsWith(text, scheme)) return true;
  }
  return ParseStreamAddress(text).has_value();
}

}  // namespace

absl::Status CheckAddresses(const config::Values& values) {
  std::vector<std::string> mistakes;
  for (const auto* key :
       {&kEventStoreAddresses, &kVersionAddresses, &kConflictAddresses, &kDeviceSyncAddresses}) {
    for (const std::string& address : values.Get(*key)) {
      if (IsAddress(address)) continue;
      mistakes.push_back(
          absl::StrCat(key->name, ": '", address, "' is no address: write HOST:PORT"));
    }
  }
  if (mistakes.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(mistakes, "\n"));
}

void DeclareConfig(config::Schema& schema) {
  schema.Add(kMaxMessageBytes);
  schema.Add(kMaxConcurrentStreams);
  schema.Add(kKeepaliveInterval);
  schema.Add(kKeepaliveTimeout);
  schema.Add(kReconnectBackoffMax);
  schema.Add(kHungAfter);
  schema.Add(kStreams);
  schema.Add(kStreamsOpenMax);
  schema.Add(kStreamsFreeMax);
  schema.Add(kStreamAgeMax);
  schema.Add(kSilenceMax);
  schema.Add(kSilentMax);
  schema.Add(kTlsCertFile);
  schema.Add(kTlsKeyFile);
  schema.Add(kTlsClientCaFile);
  schema.Add(kEventStoreAddresses);
  schema.Add(kVersionAddresses);
  schema.Add(kConflictAddresses);
  schema.Add(kDeviceSyncAddresses);
  schema.Add(kServicesTlsCaFile);
  schema.Add(kServicesTlsCertFile);
  schema.Add(kServicesTlsKeyFile);
  schema.Add(kTlsReloadInterval);
}

}  // namespace bdcsync::rpc
