#include "libs/rpc/stream_server.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"

namespace bdcsync::rpc {

// One stream. Its lock is held while it sends, which never blocks and never calls back: a goodbye
// and an answer keep their order.
class ServedStream final : public FrameReceiver, public std::enable_shared_from_this<ServedStream> {
 public:
  explicit ServedStream(StreamServer& server) : server_(server) {}

  void Begin(boost::asio::ip::tcp::socket socket, const SocketLimits& limits) {
    absl::MutexLock lock(&mutex_);
    socket_ = FramedSocket::Accept(std::move(socket), limits, shared_from_this());
  }
  void Stop() {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    stopping_ = true;
    if (!busy_) TakeLeave();
  }
  void Close() {
    absl::MutexLock lock(&mutex_);
    socket_->Close();
  }

  void OnFrame(FrameKind kind, absl::string_view payload) override {
    if (kind == FrameKind::kOpen) {
      if (opened_) Reassure();
      opened_ = true;
      method_ = server_.Find(payload);
    } else if (Begins()) {
      Handle(kind, payload);
    }
  }
  void OnTooLarge(FrameKind kind) override {
    if (!Begins()) return;
    Answer(EncodeError(absl::ResourceExhaustedError(absl::StrCat(
        "a message of kind ", static_cast<int>(kind), " is larger than grpc.max_message_bytes"))));
  }
  void OnEnd(const absl::Status& status) override { server_.Forget(*this); }

 private:
  // Whether the call that has come is taken. It is not when the caller was told so, and a caller
  // that does not wait for its answer is none of ours.
  bool Begins() {
    absl::MutexLock lock(&mutex_);
    if (stopping_ && !busy_) return false;
    if (busy_) {
      socket_->Close();
      return false;
    }
    busy_ = true;
    return true;
  }
  void Handle(FrameKind kind, absl::string_view payload) {
    std::optional<CallFrame> call;
    if (kind == FrameKind::kCall) call = DecodeCall(payload);
    if (!call.has_value()) {
      Answer(EncodeError(MakeError(Reason::kBadMessage, "not a call")));
    } else if (method_ == nullptr) {
      Answer(EncodeError(absl::UnimplementedError("not a method that is called on streams")));
    } else {
      method_->Call(*std::move(call),
                    [self = shared_from_this()](Frame answer) { self->Answer(std::move(answer)); });
    }
  }
  void Answer(Frame answer) {
    absl::MutexLock lock(&mutex_);
    busy_ = false;
    socket_->Send(std::move(answer));
    if (stopping_) TakeLeave();
  }
  // By the loop itself, so that it says that this runs and nothing about how long a call takes.
  void Reassure() {
    absl::MutexLock lock(&mutex_);
    socket_->SendUnlessOthersWait(EncodeAlive());
  }
  void TakeLeave() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    socket_->Send(EncodeGoodbye());
    socket_->FinishSending();
  }

  StreamServer& server_;
  bool opened_ = false;  // Of the loop's thread, as the next one.
  StreamedMethod* method_ = nullptr;
  absl::Mutex mutex_;
  std::shared_ptr<FramedSocket> socket_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;  // From a call's arrival until its answer is sent.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

StreamServer::StreamServer(const SocketLimits& limits, std::size_t streams_max)
    : limits_(limits), streams_max_(streams_max) {}
StreamServer::~StreamServer() = default;

void StreamServer::Add(std::unique_ptr<StreamedMethod> method) {
  const std::string name = method->name();
  methods_[name] = std::move(method);
}

StreamedMethod* StreamServer::Find(absl::string_view name) const {
  const auto found = methods_.find(name);
  return found == methods_.end() ? nullptr : found->second.get();
}

void StreamServer::Accept(boost::asio::ip::tcp::socket socket) {
  const auto stream = std::make_shared<ServedStream>(*this);
  absl::MutexLock lock(&mutex_);
  if (streams_.size() >= streams_max_) return;  // One that is told goodbye may stay all the same.
  streams_.emplace(stream.get(), stream);
  stream->Begin(std::move(socket), limits_);
  if (stopping_) stream->Stop();
}

void StreamServer::Stop() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  for (const auto& [key, stream] : streams_) stream->Stop();
}

void StreamServer::Close(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  for (const auto& [key, stream] : streams_) stream->Close();
  const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return streams_.empty(); };
  none_.AwaitFor(mutex_, timeout, none);
}

std::size_t StreamServer::count() const {
  absl::MutexLock lock(&mutex_);
  return streams_.size();
}

void StreamServer::Forget(const ServedStream& stream) {
  std::shared_ptr<ServedStream> held;  // Let go of without the lock.
  absl::MutexLock lock(&mutex_);
  const auto found = streams_.find(&stream);
  held = std::move(found->second);
  streams_.erase(found);
  if (streams_.empty()) none_.SignalAll();
}

}  // namespace bdcsync::rpc
