#include "services/conflict/merge_conflict.h"

#include <map>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libs/base/errors.h"

namespace bdcsync::conflict {
namespace {

constexpr absl::string_view kChoices[] = {"base", "ours", "theirs", "proposed", "value"};

}  // namespace

absl::Status CheckChoices(const v1::DecideItem& item) {
  int choices = 0;
  for (const v1::Choice& choice : item.choices()) {
    if (!absl::c_linear_search(kChoices, choice.choice())) {
      const bool everywhere = choice.paths().empty();
      return MakeErrorAt(Reason::kInvalidArgument, everywhere ? "choice" : choice.paths(0),
                         "choose base, ours, theirs, proposed or value");
    }
    choices += std::max(1, choice.paths_size());
  }
  if (choices <= kChoicesMax) return absl::OkStatus();
  return MakeErrorAt(Reason::kTooLarge, "choices",
                     absl::StrCat("a decision has at most ", kChoicesMax, " choices"));
}

std::vector<v1::Choice> FoldChoices(const std::vector<v1::Choice>& kept,
                                    const v1::DecideItem& item) {
  std::map<std::string, v1::Choice> by_path;
  const auto add = [&](const v1::Choice& choice) {
    if (choice.paths().empty()) by_path.clear();  // It is about all of them.
    v1::Choice one = choice;
    one.clear_paths();
    if (choice.paths().empty()) by_path[""] = one;
    for (const std::string& path : choice.paths()) {
      one.clear_paths();
      one.add_paths(path);
      by_path[path] = one;
    }
  };
  for (const v1::Choice& choice : kept) add(choice);
  for (const v1::Choice& choice : item.choices()) add(choice);
  std::vector<v1::Choice> folded;
  folded.reserve(by_path.size());
  for (auto& [path, choice] : by_path) folded.push_back(std::move(choice));
  return folded;
}

}  // namespace bdcsync::conflict
