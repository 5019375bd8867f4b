// The server's end of streams, where the other end is not one of ours.
#include "libs/rpc/stream_server.h"

#include <gtest/gtest.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/rpc/socket_loops.h"

namespace bdcsync::rpc {
namespace {

using ::boost::asio::ip::tcp;

constexpr std::size_t kStreamsMax = 2;

class StreamServerTest : public ::testing::Test {
 protected:
  ~StreamServerTest() override { server_.Close(absl::InfiniteDuration()); }

  tcp::socket Connect() {
    tcp::socket raw(loops_.Next());
    raw.connect(listener_.local_endpoint());
    boost::asio::write(raw, boost::asio::buffer(kGreeting.data(), kGreeting.size()));
    server_.Accept(listener_.accept(loops_.Next()));
    return raw;
  }
  // What the server says first; empty: it has closed the connection.
  static std::string Greeting(tcp::socket& raw) {
    std::string greeting(kGreeting.size(), '\0');
    boost::system::error_code error;
    greeting.resize(boost::asio::read(raw, boost::asio::buffer(greeting), error));
    return greeting;
  }

  SocketLoops loops_;
  tcp::acceptor listener_{loops_.Next(), {boost::asio::ip::address_v4::loopback(), 0}};
  StreamServer server_{SocketLimits(), kStreamsMax};
};

TEST_F(StreamServerTest, WhoIsBeyondTheLimitKeepsNothingOpenHere) {
  std::vector<tcp::socket> within;
  for (std::size_t i = 0; i < kStreamsMax; ++i) {
    within.push_back(Connect());
    EXPECT_EQ(Greeting(within.back()), kGreeting);
  }
  std::vector<tcp::socket> beyond;  // None of which closes its end.
  for (int i = 0; i < 10; ++i) {
    beyond.push_back(Connect());
    EXPECT_EQ(Greeting(beyond.back()), "");
    EXPECT_EQ(server_.count(), kStreamsMax);
  }
  within.pop_back();
  while (server_.count() == kStreamsMax) std::this_thread::yield();
  tcp::socket next = Connect();
  EXPECT_EQ(Greeting(next), kGreeting);
}

}  // namespace
}  // namespace bdcsync::rpc
