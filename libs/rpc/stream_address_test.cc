#include "libs/rpc/stream_address.h"

#include <gtest/gtest.h>

#include <string>

namespace bdcsync::rpc {
namespace {

std::string HostAndPortOf(const std::string& target) {
  const auto address = ParseStreamAddress(target);
  return address.has_value() ? address->host + " " + address->port : "none";
}

TEST(StreamAddress, NamesAndAddressesWithPorts) {
  EXPECT_EQ(HostAndPortOf("127.0.0.1:8772"), "127.0.0.1 8772");
  EXPECT_EQ(HostAndPortOf("event-store.sync.svc:1"), "event-store.sync.svc 1");
  EXPECT_EQ(HostAndPortOf("dns:///event-store:65535"), "event-store 65535");
  EXPECT_EQ(HostAndPortOf("[::1]:80"), "::1 80");
}

TEST(StreamAddress, OthersAreCalledWithoutStreams) {
  for (const char* target : {"", "host", "host:", ":80", "host:0", "host:65536", "host:x",
                             "unix:/run/socket", "dns://8.8.8.8/host:80", "ipv4:1.2.3.4:80",
                             "xds:///service", "::1:80", "[::1:80", "[]:80"}) {
    EXPECT_EQ(HostAndPortOf(target), "none") << target;
  }
}

}  // namespace
}  // namespace bdcsync::rpc
