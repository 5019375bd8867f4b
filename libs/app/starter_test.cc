// How an App starts modules whose dependencies are away.
#include "libs/app/starter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/app/app.h"
#include "libs/app/http_client_for_test.h"
#include "libs/log/capture.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::app {
namespace {

using ::testing::HasSubstr;
namespace status = ::bdcsync::testing;

constexpr absl::Duration kLong = absl::Seconds(20);  // Only a failing test waits so long.

// A database as the modules below see it, and what was done to them.
struct World {
  absl::Mutex mutex;
  absl::Status database ABSL_GUARDED_BY(mutex) = absl::UnavailableError("PostgreSQL: refused");
  int attempts ABSL_GUARDED_BY(mutex) = 0;
  int drained ABSL_GUARDED_BY(mutex) = 0;

  void SetDatabase(absl::Status value) {
    absl::MutexLock lock(&mutex);
    database = std::move(value);
  }
  int Attempts() {
    absl::MutexLock lock(&mutex);
    return attempts;
  }
  bool AwaitAttempts(int count) {
    absl::MutexLock lock(&mutex);
    const auto reached = [this, count]()
                             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return attempts >= count; };
    return mutex.AwaitWithTimeout(absl::Condition(&reached), kLong);
  }
  int Drained() {
    absl::MutexLock lock(&mutex);
    return drained;
  }
};

class StoringModule final : public Module {
 public:
  explicit StoringModule(World& world) : world_(world) {}
  absl::string_view name() const override { return "storing"; }
  DefaultPorts default_ports() const override { return {}; }
  void DeclareConfig(config::Schema& schema) const override {}
  absl::Status Configure(Context& context) override { return absl::OkStatus(); }
  absl::Status Start(Context& context) override {
    absl::MutexLock lock(&world_.mutex);
    ++world_.attempts;
    return world_.database;
  }
  void Drain(absl::Time deadline) override {
    absl::MutexLock lock(&world_.mutex);
    ++world_.drained;
  }

 private:
  World& world_;
};

// Needs nobody.
class IndependentModule final : public Module {
 public:
  explicit IndependentModule(bool& started) : started_(started) {}
  absl::string_view name() const override { return "independent"; }
  DefaultPorts default_ports() const override { return {}; }
  void DeclareConfig(config::Schema& schema) const override {}
  absl::Status Configure(Context& context) override { return absl::OkStatus(); }
  absl::Status Start(Context& context) override {
    started_ = true;
    return absl::OkStatus();
  }
  void Drain(absl::Time deadline) override {}

 private:
  bool& started_;
};

class StarterTest : public ::testing::Test {
 protected:
  ~StarterTest() override { std::filesystem::remove_all(dir_); }

  absl::StatusOr<std::unique_ptr<App>> Start() {
    Modules modules = MakeModules(std::make_unique<StoringModule>(world_),
                                  std::make_unique<IndependentModule>(independent_started_));
    auto values = TestValues(modules, dir_);
    if (!values.ok()) return values.status();
    Environment environment;
    environment.logger = &log_.logger();
    environment.on_ready = [this] { ready_.Notify(); };
    environment.on_start_failed = [this](const absl::Status& why) {
      failure_ = why;
      failed_.Notify();
    };
    return App::Start(std::move(modules), *std::move(values), environment);
  }

  const std::string dir_ =
      absl::StrCat(::testing::TempDir(), "starter_test_",
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
  log::CapturedLog log_;
  World world_;
  bool independent_started_ = false;
  absl::Notification ready_;
  absl::Notification failed_;
  absl::Status failure_;
};

TEST_F(StarterTest, AMissingDependencyIsToldWhileProbesAndOthersWork) {
  ASSERT_OK_AND_ASSIGN(auto app, Start());
  EXPECT_TRUE(independent_started_);
  EXPECT_EQ(HttpGet(app->http_port(), "/healthz").status, 200);
  const HttpAnswer ready = HttpGet(app->http_port(), "/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr(R"("name":"storing start")"));
  EXPECT_THAT(ready.body, HasSubstr("PostgreSQL: refused"));
  EXPECT_THAT(ready.body, HasSubstr(R"("name":"independent start","ok":true)"));
}

TEST_F(StarterTest, ItBecomesReadyWhenTheDependencyComes) {
  ASSERT_OK_AND_ASSIGN(auto app, Start());
  ASSERT_TRUE(world_.AwaitAttempts(3));
  EXPECT_FALSE(ready_.HasBeenNotified());
  EXPECT_THAT(HttpGet(app->http_port(), "/metrics").body,
              ::testing::Not(HasSubstr("bdcsync_start_retries_total 0")));
  world_.SetDatabase(absl::OkStatus());
  ASSERT_TRUE(ready_.WaitForNotificationWithTimeout(kLong));
  EXPECT_OK(app->Readiness());
  EXPECT_EQ(HttpGet(app->http_port(), "/readyz").status, 200);
  const int attempts = world_.Attempts();
  app->Drain(absl::InfiniteFuture());
  EXPECT_EQ(world_.Drained(), 1);
  EXPECT_EQ(world_.Attempts(), attempts);
}

TEST_F(StarterTest, AnErrorThatWaitingDoesNotMendIsReported) {
  ASSERT_OK_AND_ASSIGN(auto app, Start());
  world_.SetDatabase(absl::FailedPreconditionError("made with other logs"));
  ASSERT_TRUE(failed_.WaitForNotificationWithTimeout(kLong));
  EXPECT_EQ(failure_.message(), "storing: made with other logs");
  EXPECT_THAT(std::string(app->Readiness().message()), HasSubstr("made with other logs"));
}

TEST_F(StarterTest, DrainingEndsTheAttempts) {
  ASSERT_OK_AND_ASSIGN(auto app, Start());
  app->Drain(absl::InfiniteFuture());
  world_.SetDatabase(absl::OkStatus());
  EXPECT_EQ(world_.Drained(), 0);
  EXPECT_FALSE(ready_.HasBeenNotified());
}

}  // namespace
}  // namespace bdcsync::app
