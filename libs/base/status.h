// Early-return macros over absl::Status and absl::StatusOr. Each evaluates its expression once.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define BDC_STATUS_CONCAT_INNER(a, b) a##b
#define BDC_STATUS_CONCAT(a, b) BDC_STATUS_CONCAT_INNER(a, b)

// Returns the status of `expr` from the enclosing function unless it is OK.
#define RETURN_IF_ERROR(expr)                                                    \
  do {                                                                           \
    if (::absl::Status bdc_status = (expr); !bdc_status.ok()) return bdc_status; \
  } while (false)

// Assigns the value of `expr` (a StatusOr) to `lhs`, or returns its status.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_INNER(BDC_STATUS_CONCAT(bdc_status_or_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_INNER(result, lhs, expr)      \
  auto result = (expr);                                \
  if (!result.ok()) return std::move(result).status(); \
  lhs = *std::move(result)
