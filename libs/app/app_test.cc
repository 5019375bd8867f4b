#include "libs/app/app.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/app/config.h"
#include "libs/app/http_client_for_test.h"
#include "libs/base/status.h"
#include "libs/log/capture.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/server.h"
#include "libs/rpc/unary.h"
#include "libs/rpc/worker_pool.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::app {
namespace {

using event_store::v1::EventStoreService;
using event_store::v1::GetStoreInfoRequest;
using event_store::v1::GetStoreInfoResponse;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Journal = std::vector<std::string>;
namespace status = ::bdcsync::testing;

constexpr config::String kGreeting{.name = "fake.greeting",
                                   .default_value = "hello",
                                   .doc = "What the fake says.",
                                   .reloadable = true};

// Writes down what is done to it, in order.
class FakeModule : public Module {
 public:
  FakeModule(std::string name, Journal& journal) : name_(std::move(name)), journal_(journal) {}
  ~FakeModule() override { journal_.push_back(name_ + " destroyed"); }

  absl::string_view name() const override { return name_; }
  DefaultPorts default_ports() const override { return {.grpc = 1234, .http = 1235}; }
  void DeclareConfig(config::Schema& schema) const override { schema.Add(kGreeting); }
  absl::Status Configure(Context& context) override {
    journal_.push_back(name_ + " configured");
    return absl::OkStatus();
  }
  absl::Status Start(Context& context) override {
    journal_.push_back(name_ + " started");
    return absl::OkStatus();
  }
  void Drain(absl::Time deadline) override { journal_.push_back(name_ + " drained"); }

 protected:
  const std::string name_;
  Journal& journal_;
};

// Serves GetStoreInfo from a worker thread.
class ServingModule final : public FakeModule, EventStoreService::CallbackService {
 public:
  using FakeModule::FakeModule;
  absl::Status Configure(Context& context) override {
    workers_ = &context.workers();
    context.server().AddService(this);
    context.AddHttpRoute("GET", "/fake", [](const HttpRequest& request) {
      return HttpResponse{200, "text/plain", request.query};
    });
    return FakeModule::Configure(context);
  }

 private:
  grpc::ServerUnaryReactor* GetStoreInfo(grpc::CallbackServerContext* context,
                                         const GetStoreInfoRequest* request,
                                         GetStoreInfoResponse* response) override {
    return rpc::HandleOnPool(context, *workers_, [] { return absl::OkStatus(); });
  }
  rpc::WorkerPool* workers_ = nullptr;
};

// Calls GetStoreInfo while it starts.
class CallingModule final : public FakeModule {
 public:
  using FakeModule::FakeModule;
  absl::Status Start(Context& context) override {
    ASSIGN_OR_RETURN(const auto peers, context.channels().Get("event-store"));
    const auto stub = EventStoreService::NewStub(peers.front().channel);
    const auto answer =
        rpc::Call(*stub, &EventStoreService::Stub::GetStoreInfo, GetStoreInfoRequest(), {});
    RETURN_IF_ERROR(answer.status());
    return FakeModule::Start(context);
  }
};

class FailingModule final : public FakeModule {
 public:
  using FakeModule::FakeModule;
  absl::Status Start(Context& context) override {
    return absl::FailedPreconditionError("the database is another one");
  }
};

class AppTest : public ::testing::Test {
 protected:
  AppTest() { std::filesystem::remove_all(dir_); }
  ~AppTest() override { std::filesystem::remove_all(dir_); }

  absl::StatusOr<std::unique_ptr<App>> Start(
      Modules modules, const std::vector<std::pair<std::string, std::string>>& settings = {}) {
    ASSIGN_OR_RETURN(config::Values values, TestValues(modules, dir_, settings));
    return App::Start(std::move(modules), std::move(values), {.logger = &log_.logger()});
  }

