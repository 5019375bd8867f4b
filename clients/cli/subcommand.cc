#include "clients/cli/subcommand.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace bdcsync::cli {

absl::StatusOr<int> RunSubcommand(const Call& call, absl::string_view command,
                                  absl::Span<const Subcommand> all) {
  const std::vector<std::string>& words = call.arguments.operands();
  if (words.empty()) return all.front().run(call);
  for (const Subcommand& one : all) {
    if (one.name != words.front()) continue;
    const size_t given = words.size() - 1;
    if (given >= one.operands_min && given <= one.operands_max) return one.run(call);
    return Usage(absl::StrCat("write: bdc-sync ", command, " ", one.name,
                              one.operands.empty() ? "" : " ", one.operands));
  }
  const auto name = [](std::string* out, const Subcommand& one) { absl::StrAppend(out, one.name); };
  return Usage(absl::StrCat("'", words.front(), "' is not ",
                            absl::StrJoin(all.first(all.size() - 1), ", ", name), " or ",
                            all.back().name));
}

}  // namespace bdcsync::cli
