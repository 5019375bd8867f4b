// The presets asan and tsan find what they are for, and a finding ends the program with the status
// of libs/testing/sanitizer_options.cc: else a clean run would prove nothing.
#include <gtest/gtest.h>

#include <climits>
#include <cstdlib>
#include <memory>
#include <thread>

namespace bdcsync::testing {
namespace {

using ::testing::ExitedWithCode;

constexpr int kFound = 66;

class SanitizerDeathTest : public ::testing::Test {
 protected:
  SanitizerDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

#if defined(__SANITIZE_ADDRESS__)

TEST_F(SanitizerDeathTest, EndsAtAUseAfterFree) {
  EXPECT_EXIT(
      {
        auto value = std::make_unique<volatile int>(1);
        volatile int* const kept = value.get();
        value.reset();
        std::exit(*kept);
      },
      ExitedWithCode(kFound), "AddressSanitizer: heap-use-after-free");
}

TEST_F(SanitizerDeathTest, EndsAtUndefinedBehaviour) {
  EXPECT_EXIT(
      {
        volatile int value = INT_MAX;
        value = value + 1;
        std::exit(0);
      },
      ExitedWithCode(kFound), "runtime error: signed integer overflow");
}

TEST_F(SanitizerDeathTest, TellsALeakAtTheEnd) {
  EXPECT_EXIT(
      {
        // volatile: else the compiler leaves both the allocation and the loss out.
        static int* volatile lost = new int(1);
        lost = nullptr;
        std::exit(lost == nullptr ? 0 : 1);
      },
      ExitedWithCode(kFound), "LeakSanitizer: detected memory leaks");
}

#elif defined(__SANITIZE_THREAD__)

TEST_F(SanitizerDeathTest, EndsAtARace) {
  EXPECT_EXIT(
      {
        int value = 0;
        std::thread other([&value] { ++value; });
        ++value;
        other.join();
        std::exit(0);
      },
      ExitedWithCode(kFound), "ThreadSanitizer: data race");
}

#endif

}  // namespace
}  // namespace bdcsync::testing