  const std::string dir_ =
      absl::StrCat(::testing::TempDir(), "app_test_",
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
  log::CapturedLog log_;
  Journal journal_;
};

TEST_F(AppTest, ModulesStartInOrderAndStopInReverse) {
  {
    ASSERT_OK_AND_ASSIGN(auto app, Start(MakeModules(std::make_unique<FakeModule>("a", journal_),
                                                     std::make_unique<FakeModule>("b", journal_))));
    app->Drain(absl::InfiniteFuture());
    app->Drain(absl::InfiniteFuture());
  }
  EXPECT_THAT(journal_, ElementsAre("a configured", "b configured", "a started", "b started",
                                    "b drained", "a drained", "b destroyed", "a destroyed"));
}

TEST_F(AppTest, AFailedStartNamesTheModuleAndDrainsWhatWasStarted) {
  const auto app = Start(MakeModules(std::make_unique<FakeModule>("a", journal_),
                                     std::make_unique<FailingModule>("b", journal_),
                                     std::make_unique<FakeModule>("c", journal_)));
  EXPECT_THAT(app, status::StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(app.status().message(), "b: the database is another one");
  EXPECT_THAT(journal_, ElementsAre("a configured", "b configured", "c configured", "a started",
                                    "a drained", "c destroyed", "b destroyed", "a destroyed"));
}

TEST_F(AppTest, ModulesReachEachOtherWithinTheProcess) {
  ASSERT_OK_AND_ASSIGN(auto app,
                       Start(MakeModules(std::make_unique<ServingModule>("event-store", journal_),
                                         std::make_unique<CallingModule>("version", journal_))));
  EXPECT_THAT(journal_, ::testing::Contains("version started"));
}

TEST_F(AppTest, OtherProcessesReachItOverTcp) {
  ASSERT_OK_AND_ASSIGN(
      auto app, Start(MakeModules(std::make_unique<ServingModule>("event-store", journal_))));
  ASSERT_OK_AND_ASSIGN(const auto channel, rpc::Dial(app->grpc_address(), {}));
  const auto stub = EventStoreService::NewStub(channel);
  EXPECT_OK(rpc::Call(*stub, &EventStoreService::Stub::GetStoreInfo, GetStoreInfoRequest(), {}));
}

TEST_F(AppTest, HttpTellsHealthReadinessAndMetrics) {
  ASSERT_OK_AND_ASSIGN(
      auto app, Start(MakeModules(std::make_unique<ServingModule>("event-store", journal_))));
  EXPECT_EQ(HttpGet(app->http_port(), "/healthz").status, 200);
  EXPECT_EQ(HttpGet(app->http_port(), "/readyz").status, 200);
  EXPECT_EQ(HttpGet(app->http_port(), "/fake?a=1").body, "a=1");
  EXPECT_EQ(HttpGet(app->http_port(), "/nowhere").status, 404);
  const HttpAnswer metrics = HttpGet(app->http_port(), "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, AllOf(HasSubstr("process_resident_memory_bytes "),
                                  HasSubstr("bdcsync_workers_queued_tasks 0")));
}

TEST_F(AppTest, MetricsCanBeSwitchedOff) {
  ASSERT_OK_AND_ASSIGN(auto app, Start(MakeModules(std::make_unique<FakeModule>("a", journal_)),
                                       {{"monitoring.enable_metrics", "false"}}));
  EXPECT_EQ(HttpGet(app->http_port(), "/metrics").status, 404);
}

TEST_F(AppTest, AFailedCheckMakesItUnreadyAndSaysWhy) {
  ASSERT_OK_AND_ASSIGN(auto app, Start(MakeModules(std::make_unique<FakeModule>("a", journal_))));
  absl::Status storage = absl::OkStatus();
  app->context().AddReadinessCheck("storage", [&] { return storage; });
  EXPECT_OK(app->Readiness());
  storage = absl::UnavailableError("connection refused");
  EXPECT_EQ(app->Readiness().message(), "storage: connection refused");
  const HttpAnswer answer = HttpGet(app->http_port(), "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr(R"("reason":"connection refused")"));
}

// Whoever watches by metrics alone sees what /readyz says, and why.
TEST_F(AppTest, MetricsTellOfReadinessAndOfEachCheck) {
  ASSERT_OK_AND_ASSIGN(auto app, Start(MakeModules(std::make_unique<FakeModule>("a", journal_))));
  absl::Status storage = absl::OkStatus();
  app->context().AddReadinessCheck("storage", [&] { return storage; });
  const auto metrics = [&] { return HttpGet(app->http_port(), "/metrics").body; };
  EXPECT_THAT(metrics(), AllOf(HasSubstr("\nbdcsync_ready{component=\"a\"} 1\n"),
                               HasSubstr("\nbdcsync_ready_check{check=\"a start\"} 1\n"),
                               HasSubstr("\nbdcsync_ready_check{check=\"bus\"} 1\n"),
                               HasSubstr("\nbdcsync_ready_check{check=\"storage\"} 1\n")));
  storage = absl::UnavailableError("connection refused");
  EXPECT_THAT(metrics(), AllOf(HasSubstr("\nbdcsync_ready{component=\"a\"} 0\n"),
                               HasSubstr("\nbdcsync_ready_check{check=\"a start\"} 1\n"),
                               HasSubstr("\nbdcsync_ready_check{check=\"storage\"} 0\n")));
}

TEST_F(AppTest, APortThatIsTakenFailsTheStartAndNamesTheKey) {
  ASSERT_OK_AND_ASSIGN(auto app, Start(MakeModules(std::make_unique<FakeModule>("a", journal_))));
  const auto grpc = Start(MakeModules(std::make_unique<FakeModule>("b", journal_)),
                          {{"grpc.port", absl::StrCat(app->grpc_port())}});
  EXPECT_THAT(std::string(grpc.status().message()), HasSubstr("grpc.port"));
  const auto http = Start(MakeModules(std::make_unique<FakeModule>("b", journal_)),
                          {{"http.port", absl::StrCat(app->http_port())}});
  EXPECT_THAT(std::string(http.status().message()), HasSubstr("http.port"));
}

TEST_F(AppTest, AReloadReachesEveryListener) {
  Modules modules = MakeModules(std::make_unique<FakeModule>("a", journal_));
  ASSERT_OK_AND_ASSIGN(
      const config::Values changed,
      TestValues(modules, dir_, {{"fake.greeting", "hi"}, {"monitoring.log_level", "error"}}));
  ASSERT_OK_AND_ASSIGN(auto app, Start(std::move(modules)));
  std::string greeting;
  app->context().OnConfigChange([&](const config::Values& v) { greeting = v.Get(kGreeting); });
  EXPECT_OK(app->Reload(changed));
  EXPECT_EQ(greeting, "hi");
  EXPECT_FALSE(app->context().logger().Enabled(log::Level::kWarn));
}

TEST_F(AppTest, TheLastModuleGivesTheDefaultPorts) {
  const Modules modules = MakeModules(std::make_unique<FakeModule>("a", journal_));
  const config::Schema schema = SchemaFor(modules);
  ASSERT_OK_AND_ASSIGN(const config::Values values, config::ValuesBuilder(schema).Build());
  EXPECT_EQ(values.Get(kGrpcPort), 1234);
  EXPECT_EQ(values.Get(kHttpPort), 1235);
}

}  // namespace
}  // namespace bdcsync::app
