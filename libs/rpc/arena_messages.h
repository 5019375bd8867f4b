// Requests and responses of one unary method of a server in one piece of memory per call: their
// many small messages and strings are made and let go together. For methods that carry batches:
//   SetMessageAllocatorFor_Append(&append_messages_);
// Includes grpcpp: for adapters only. Thread-safe.
#pragma once

#include <google/protobuf/arena.h>
#include <grpcpp/support/message_allocator.h>

#include <cstddef>

namespace bdcsync::rpc {

// Enough for a call with one item; a batch takes ever larger blocks.
inline google::protobuf::ArenaOptions ArenaOptionsOfCall() {
  constexpr std::size_t kFirstBlockBytes = 4 << 10;
  constexpr std::size_t kBlockBytesMax = 64 << 10;
  google::protobuf::ArenaOptions options;
  options.start_block_size = kFirstBlockBytes;
  options.max_block_size = kBlockBytesMax;
  return options;
}

template <typename Request, typename Response>
class ArenaMessages final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override { return new Call(); }

 private:
  class Call final : public grpc::MessageHolder<Request, Response> {
   public:
    Call() : arena_(ArenaOptionsOfCall()) {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }
    // By gRPC, when nothing of the call is left.
    void Release() override { delete this; }

   private:
    google::protobuf::Arena arena_;
  };
};

}  // namespace bdcsync::rpc
