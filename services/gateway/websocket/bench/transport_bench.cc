// How fast the transport is, without any service behind it: deliveries to 500 subscribers of shared
// frames, requests answered, and resident memory of an idle authenticated session with one
// subscription. Client and server are two processes on one machine. Numbers compare within one run.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/log/logger.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/token_mint.h"
#include "services/gateway/auth/token_verifier.h"
#include "services/gateway/session/metrics.h"
#include "services/gateway/session/session.h"
#include "services/gateway/session/session_directory.h"
#include "services/gateway/session/testing/fake_desk.h"
#include "services/gateway/session/testing/fakes.h"
#include "services/gateway/websocket/bench/load_client.h"
#include "services/gateway/websocket/server.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace {

constexpr size_t kSubscribers = 500;
constexpr size_t kFrameBytes = 256;
constexpr size_t kWireBytes = kFrameBytes + 4;  // With the header.
constexpr absl::Duration kRun = absl::Seconds(3);
constexpr size_t kIdle = 10'000;
constexpr size_t kEchoConnections = 32;
constexpr size_t kEchoInFlight = 16;
constexpr char kSecret[] = "bench";

double CpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Answers every text with itself and remembers its connection for fan-out.
class EchoHandler final : public ConnectionHandler {
 public:
  EchoHandler(Connection& connection, std::vector<Connection*>& all) : connection_(connection) {
    all.push_back(&connection);
  }
  void OnText(absl::string_view text) override { connection_.SendText(text); }
  void OnDrained() override {}
  void OnShutdown() override {}
  void OnClosing(uint16_t, absl::string_view) override {}
  void OnClosed() override {}

 private:
  Connection& connection_;
};

// Two pipes to a child process that plays the clients.
class Child {
 public:
  explicit Child(const std::function<void(Child&)>& run) {
    if (pipe(to_child_) != 0 || pipe(to_parent_) != 0) std::exit(1);
    pid_ = fork();
    if (pid_ != 0) return;
    run(*this);
    std::_Exit(0);
  }
  ~Child() { waitpid(pid_, nullptr, 0); }
  void Tell(int value) { Write(to_child_[1], value); }
  int Hear() { return Read(to_parent_[0]); }
  void TellParent(int value) { Write(to_parent_[1], value); }
  int HearParent() { return Read(to_child_[0]); }

 private:
  static void Write(int pipe_fd, int value) {
    if (write(pipe_fd, &value, sizeof(value)) != sizeof(value)) std::exit(1);
  }
  static int Read(int pipe_fd) {
    int value = 0;
    if (read(pipe_fd, &value, sizeof(value)) != sizeof(value)) std::exit(1);
    return value;
  }
  int to_child_[2];
  int to_parent_[2];
  pid_t pid_ = -1;
};

