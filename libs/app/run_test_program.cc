// What run_test.cc starts: one module that does nothing but can be told to fail, to wait for a
// file, or to drain for ever.
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "libs/app/context.h"
#include "libs/app/run.h"
#include "libs/log/logger.h"

namespace bdcsync::app {
namespace {

constexpr config::Bool kFail{.name = "fake.fail", .doc = "Whether Start fails."};
constexpr config::String kNeededFile{
    .name = "fake.needed_file",
    .doc = "A file without which Start cannot succeed yet; with the content `wrong` it never can."};
constexpr config::Bool kHang{.name = "fake.hang", .doc = "Whether Drain never returns."};
constexpr config::String kGreeting{
    .name = "fake.greeting", .default_value = "hello", .doc = "What it says.", .reloadable = true};

constexpr config::String kCheck{.name = "fake.check",
                                .default_value = "good",
                                .choices = "good,unwise,wrong,tender",
                                .doc = "What CheckConfig finds."};

class FakeModule final : public Module {
 public:
  absl::string_view name() const override { return "fake"; }
  DefaultPorts default_ports() const override { return {}; }
  void DeclareConfig(config::Schema& schema) const override {
    schema.Add(kFail);
    schema.Add(kNeededFile);
    schema.Add(kHang);
    schema.Add(kGreeting);
    schema.Add(kCheck);
  }
  absl::Status CheckConfig(const config::Values& values,
                           std::vector<std::string>& warnings) const override {
    const std::string check = values.Get(kCheck);
    const std::string greeting = values.Get(kGreeting);
    if (check == "unwise" || greeting == "unwise") warnings.emplace_back("this is unwise");
    if (check == "wrong") return absl::InvalidArgumentError("these do not go together");
    if (greeting == "rude" && check != "tender") {
      return absl::InvalidArgumentError("rude is for the tender");
    }
    return absl::OkStatus();
  }
  absl::Status Configure(Context& context) override { return absl::OkStatus(); }
  absl::Status Start(Context& context) override {
    if (context.config().Get(kFail)) return absl::FailedPreconditionError("told to fail");
    if (const std::string file = context.config().Get(kNeededFile); !file.empty()) {
      std::string content;
      if (!(std::ifstream(file) >> content)) return absl::UnavailableError("no file yet");
      if (content == "wrong") return absl::FailedPreconditionError("the file is wrong");
    }
    hang_ = context.config().Get(kHang);
    logger_ = &context.logger();
    context.OnConfigChange([this](const config::Values& values) {
      logger_->Info("greeting", {{"text", values.Get(kGreeting)}});
    });
    return absl::OkStatus();
  }
  void Drain(absl::Time deadline) override {
    logger_->Info("draining");
    if (hang_) absl::Notification().WaitForNotification();
  }

 private:
  bool hang_ = false;
  log::Logger* logger_ = nullptr;
};

}  // namespace
}  // namespace bdcsync::app

int main(int argc, char** argv) {
  return bdcsync::app::RunModules(
      argc, argv, bdcsync::app::MakeModules(std::make_unique<bdcsync::app::FakeModule>()),
      {.end_max = absl::Milliseconds(100)});
}
