#include "libs/app/http_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/app/http_client_for_test.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace status = ::bdcsync::testing;

class HttpListenerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    listener_.AddRoute("GET", "/echo", [](const HttpRequest& request) {
      return HttpResponse{
          200, "text/plain",
          absl::StrCat(request.method, " ", request.query, " ", request.authorization)};
    });
    listener_.AddRoute("POST", "/size", [](const HttpRequest& request) {
      return HttpResponse{200, "text/plain", absl::StrCat(request.body.size())};
    });
    listener_.AddRoute("GET", "/throw", [](const HttpRequest&) -> HttpResponse {
      throw std::runtime_error("a bug");
    });
    ASSERT_OK(listener_.Start("127.0.0.1", 0));
  }

  std::string Exchange(const std::string& bytes) { return HttpExchange(listener_.port(), bytes); }
  std::string Post(std::size_t body_bytes) {
    return Exchange(absl::StrCat("POST /size HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
                                 "Content-Length: ", body_bytes, "\r\n\r\n",
                                 std::string(body_bytes, 'x')));
  }

  HttpListener listener_;
};

TEST_F(HttpListenerTest, HandsTheRequestToItsHandler) {
  EXPECT_THAT(Exchange("GET /echo?a=1&b=2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n"
                       "Connection: close\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Type: text/plain\r\n"),
                    HasSubstr("\r\n\r\nGET a=1&b=2 Bearer t")));
}

TEST_F(HttpListenerTest, OneConnectionCarriesManyRequests) {
  const std::string answers = Exchange(
      "GET /echo?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /echo?2 HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /echo?3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answers, AllOf(HasSubstr("GET 1 "), HasSubstr("GET 2 "), HasSubstr("GET 3 ")));
}

TEST_F(HttpListenerTest, HeadIsAnsweredWithoutABody) {
  const std::string answer =
      Exchange("HEAD /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Length: 6\r\n")));
  EXPECT_EQ(answer.substr(answer.size() - 4), "\r\n\r\n");
}

TEST_F(HttpListenerTest, UnknownPathsMethodsAndBugsHaveTheirStatus) {
  EXPECT_EQ(HttpGet(listener_.port(), "/other").status, 404);
  EXPECT_EQ(HttpGet(listener_.port(), "/size").status, 405);
  EXPECT_EQ(HttpGet(listener_.port(), "/throw").status, 500);
  EXPECT_EQ(HttpGet(listener_.port(), "/echo").status, 200);
}

TEST_F(HttpListenerTest, GarbageIsRefusedAndTheListenerGoesOn) {
  EXPECT_THAT(Exchange("\x16\x03\x01 this is not HTTP\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(HttpGet(listener_.port(), "/echo").status, 200);
}

TEST_F(HttpListenerTest, BodiesAreTakenUpToTheLimit) {
  constexpr std::size_t kMax = 1 << 20;
  EXPECT_THAT(Post(kMax - 1), HasSubstr("\r\n\r\n1048575"));
  EXPECT_THAT(Post(kMax), HasSubstr("\r\n\r\n1048576"));
  EXPECT_THAT(Exchange("POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpListenerTest, HeadersThatAreTooLargeAreRefused) {
  EXPECT_THAT(Exchange(absl::StrCat("GET /echo HTTP/1.1\r\nHost: ", std::string(17 << 10, 'x'),
                                    "\r\n\r\n")),
              StartsWith("HTTP/1.1 413 "));
}

TEST(HttpListener, ATakenPortAndABadAddressAreErrors) {
  HttpListener first;
  ASSERT_OK(first.Start("localhost", 0));
  HttpListener second;
  EXPECT_THAT(second.Start("127.0.0.1", first.port()), status::HasReason(Reason::kUnavailable));
  HttpListener third;
  EXPECT_THAT(third.Start("not-an-address", 0),
              status::StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(HttpListener, StopsWhileConnectionsAreOpen) {
  HttpListener listener;
  ASSERT_OK(listener.Start("127.0.0.1", 0));
  listener.Stop();
  listener.Stop();
  EXPECT_EQ(HttpGet(listener.port(), "/").status, 0);
}

}  // namespace
}  // namespace bdcsync::app
