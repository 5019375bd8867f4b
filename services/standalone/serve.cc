#include "services/standalone/serve.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "libs/app/config.h"
#include "libs/app/openssl_exit.h"
#include "libs/app/run.h"
#include "libs/config/loader.h"
#include "services/conflict/module.h"
#include "services/device-sync/module.h"
#include "services/event-store/module.h"
#include "services/gateway/module.h"
#include "services/standalone/development_secret.h"
#include "services/standalone/greeting.h"
#include "services/version/module.h"

namespace bdcsync::standalone {
namespace {

constexpr char kProgram[] = "bdc-sync serve";
constexpr char kSecretVariable[] = "BDC_SYNC_JWT_SECRET";
constexpr char kSecretKey[] = "security.jwt_secret";
constexpr char kKeysKey[] = "security.jwt_keys_dir";
constexpr char kWebSocketPortKey[] = "websocket.port";
constexpr char kWebSocketTlsKey[] = "websocket.tls.cert_file";
constexpr char kGrpcTlsKey[] = "grpc.tls.cert_file";
constexpr int kExitCannotStart = 1;

app::Modules AllModules() {
  return app::MakeModules(event_store::MakeModule(), conflict::MakeModule(),
                          device_sync::MakeModule(), version::MakeModule(), gateway::MakeModule());
}

// What a check of the configuration finds in the place of a secret that a start would make.
constexpr char kSecretToBeMade[] = "made at the first start of the server";

// An empty text sets nothing, also in a file, as a printed configuration has it.
bool HasText(const config::Values& values, absl::string_view key) {
  return !std::get<std::string>(values.GetAny(key)).empty();
}

// A secret of our own where the operator gave neither secret nor keys; empty where they did, or
// where the process will not serve.
absl::StatusOr<std::string> SecretIfNoneGiven(int argc, char** argv, const app::Modules& modules) {
  const auto loaded = config::Load(app::SchemaFor(modules), config::ProcessSources(argc, argv));
  if (!loaded.ok()) return std::string();
  const config::Values& values = loaded->values;
  if (HasText(values, kSecretKey) || HasText(values, kKeysKey)) return std::string();
  if (loaded->action == config::Action::kCheckConfig) return kSecretToBeMade;
  if (loaded->action != config::Action::kRun) return std::string();
  return DevelopmentSecret(values.Get(app::kDataDir));
}

void Greet(app::App& app, const std::string& program, const std::string& secret) {
  const config::Values& values = app.context().config();
  GreetingInfo info;
  info.program = program;
  info.host = values.Get(app::kListenAddress);
  info.websocket_port = static_cast<int>(std::get<int64_t>(values.GetAny(kWebSocketPortKey)));
  info.grpc_port = app.grpc_port();
  info.http_port = app.http_port();
  info.websocket_tls = HasText(values, kWebSocketTlsKey);
  info.grpc_tls = HasText(values, kGrpcTlsKey);
  info.http_tls = !values.Get(app::kHttpTlsCertFile).empty();
  info.data_dir = values.Get(app::kDataDir);
  info.secret = secret;
  info.now = app.context().clock().Now();
  const std::string text = Greeting(info);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

int Serve(int argc, char** argv) {
  app::KeepOpenSslAtExit();  // The secret is made with it.
  app::Modules modules = AllModules();
  const absl::StatusOr<std::string> secret = SecretIfNoneGiven(argc, argv, modules);
  if (!secret.ok()) {
    std::fprintf(stderr, "%s: %s\n", kProgram, std::string(secret.status().message()).c_str());
    return kExitCannotStart;
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet.
  if (!secret->empty()) setenv(kSecretVariable, secret->c_str(), /*overwrite=*/1);
  return app::RunModules(argc, argv, std::move(modules),
                         {.whole_suite = true,
                          .program = kProgram,
                          .on_ready = [program = std::string(argv[0]), secret = *secret](
                                          app::App& app) { Greet(app, program, secret); }});
}

}  // namespace bdcsync::standalone
