// Linked into every program of the tsan preset: Abseil's synchronisation on top of pthreads, which
// ThreadSanitizer understands. The packaged Abseil is built without its annotations, so that all
// data under an absl::Mutex, ours and gRPC's, would be reported as a race. These definitions take
// the place of the shared library's, also for the libraries that call it. Readers exclude each
// other here.
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <ctime>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"

namespace {

struct Lockable {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t changed = PTHREAD_COND_INITIALIZER;  // Broadcast at every unlock.
};
struct Waitable {
  pthread_cond_t signalled = PTHREAD_COND_INITIALIZER;
};

// The pthread object behind `word`, made when it is first needed.
template <typename T>
T& Get(std::atomic<intptr_t>& word) {
  intptr_t value = word.load(std::memory_order_acquire);
  if (value == 0) {
    auto* fresh = new T;
    if (word.compare_exchange_strong(value, reinterpret_cast<intptr_t>(fresh))) return *fresh;
    delete fresh;
  }
  return *reinterpret_cast<T*>(value);
}

// Mutex and CondVar hold one atomic word each, and nothing else.
Lockable& Of(const absl::Mutex* mutex) {
  static_assert(sizeof(absl::Mutex) == sizeof(std::atomic<intptr_t>));
  return Get<Lockable>(*reinterpret_cast<std::atomic<intptr_t>*>(const_cast<absl::Mutex*>(mutex)));
}
Waitable& Of(absl::CondVar* variable) {
  static_assert(sizeof(absl::CondVar) == sizeof(std::atomic<intptr_t>));
  return Get<Waitable>(*reinterpret_cast<std::atomic<intptr_t>*>(variable));
}

// False at the deadline.
bool Wait(pthread_cond_t& condition, pthread_mutex_t& mutex, absl::Time deadline) {
  if (deadline == absl::InfiniteFuture()) return pthread_cond_wait(&condition, &mutex) == 0;
  const timespec until = absl::ToTimespec(deadline);
  return pthread_cond_timedwait(&condition, &mutex, &until) == 0;
}

absl::Time After(absl::Duration timeout) {
  return timeout == absl::InfiniteDuration() ? absl::InfiniteFuture()
                                             : bdcsync::SystemClock().Now() + timeout;
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

Mutex::~Mutex() {
  auto& word = *reinterpret_cast<std::atomic<intptr_t>*>(this);
  auto* lockable = reinterpret_cast<Lockable*>(word.exchange(0));
  if (lockable == nullptr) return;
  pthread_cond_destroy(&lockable->changed);
  pthread_mutex_destroy(&lockable->mutex);
  delete lockable;
}

void Mutex::Lock() { pthread_mutex_lock(&Of(this).mutex); }
void Mutex::Unlock() {
  Lockable& lockable = Of(this);
  pthread_cond_broadcast(&lockable.changed);
  pthread_mutex_unlock(&lockable.mutex);
}
bool Mutex::TryLock() { return pthread_mutex_trylock(&Of(this).mutex) == 0; }
void Mutex::ReaderLock() { Lock(); }
void Mutex::ReaderUnlock() { Unlock(); }
bool Mutex::ReaderTryLock() { return TryLock(); }
void Mutex::AssertHeld() const {}
void Mutex::AssertNotHeld() const {}
void Mutex::AssertReaderHeld() const {}
void Mutex::ForgetDeadlockInfo() {}
void Mutex::EnableDebugLog(const char*) {}
void Mutex::EnableInvariantDebugging(void (*)(void*), void*) {}

bool Mutex::AwaitWithDeadline(const Condition& condition, absl::Time deadline) {
  Lockable& lockable = Of(this);
  pthread_cond_broadcast(&lockable.changed);  // As if unlocked: others see what was changed so far.
  while (!condition.Eval()) {
    if (!::Wait(lockable.changed, lockable.mutex, deadline)) return condition.Eval();
  }
  return true;
}
void Mutex::Await(const Condition& condition) {
  AwaitWithDeadline(condition, absl::InfiniteFuture());
}
bool Mutex::AwaitWithTimeout(const Condition& condition, absl::Duration timeout) {
  return AwaitWithDeadline(condition, After(timeout));
}
bool Mutex::LockWhenWithDeadline(const Condition& condition, absl::Time deadline) {
  Lock();
  return AwaitWithDeadline(condition, deadline);
}
bool Mutex::LockWhenWithTimeout(const Condition& condition, absl::Duration timeout) {
  return LockWhenWithDeadline(condition, After(timeout));
}
void Mutex::LockWhen(const Condition& condition) {
  LockWhenWithDeadline(condition, absl::InfiniteFuture());
}
void Mutex::ReaderLockWhen(const Condition& condition) { LockWhen(condition); }
bool Mutex::ReaderLockWhenWithTimeout(const Condition& condition, absl::Duration timeout) {
  return LockWhenWithTimeout(condition, timeout);
}
bool Mutex::ReaderLockWhenWithDeadline(const Condition& condition, absl::Time deadline) {
  return LockWhenWithDeadline(condition, deadline);
}

CondVar::~CondVar() {
  auto& word = *reinterpret_cast<std::atomic<intptr_t>*>(this);
  auto* waitable = reinterpret_cast<Waitable*>(word.exchange(0));
  if (waitable == nullptr) return;
  pthread_cond_destroy(&waitable->signalled);
  delete waitable;
}
bool CondVar::WaitWithDeadline(Mutex* mutex, absl::Time deadline) {
  Lockable& lockable = Of(mutex);
  pthread_cond_broadcast(&lockable.changed);
  return !::Wait(Of(this).signalled, lockable.mutex, deadline);
}
void CondVar::Wait(Mutex* mutex) { WaitWithDeadline(mutex, absl::InfiniteFuture()); }
bool CondVar::WaitWithTimeout(Mutex* mutex, absl::Duration timeout) {
  return WaitWithDeadline(mutex, After(timeout));
}
void CondVar::Signal() { pthread_cond_signal(&Of(this).signalled); }
void CondVar::SignalAll() { pthread_cond_broadcast(&Of(this).signalled); }
void CondVar::EnableDebugLog(const char*) {}

void Notification::Notify() {
  MutexLock lock(&mutex_);
  notified_yet_.store(true, std::memory_order_release);
}
Notification::~Notification() { MutexLock lock(&mutex_); }
bool Notification::WaitForNotificationWithDeadline(absl::Time deadline) const {
  MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(Condition(this, &Notification::HasBeenNotified), deadline);
}
void Notification::WaitForNotification() const {
  WaitForNotificationWithDeadline(absl::InfiniteFuture());
}
bool Notification::WaitForNotificationWithTimeout(absl::Duration timeout) const {
  return WaitForNotificationWithDeadline(After(timeout));
}

BlockingCounter::BlockingCounter(int initial_count)
    : count_(initial_count), num_waiting_(0), done_(initial_count == 0) {}
bool BlockingCounter::DecrementCount() {
  MutexLock lock(&lock_);
  if (--count_ == 0) done_ = true;
  return done_;
}
void BlockingCounter::Wait() {
  MutexLock lock(&lock_);
  lock_.Await(Condition(&done_));
}

ABSL_NAMESPACE_END
}  // namespace absl
