#include "libs/config/flags.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/config/suggest.h"

namespace bdcsync::config {
namespace {

constexpr absl::string_view kAliasPrefix = "BDC_SYNC_";

struct ActionFlag {
  absl::string_view flag;
  Action action;
};
constexpr std::array kActions = {ActionFlag{"--help", Action::kHelp},
                                 ActionFlag{"-h", Action::kHelp},
                                 ActionFlag{"--version", Action::kVersion},
                                 ActionFlag{"--check-config", Action::kCheckConfig},
                                 ActionFlag{"--print-config", Action::kPrintConfig},
                                 ActionFlag{"--print-config-docs", Action::kPrintConfigDocs}};

// "--jwt-secret" for BDC_SYNC_JWT_SECRET; empty without an alias.
std::string AliasFlag(const Key& key) {
  if (!absl::StartsWith(key.env_alias, kAliasPrefix)) return "";
  const std::string name = key.env_alias.substr(kAliasPrefix.size());
  return absl::StrCat("--", absl::AsciiStrToLower(absl::StrReplaceAll(name, {{"_", "-"}})));
}

const Key* FindFlag(const Schema& schema, const std::string& flag) {
  for (const Key& key : schema.keys()) {
    if (flag == absl::StrCat("--", key.name) || flag == KebabFlag(key.name) ||
        flag == AliasFlag(key)) {
      return &key;
    }
  }
  return nullptr;
}

const ActionFlag* FindAction(const std::string& flag) {
  const auto* action = std::find_if(kActions.begin(), kActions.end(),
                                    [&](const ActionFlag& a) { return a.flag == flag; });
  return action == kActions.end() ? nullptr : action;
}

std::string SuggestFlag(const Schema& schema, const std::string& flag) {
  std::vector<std::string> known = {"--config"};
  for (const ActionFlag& action : kActions) known.emplace_back(action.flag);
  for (const Key& key : schema.keys()) {
    known.push_back(absl::StrCat("--", key.name));
    known.push_back(KebabFlag(key.name));
  }
  return Suggestion(flag, known);
}

// Walks over the arguments, taking a flag's value from behind '=' or from the next argument.
class Reader {
 public:
  Reader(const std::vector<std::string>& arguments, const Schema& schema,
         absl::Span<const SuiteKey> others, Mistakes& mistakes)
      : arguments_(arguments), schema_(schema), others_(others), mistakes_(mistakes) {}

  Flags Read() {
    for (next_ = 0; next_ < arguments_.size();) ReadOne(arguments_[next_++]);
    return std::move(flags_);
  }

 private:
  void ReadOne(const std::string& argument) {
    const std::size_t equals = argument.find('=');
    const std::string flag = argument.substr(0, equals);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = argument.substr(equals + 1);
    const std::string where = absl::StrCat("flag ", flag);

    if (!absl::StartsWith(flag, "-")) {
      mistakes_.Add(absl::StrCat("argument '", argument, "'"), "is not a flag");
    } else if (const ActionFlag* action = FindAction(flag); action != nullptr) {
      if (value.has_value()) mistakes_.Add(where, "takes no value");
      flags_.action = action->action;
    } else if (flag == "--config") {
      flags_.file = TakeFile(where, value);
    } else if (const Key* key = FindFlag(schema_, flag); key != nullptr) {
      if (key->type == Type::kBool && !value.has_value()) value = TakeBool();
      const std::string text = TakeValue(where, value);
      AddSetting(*key, where, text, flags_.settings, mistakes_);
    } else {
      if (!value.has_value() && HasValueNext()) ++next_;
      const std::string owner = OwnerOf(flag);
      mistakes_.Add(where, owner.empty()
                               ? absl::StrCat("unknown flag", SuggestFlag(schema_, flag))
                               : absl::StrCat("is a key of ", owner, ", not of this program"));
    }
  }

  std::string OwnerOf(const std::string& flag) const {
    for (const SuiteKey& key : others_) {
      if (flag == absl::StrCat("--", key.name) || flag == KebabFlag(key.name)) {
        return std::string(key.service);
      }
    }
    return "";
  }

  bool HasValueNext() const {
    return next_ < arguments_.size() && !absl::StartsWith(arguments_[next_], "--");
  }

  std::string TakeValue(const std::string& where, const std::optional<std::string>& value) {
    if (value.has_value()) return *value;
    if (HasValueNext()) return arguments_[next_++];
    mistakes_.Add(where, "needs a value");
    return "";
  }

  // An empty name, as of a variable that was never set, does not ask for the defaults.
  std::string TakeFile(const std::string& where, const std::optional<std::string>& value) {
    const bool given = value.has_value() || HasValueNext();
    std::string file = TakeValue(where, value);
    if (given && file.empty()) mistakes_.Add(where, "needs the name of a file");
    return file;
  }

  std::string TakeBool() {
    bool ignored = false;
    const bool follows = HasValueNext() && absl::SimpleAtob(arguments_[next_], &ignored);
    return follows ? arguments_[next_++] : "true";
  }

  const std::vector<std::string>& arguments_;
  const Schema& schema_;
  const absl::Span<const SuiteKey> others_;
  Mistakes& mistakes_;
  std::size_t next_ = 0;
  Flags flags_;
};

}  // namespace

Flags ReadFlags(const std::vector<std::string>& arguments, const Schema& schema,
                absl::Span<const SuiteKey> others, Mistakes& mistakes) {
  return Reader(arguments, schema, others, mistakes).Read();
}

}  // namespace bdcsync::config
