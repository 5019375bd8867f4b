// Keys made for one test run, and tokens signed with them any way a forger might want. For tests.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"

struct evp_pkey_st;

namespace bdcsync::gateway {

using TestKey = std::shared_ptr<evp_pkey_st>;

TestKey MakeRsaKey(int bits = 2048);
TestKey MakeEcKey(const char* curve = "P-256");
TestKey MakeEd25519Key();

std::string PublicPem(const TestKey& key);
// The public half as a JWK with this `kid`.
json::Value PublicJwk(const TestKey& key, absl::string_view kid);

// A token with this header and payload (JSON texts), signed as the key does by nature.
std::string SignToken(absl::string_view header, absl::string_view payload, const TestKey& key);
std::string SignTokenHs256(absl::string_view header, absl::string_view payload,
                           absl::string_view secret);
std::string UnsignedToken(absl::string_view header, absl::string_view payload);

}  // namespace bdcsync::gateway
