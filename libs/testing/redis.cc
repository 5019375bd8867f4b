#include "libs/testing/redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace bdcsync::testing {
namespace {

constexpr int kPortAttemptsMax = 20;
constexpr int kRestartAttemptsMax = 5;  // A connection may have taken the port for a moment.
constexpr int kSilenceMsMax = 20'000;

// A port that was free a moment ago; another process may take it, so the caller tries again.
int FreePort() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int port = 0;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  ::close(listener);
  return port;
}

// In the child, after fork: only calls that are safe there.
[[noreturn]] void ExecRedis(const char* port, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
           "--appendonly", "no", "--dir", "/tmp", static_cast<char*>(nullptr));
  ::_exit(127);
}

// Reads the server's log until it says that it accepts connections, ends, or says nothing more.
absl::Status AwaitReady(int output) {
  std::string log;
  std::array<char, 4096> buffer;
  while (!absl::StrContains(log, "Ready to accept connections")) {
    pollfd readable{output, POLLIN, 0};
    if (::poll(&readable, 1, kSilenceMsMax) <= 0) {
      return absl::UnavailableError(absl::StrCat("redis-server fell silent: ", log));
    }
    const ssize_t size = ::read(output, buffer.data(), buffer.size());
    if (size <= 0) return absl::UnavailableError(absl::StrCat("redis-server: ", log));
    log.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return absl::OkStatus();
}

}  // namespace

std::string SharedRedisUrl() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): tests do not change their environment.
  const char* const address = std::getenv("BDC_SYNC_TEST_REDIS");
  return address == nullptr ? "" : absl::StrCat("redis://", address);
}

absl::StatusOr<std::unique_ptr<RedisServer>> RedisServer::Start() {
  absl::Status failed = absl::UnavailableError("no free port");
  for (int attempt = 0; attempt < kPortAttemptsMax; ++attempt) {
    auto server = std::unique_ptr<RedisServer>(new RedisServer(FreePort()));
    failed = server->Spawn();
    if (failed.ok()) return server;
  }
  return failed;
}

RedisServer::~RedisServer() { Kill(); }

std::string RedisServer::url() const { return absl::StrCat("redis://127.0.0.1:", port_); }

absl::Status RedisServer::Spawn() {
  std::array<int, 2> output;
  if (::pipe2(output.data(), O_CLOEXEC) != 0) return absl::InternalError("pipe2 failed");
  const std::string port = absl::StrCat(port_);
  process_ = ::fork();
  if (process_ == 0) ExecRedis(port.c_str(), output[1]);
  ::close(output[1]);
  absl::Status ready = process_ < 0 ? absl::InternalError("fork failed") : AwaitReady(output[0]);
  ::close(output[0]);
  if (!ready.ok()) Kill();
  return ready;
}

void RedisServer::Kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

absl::Status RedisServer::Restart() {
  Kill();
  absl::Status started = Spawn();
  for (int attempt = 1; attempt < kRestartAttemptsMax && !started.ok(); ++attempt) {
    started = Spawn();
  }
  return started;
}

void RedisServer::Freeze() { ::kill(process_, SIGSTOP); }

void RedisServer::Resume() { ::kill(process_, SIGCONT); }

absl::StatusOr<std::string> RedisServer::Command(const std::vector<std::string>& words) const {
  redisContext* const context = redisConnect("127.0.0.1", port_);
  if (context == nullptr) return absl::InternalError("out of memory");
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  absl::StatusOr<std::string> answer = absl::UnavailableError(context->errstr);
  if (context->err == 0) {
    auto* const reply = static_cast<redisReply*>(
        redisCommandArgv(context, static_cast<int>(words.size()), texts.data(), sizes.data()));
    if (reply != nullptr && reply->type == REDIS_REPLY_INTEGER) {
      answer = absl::StrCat(reply->integer);
    } else if (reply != nullptr && reply->str != nullptr) {
      answer = std::string(reply->str, reply->len);
    }
    if (reply != nullptr) freeReplyObject(reply);
  }
  redisFree(context);
  return answer;
}

}  // namespace bdcsync::testing
