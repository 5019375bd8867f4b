#include "libs/app/openssl_exit.h"

#include <gtest/gtest.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cstdlib>

namespace bdcsync::app {
namespace {

constexpr int kWhole = 7;
constexpr int kTakenDown = 8;

// What is registered first runs last, after what OpenSSL would have registered.
void EndWithUseOfOpenSsl() {
  std::atexit([] { ::_exit(RAND_status() == 1 ? kWhole : kTakenDown); });
  KeepOpenSslAtExit();
  unsigned char random = 0;
  if (RAND_bytes(&random, sizeof random) != 1) ::_exit(1);
  std::exit(0);  // NOLINT(concurrency-mt-unsafe): the exit is what is tested.
}

TEST(OpenSslExitDeathTest, ThreadsThatGoOnUntilTheEndMayUseOpenSsl) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(EndWithUseOfOpenSsl(), ::testing::ExitedWithCode(kWhole), "");
}

}  // namespace
}  // namespace bdcsync::app
