#include "libs/app/live_config.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/config/suggest.h"
#include "libs/config/suite_keys.h"

namespace bdcsync::app {
namespace {

constexpr absl::string_view kSource = "operator";

// Why operators may not give `key` this value; empty when they may. `Key` is of the schema or of
// another service.
template <typename Key>
std::string Objection(const Key& key) {
  if (!key.reloadable) return "needs a restart";
  if (key.secret) return "is a secret: change it in the file, then send SIGHUP";
  return "";
}

std::string ObjectionTo(const config::Schema& schema, const std::string& name,
                        const std::string& text) {
  if (const config::Key* const key = schema.Find(name); key != nullptr) {
    std::string objection = Objection(*key);
    if (!objection.empty() || text.empty()) return objection;
    return std::string(config::ParseValue(*key, text).status().message());
  }
  const config::SuiteKey* const other = config::FindKey(config::SuiteKeys(), name);
  if (other != nullptr) return Objection(*other);
  std::vector<std::string> names;
  for (const config::Key& key : schema.keys()) names.push_back(key.name);
  for (const config::SuiteKey& key : config::SuiteKeys()) names.emplace_back(key.name);
  return absl::StrCat("unknown key", config::Suggestion(name, names));
}

}  // namespace

LiveConfig::LiveConfig(config::Schema schema, config::Values loaded, const Clock& clock,
                       const log::Logger& logger, Apply apply)
    : schema_(std::move(schema)),
      clock_(clock),
      logger_(logger),
      apply_(std::move(apply)),
      loaded_(std::move(loaded)) {}

LiveConfig::~LiveConfig() { Leave(); }

void LiveConfig::Join(bus::Bus& bus) {
  {
    absl::MutexLock lock(&mutex_);
    bus_ = &bus;
  }
  subscription_ = bus.Subscribe(
      kConfigChannel, [this](absl::string_view payload) { return OnMessage(payload); },
      [this] { Publish(/*ask=*/true); });
}

void LiveConfig::Leave() {
  subscription_ = nullptr;
  absl::MutexLock lock(&mutex_);
  bus_ = nullptr;
}

config::Reload LiveConfig::Compare(const config::Values& loaded) {
  absl::MutexLock lock(&mutex_);
  return config::ApplyReload(schema_, loaded_, loaded);
}

config::Reload LiveConfig::SetLoaded(const config::Values& loaded) {
  std::optional<config::Reload> reload;
  {
    absl::MutexLock lock(&mutex_);
    reload.emplace(config::ApplyReload(schema_, loaded_, loaded));
    loaded_ = reload->values;
  }
  Update();
  return *std::move(reload);
}

absl::StatusOr<LiveConfig::Changes> LiveConfig::Change(const Changes& changes) {
  std::vector<std::string> mistakes;
  for (const auto& [name, text] : changes) {
    const std::string objection = ObjectionTo(schema_, name, text);
    if (!objection.empty()) mistakes.push_back(absl::StrCat(name, ": ", objection));
  }
  if (!mistakes.empty()) return MakeError(Reason::kInvalidArgument, absl::StrJoin(mistakes, "\n"));
  Entries entries;
  const int64_t now_us = absl::ToUnixMicros(clock_.Now());
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [name, text] : changes) {
      // Later than what is known, whatever the clocks say.
      const auto known = entries_.find(name);
      const int64_t after = known == entries_.end() ? 0 : known->second.at_us + 1;
      entries[name] = {text, std::max(now_us, after)};
    }
  }
  if (Merge(entries)) {
    Update();
    Publish(/*ask=*/false);
  }
  Changes holding;
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, entry] : entries_) {
    if (!entry.text.empty()) holding[name] = entry.text;
  }
  return holding;
}

bool LiveConfig::OnMessage(absl::string_view payload) {
  if (payload.size() > kConfigMessageBytesMax) return false;
  boost::system::error_code error;
  const boost::json::value message =
      boost::json::parse(boost::json::string_view(payload.data(), payload.size()), error);
  if (error || !message.is_object()) return false;
  Entries entries;
  if (const auto* changes = message.as_object().if_contains("changes");
      changes != nullptr && changes->is_object()) {
    for (const auto& item : changes->as_object()) {
      const std::string name(item.key());
      const auto* fields = item.value().if_object();
      const auto* text = fields == nullptr ? nullptr : fields->if_contains("value");
      const auto* at = fields == nullptr ? nullptr : fields->if_contains("at_us");
      if (text == nullptr || at == nullptr || !text->is_string() || !at->is_int64()) continue;
      Entry entry{std::string(text->as_string()), at->as_int64()};
      if (const std::string objection = ObjectionTo(schema_, name, entry.text); objection.empty()) {
        entries[name] = std::move(entry);
      } else {
        logger_.Error("a change of the configuration is not taken",
                      {{"key", name}, {"reason", objection}});
      }
    }
  }
  if (Merge(entries)) Update();
  if (message.as_object().contains("ask")) Publish(/*ask=*/false);
  return true;
}

bool LiveConfig::Merge(const Entries& entries) {
  std::vector<std::string> changed;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [name, entry] : entries) {
      Entry& known = entries_[name];
      if (!(known < entry)) continue;
      known = entry;
      changed.push_back(absl::StrCat(name, "=", entry.text));
    }
  }
  if (changed.empty()) return false;
  logger_.Info("the configuration was changed by an operator",
               {{"changed", absl::StrJoin(changed, ",")}});
  return true;
}

void LiveConfig::Update() {
  {
    absl::MutexLock lock(&mutex_);
    outdated_ = true;
    if (applying_) return;  // Whoever applies looks again.
    applying_ = true;
  }
  while (true) {
    std::optional<config::Values> values;
    {
      absl::MutexLock lock(&mutex_);
      if (!outdated_) {
        applying_ = false;
        return;
      }
      outdated_ = false;
      values = Overlaid();
    }
    apply_(*values);
  }
}

config::Values LiveConfig::Overlaid() const {
  config::Values::Table table;
  for (const config::Key& key : schema_.keys()) {
    table[key.name] = {loaded_.GetAny(key.name), loaded_.SourceOf(key.name)};
    const auto entry = entries_.find(key.name);
    if (entry == entries_.end() || entry->second.text.empty()) continue;
    absl::StatusOr<config::Value> value = config::ParseValue(key, entry->second.text);
    if (value.ok()) table[key.name] = {*std::move(value), std::string(kSource)};
  }
  return config::Values(std::move(table));
}

void LiveConfig::Publish(bool ask) {
  boost::json::object changes;
  bus::Bus* bus = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    bus = bus_;
    for (const auto& [name, entry] : entries_) {
      changes[name] = {{"value", entry.text}, {"at_us", entry.at_us}};
    }
  }
  if (bus == nullptr || (changes.empty() && !ask)) return;
  boost::json::object message;
  if (!changes.empty()) message["changes"] = std::move(changes);
  if (ask) message["ask"] = true;
  bus->Publish(kConfigChannel, boost::json::serialize(message));
}

}  // namespace bdcsync::app
