// A pointer to an immutable value that copies share. Copies of a delta and runs of a document hold
// the same formats and embeds, so one word and a count is all that a copy costs. Null is cheap.
// Copies may be used from several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace bdcsync::ot {

template <typename T>
class Shared {
 public:
  Shared() = default;
  explicit Shared(T value) : block_(new Block{std::move(value)}) {}
  Shared(const Shared& other) : block_(other.block_) {
    if (block_ != nullptr) block_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Shared() {
    if (block_ != nullptr) Release();
  }

  explicit operator bool() const { return block_ != nullptr; }
  const T& operator*() const { return block_->value; }
  const T* operator->() const { return &block_->value; }
  // Whether both are null or share one value; equal values may still be two.
  bool SharesWith(const Shared& other) const { return block_ == other.block_; }

 private:
  struct Block {
    const T value;
    std::atomic<uint32_t> owners{1};
  };
  void Release() {
    if (block_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete block_;
  }

  Block* block_ = nullptr;
};

}  // namespace bdcsync::ot
