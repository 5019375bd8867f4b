// Where the token of a call comes from: given, or made from a development secret.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cli/arguments.h"
#include "clients/cli/environment.h"

namespace bdcsync::cli {

inline constexpr char kDefaultUser[] = "dev";
inline constexpr char kDefaultDataDir[] = "./data";
inline constexpr char kSecretFile[] = "secret";  // In the data folder; `bdc-sync serve` writes it.

// What a token says.
struct TokenClaims {
  std::string user = kDefaultUser;
  std::string device;  // Empty: none.
  bool admin = false;
  std::map<std::string, std::string> spaces;  // Space → "read" or "write".
};
std::string MintToken(const TokenClaims& claims, absl::Time issued, absl::Duration lifetime,
                      absl::string_view secret);

// The secret that tokens may be made from: --secret-file, BDC_SYNC_JWT_SECRET (or _FILE), or the
// file that `bdc-sync serve` keeps in its data folder. NOT_FOUND says where it was looked for.
absl::StatusOr<std::string> FindSecret(const Arguments& arguments, const Environment& environment);

// Whether `text` can be sent as a token: visible letters only; also when it is empty.
bool IsToken(absl::string_view text);

// Gives a token for each call: --token, or one made anew from the secret, or none when there is no
// secret either. What it borrows must outlive it.
std::function<std::string()> MakeTokenSource(const Arguments& arguments,
                                             const Environment& environment);

// The space of the user that this token is of; empty when it does not say. The token is not
// checked.
std::string OwnSpace(absl::string_view token);

}  // namespace bdcsync::cli
