// What commands read from their operands. Every failure is INVALID_ARGUMENT and says what to write.
#pragma once

#include <cstddef>
#include <istream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bdcsync/common/v1/common.pb.h"
#include "clients/cli/arguments.h"
#include "clients/cli/environment.h"

namespace bdcsync::cli {

// TYPE/ID, with --space and --branch. The id may hold further slashes.
absl::StatusOr<common::v1::EntityKey> ReadEntityKey(const Arguments& arguments);
// Operands that are entity types. What can be none would match nothing, for ever in a watch.
absl::Status CheckTypes(const Arguments& arguments);
// What a command reads as a whole, as a document; and one line of requests.
inline constexpr std::size_t kInputBytesMax = std::size_t{256} << 20;
inline constexpr std::size_t kLineBytesMax = std::size_t{64} << 20;
// All that is left of `in`, and all of a file; `name` is for the error.
absl::StatusOr<std::string> ReadAll(std::istream& in, absl::string_view name,
                                    std::size_t bytes_max = kInputBytesMax);
absl::StatusOr<std::string> ReadFile(const std::string& name);
// Reads a line into `line`; false at the end of `in`. Of a longer one than `bytes_max` only that
// much is kept, and `whole` is false.
bool ReadLine(std::istream& in, std::string& line, bool& whole,
              std::size_t bytes_max = kLineBytesMax);
// JSON text: `text` itself, @FILE, or standard input for -. Checked to be JSON, and returned as it
// was written.
absl::StatusOr<std::string> ReadJson(const std::string& text, const Environment& environment);
// The same for the operand at `position`, with standard input for one that was not given. An empty
// one, as of a variable that was never set, is no JSON.
absl::StatusOr<std::string> ReadJsonOperand(const Arguments& arguments, std::size_t position,
                                            const Environment& environment);
// INVALID_ARGUMENT when `text` begins with the mark that some editors put before UTF-8: JSON allows
// none, and nobody sees it.
absl::Status RefuseByteOrderMark(absl::string_view text);
// A time as RFC 3339, or as a duration before `now` ("90s", "2h").
absl::StatusOr<absl::Time> ReadTime(absl::string_view text, absl::Time now);
// A whole number from `min` to `max`; `missing` when the option was not given.
absl::StatusOr<int> ReadCount(const Arguments& arguments, absl::string_view option, int missing,
                              int min, int max);
absl::StatusOr<absl::Duration> ReadDuration(const Arguments& arguments, absl::string_view option,
                                            absl::Duration missing);

// What counts and trials are about: --space, or with --everywhere all, which is empty, or else the
// space of the user whose token it is.
absl::StatusOr<std::string> ReadCountedSpace(const Arguments& arguments,
                                             const Environment& environment);

}  // namespace bdcsync::cli