struct Server {
  explicit Server(const std::function<HandlerFactory(Loop&)>& factory) {
    ServerOptions options;
    options.heartbeat_interval = absl::Hours(1);
    server = *MakeWebSocketServer(options, clock, metrics, logger);
    if (!server->Start({factory(*server->loops()[0])}).ok()) std::exit(1);
  }
  void OnLoop(std::function<void()> task) {
    std::promise<void> done;
    server->loops()[0]->Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  SystemClock clock;
  metrics::Registry registry;
  TransportMetrics metrics{registry};
  log::Logger logger = log::NullLogger();
  std::unique_ptr<WebSocketServer> server;
};

void FanOut(int outstanding) {
  Child child([](Child& self) {
    const int window = self.HearParent();
    LoadClient client(self.HearParent(), kSubscribers, "");
    self.TellParent(0);
    // One token per message that all have; the parent keeps `window` on the way.
    for (int rounds = self.HearParent(); rounds > 0; rounds = self.HearParent()) {
      client.ReadBytes(kSubscribers * kWireBytes * static_cast<size_t>(rounds));
      self.TellParent(rounds);
    }
    static_cast<void>(window);
  });
  std::vector<Connection*> all;
  Server server([&](Loop&) {
    return
        [&all](Connection& connection) { return std::make_shared<EchoHandler>(connection, all); };
  });
  child.Tell(outstanding);
  child.Tell(server.server->port());
  child.Hear();
  const std::string payload(kFrameBytes, 'x');
  size_t messages = 0;
  const double cpu = CpuSeconds();
  const absl::Duration began = server.clock.Monotonic();
  absl::Duration took;
  do {
    // Half a window at a time, so that sending and reading overlap.
    child.Tell(outstanding);
    for (int i = 0; i < outstanding; ++i) {
      server.server->loops()[0]->Post([&] {
        const SharedFrame frame = MakeTextFrame(payload);
        for (Connection* connection : all) connection->Send(frame);
      });
    }
    messages += static_cast<size_t>(outstanding);
    child.Hear();
    took = server.clock.Monotonic() - began;
  } while (took < kRun);
  const double deliveries = static_cast<double>(messages * kSubscribers);
  std::printf("fan-out to %zu, %2d outstanding: %9.0f deliveries/s, server %.2f us each\n",
              kSubscribers, outstanding, deliveries / absl::ToDoubleSeconds(took),
              (CpuSeconds() - cpu) * 1e6 / deliveries);
  child.Tell(0);
  server.OnLoop([&] { all.clear(); });
}

void Echo() {
  Child child([](Child& self) {
    LoadClient client(self.HearParent(), kEchoConnections, "");
    const std::string text(kFrameBytes, 'y');
    self.TellParent(0);
    for (int go = self.HearParent(); go > 0; go = self.HearParent()) {
      for (size_t k = 0; k < kEchoInFlight; ++k) {
        for (size_t i = 0; i < client.size(); ++i) client.Send(i, text);
      }
      client.ReadBytes(kEchoConnections * kEchoInFlight * kWireBytes);
      self.TellParent(1);
    }
  });
  std::vector<Connection*> all;
  Server server([&](Loop&) {
    return
        [&all](Connection& connection) { return std::make_shared<EchoHandler>(connection, all); };
  });
  child.Tell(server.server->port());
  child.Hear();
  size_t rounds = 0;
  const double cpu = CpuSeconds();
  const absl::Duration began = server.clock.Monotonic();
  absl::Duration took;
  do {
    child.Tell(1);
    child.Hear();
    ++rounds;
    took = server.clock.Monotonic() - began;
  } while (took < kRun);
  const double requests = static_cast<double>(rounds * kEchoConnections * kEchoInFlight);
  std::printf("echo, %zu x %zu in flight: %9.0f requests/s, server %.2f us each\n",
              kEchoConnections, kEchoInFlight, requests / absl::ToDoubleSeconds(took),
              (CpuSeconds() - cpu) * 1e6 / requests);
  child.Tell(0);
}

void Idle() {
  Child child([](Child& self) {
    const int port = self.HearParent();
    SystemClock clock;
    Caller caller;
    caller.user_id = "bench";
    caller.token_expires = clock.Now() + absl::Hours(1);
    const std::string greeting = absl::StrCat(R"({"type":"authenticate","token":")",
                                              MintToken(caller, clock.Now(), kSecret), "\"}");
    LoadClient client(port, kIdle, greeting);
    for (size_t i = 0; i < client.size(); ++i) client.Send(i, R"({"type":"subscribe","id":1})");
    self.TellParent(0);
    self.HearParent();
  });
  SystemRandom random;
  SystemClock clock;
  metrics::Registry registry;
  SessionMetrics metrics(registry);
  KeyRing keys(kSecret, "");
  TokenVerifier tokens(keys, clock);
  FakePipeline pipeline;
  FakeReads reads;
  FakeDesk desk;
  FakeSubscriptions subscriptions;
  FakeLive live;
  FakeDevices devices;
  SessionDirectory directory;
  log::Logger logger = log::NullLogger();
  std::unique_ptr<SessionServices> services;
  Server server([&](Loop& loop) {
    services.reset(new SessionServices{loop, clock, random, tokens, pipeline, reads, desk,
                                       subscriptions, live, devices, directory, metrics, logger,
                                       SessionOptions()});
    return [&](Connection& connection) { return MakeSession(*services, connection); };
  });
  const size_t before = ResidentBytes();
  child.Tell(server.server->port());
  child.Hear();
  // Until the last subscription is there. What the fakes recorded is given back first.
  for (size_t open = 0; open < kIdle;) {
    server.OnLoop([&] { open = static_cast<size_t>(metrics.subscriptions.value()); });
  }
  server.OnLoop([&] {
    subscriptions.entries.clear();
    live.log.clear();
    devices.registered.clear();
  });
  std::printf("idle sessions with a subscription, %zu: %.2f KiB each\n", kIdle,
              static_cast<double>(ResidentBytes() - before) / 1024 / kIdle);
  child.Tell(0);
  server.server->Drain(server.clock.Now());
}

}  // namespace
}  // namespace bdcsync::gateway

int main() {
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  bdcsync::gateway::FanOut(1);
  bdcsync::gateway::FanOut(16);
  bdcsync::gateway::Echo();
  bdcsync::gateway::Idle();
  return 0;
}
