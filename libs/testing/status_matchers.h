// GoogleTest matchers for absl::Status and absl::StatusOr, by canonical code and by reason.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/errors.h"

namespace bdcsync::testing {

inline const absl::Status& StatusFrom(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusFrom(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << StatusFrom(arg).ToString();
  return StatusFrom(arg).ok();
}
MATCHER_P(StatusIs, code, "has the canonical code " + absl::StatusCodeToString(code)) {
  *result_listener << StatusFrom(arg).ToString();
  return StatusFrom(arg).code() == code;
}
MATCHER_P(HasReason, reason, "has the reason " + std::string(InfoOf(reason).name)) {
  *result_listener << StatusFrom(arg).ToString();
  return !StatusFrom(arg).ok() && ReasonOf(StatusFrom(arg)) == reason;
}

// The value; where there is none, an empty one, and the test has failed. For functions that return
// what they make.
template <typename T>
T ValueOrFail(absl::StatusOr<T> result) {
  EXPECT_THAT(result.status(), IsOk());
  return result.ok() ? *std::move(result) : T();
}

}  // namespace bdcsync::testing

#define EXPECT_OK(expr) EXPECT_THAT(expr, ::bdcsync::testing::IsOk())
#define ASSERT_OK(expr) ASSERT_THAT(expr, ::bdcsync::testing::IsOk())
// Declares `lhs` from the StatusOr `expr`, or fails the test.
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_INNER(BDC_TEST_CONCAT(bdc_test_result_, __LINE__), lhs, expr)
#define BDC_TEST_CONCAT_INNER(a, b) a##b
#define BDC_TEST_CONCAT(a, b) BDC_TEST_CONCAT_INNER(a, b)
#define ASSERT_OK_AND_ASSIGN_INNER(result, lhs, expr) \
  auto result = (expr);                               \
  ASSERT_OK(result.status());                         \
  lhs = *std::move(result)
