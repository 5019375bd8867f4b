#include "clients/bench/read_watch.h"

#include <sys/epoll.h>

#include <array>

namespace bdcsync::bench {
namespace {

constexpr int kReadersPerTurnMax = 512;

}  // namespace

ReadWatch::ReadWatch(boost::asio::io_context& io) : ready_(io, epoll_create1(EPOLL_CLOEXEC)) {}

void ReadWatch::Add(int socket, Reader& reader) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.ptr = &reader;
  epoll_ctl(ready_.native_handle(), EPOLL_CTL_ADD, socket, &event);
  if (!waiting_) Wait();
}

void ReadWatch::Wait() {
  waiting_ = true;
  ready_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](auto error) {
    if (error) return;
    TellAll();
    Wait();
  });
}

void ReadWatch::TellAll() {
  std::array<epoll_event, kReadersPerTurnMax> events;
  const int count = epoll_wait(ready_.native_handle(), events.data(), kReadersPerTurnMax, 0);
  for (int i = 0; i < count; ++i) static_cast<Reader*>(events[i].data.ptr)->OnReadable();
}

}  // namespace bdcsync::bench
