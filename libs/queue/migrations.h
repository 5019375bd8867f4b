// The schema of the queue's database. Thread-safe.
#pragma once

#include "absl/types/span.h"
#include "libs/sql/migrations.h"

namespace bdcsync::queue {

absl::Span<const sql::Migration> Migrations();

}  // namespace bdcsync::queue
