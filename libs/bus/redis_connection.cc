#include "libs/bus/redis_connection.h"

#include <hiredis/hiredis.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace bdcsync::bus {
namespace {

struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, ReplyDeleter>;

absl::string_view TextOf(const redisReply& reply) {
  return reply.str == nullptr ? absl::string_view() : absl::string_view(reply.str, reply.len);
}

// What the server said: [kind, channel, payload or count]. A PING is answered by [pong, ""] while
// the connection has a channel, and by a plain PONG while it has none.
absl::Status HandOut(const redisReply& reply, const RedisConnection::PushCallback& on_push) {
  if (reply.type == REDIS_REPLY_ERROR) return absl::UnavailableError(TextOf(reply));
  if (reply.type == REDIS_REPLY_STATUS && TextOf(reply) == "PONG") {
    on_push(PushKind::kPong, "", "");
    return absl::OkStatus();
  }
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements < 2) {
    return absl::UnavailableError("the server pushed something that is no message");
  }
  const absl::string_view kind = TextOf(*reply.element[0]);
  const absl::string_view channel = TextOf(*reply.element[1]);
  if (kind == "message" && reply.elements == 3) {
    on_push(PushKind::kMessage, channel, TextOf(*reply.element[2]));
  } else if (kind == "subscribe") {
    on_push(PushKind::kSubscribed, channel, "");
  } else if (kind == "unsubscribe") {
    on_push(PushKind::kUnsubscribed, channel, "");
  } else {
    on_push(PushKind::kPong, "", "");
  }
  return absl::OkStatus();
}

}  // namespace

RedisConnection::RedisConnection(RedisAddress address, redisContext* context)
    : address_(std::move(address)), context_(context) {}

RedisConnection::~RedisConnection() { redisFree(context_); }

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Open(
    const RedisAddress& address, absl::Duration connect_timeout, absl::Duration answer_timeout) {
  redisContext* context =
      redisConnectWithTimeout(address.host.c_str(), address.port, absl::ToTimeval(connect_timeout));
  if (context == nullptr) return absl::UnavailableError("out of memory");
  auto connection = std::unique_ptr<RedisConnection>(new RedisConnection(address, context));
  if (context->err != 0) return connection->Fault("cannot connect");
  RETURN_IF_ERROR(connection->Greet(answer_timeout));
  return connection;
}

absl::Status RedisConnection::Greet(absl::Duration answer_timeout) {
  if (redisSetTimeout(context_, absl::ToTimeval(answer_timeout)) != REDIS_OK) {
    return Fault("cannot set a timeout");
  }
  if (!address_.password.empty()) {
    std::vector<absl::string_view> words = {"AUTH"};
    if (!address_.user.empty()) words.push_back(address_.user);
    words.push_back(address_.password);
    RETURN_IF_ERROR(Command(words));
  }
  return Command({"PING"});
}

absl::Status RedisConnection::Command(const std::vector<absl::string_view>& words) {
  Append(words);
  void* answer = nullptr;
  if (redisGetReply(context_, &answer) != REDIS_OK) return Fault("no answer");
  const Reply reply(static_cast<redisReply*>(answer));
  if (reply->type != REDIS_REPLY_ERROR) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(address_.Name(), ": ", words.front(), " refused: ", TextOf(*reply)));
}

void RedisConnection::Append(const std::vector<absl::string_view>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const absl::string_view word : words) {
    texts.push_back(word.data() == nullptr ? "" : word.data());
    sizes.push_back(word.size());
  }
  // Out of memory shows as an error of the context, which the next Flush returns.
  redisAppendCommandArgv(context_, static_cast<int>(words.size()), texts.data(), sizes.data());
}

absl::Status RedisConnection::Flush() {
  if (context_->err != 0) return Fault("cannot write");
  int done = 0;
  while (done == 0) {
    if (redisBufferWrite(context_, &done) != REDIS_OK) return Fault("cannot write");
  }
  return absl::OkStatus();
}

RedisConnection::Event RedisConnection::Wait(const WakeEvent& wake, absl::Duration timeout) const {
  std::array<pollfd, 2> watched = {pollfd{context_->fd, POLLIN, 0}, pollfd{wake.fd(), POLLIN, 0}};
  const auto timeout_ms = static_cast<int>(absl::ToInt64Milliseconds(timeout));
  const int ready = ::poll(watched.data(), watched.size(), std::max(timeout_ms, 1));
  if (watched[1].revents != 0) return Event::kWoken;
  return ready > 0 ? Event::kReadable : Event::kTimeout;
}

absl::Status RedisConnection::ReadAnswers(std::size_t& answers, std::size_t& refused) {
  answers = 0;
  refused = 0;
  if (redisBufferRead(context_) != REDIS_OK) return Fault("cannot read");
  while (true) {
    void* next = nullptr;
    if (redisGetReplyFromReader(context_, &next) != REDIS_OK) return Fault("cannot read");
    if (next == nullptr) return absl::OkStatus();
    const Reply reply(static_cast<redisReply*>(next));
    ++answers;
    if (reply->type != REDIS_REPLY_ERROR) continue;
    ++refused;
    last_refusal_ = absl::UnavailableError(
        absl::StrCat(address_.Name(), ": PUBLISH refused: ", TextOf(*reply)));
  }
}

absl::Status RedisConnection::ReadPushes(const PushCallback& on_push) {
  if (redisBufferRead(context_) != REDIS_OK) return Fault("cannot read");
  while (true) {
    void* next = nullptr;
    if (redisGetReplyFromReader(context_, &next) != REDIS_OK) return Fault("cannot read");
    if (next == nullptr) return absl::OkStatus();
    const Reply reply(static_cast<redisReply*>(next));
    RETURN_IF_ERROR(HandOut(*reply, on_push));
  }
}

absl::Status RedisConnection::Fault(absl::string_view while_doing) const {
  return absl::UnavailableError(
      absl::StrCat(address_.Name(), ": ", while_doing, ": ", context_->errstr));
}

}  // namespace bdcsync::bus
