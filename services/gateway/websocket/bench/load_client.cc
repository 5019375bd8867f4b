#include "services/gateway/websocket/bench/load_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace bdcsync::gateway {
namespace {

constexpr char kHandshake[] =
    "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr size_t kReadBytes = 256 << 10;
constexpr int kEventsMax = 256;

[[noreturn]] void Give(const char* what) {
  std::perror(what);
  std::exit(1);
}

int Connect(int port) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    Give("connect");
  }
  if (send(socket_fd, kHandshake, sizeof(kHandshake) - 1, 0) < 0) Give("send");
  std::string head;
  char byte = 0;
  while (head.size() < 4 || head.compare(head.size() - 4, 4, "\r\n\r\n") != 0) {
    if (recv(socket_fd, &byte, 1, 0) != 1) Give("handshake");
    head.push_back(byte);
  }
  return socket_fd;
}

}  // namespace

LoadClient::LoadClient(int port, size_t connections, const std::string& greeting)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  for (size_t i = 0; i < connections; ++i) {
    sockets_.push_back(Connect(port));
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = sockets_.back();
    epoll_ctl(epoll_, EPOLL_CTL_ADD, sockets_.back(), &event);
    if (!greeting.empty()) Send(i, greeting);
  }
}

LoadClient::~LoadClient() {
  for (const int socket_fd : sockets_) close(socket_fd);
  close(epoll_);
}

void LoadClient::ReadBytes(size_t bytes) {
  static std::array<char, kReadBytes> buffer;
  std::array<epoll_event, kEventsMax> events;
  while (ahead_ < bytes) {
    const int count = epoll_wait(epoll_, events.data(), kEventsMax, -1);
    for (int i = 0; i < count; ++i) {
      const ssize_t got =
          recv(events[static_cast<size_t>(i)].data.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got == 0) Give("the server closed a connection");
      if (got > 0) ahead_ += static_cast<size_t>(got);
    }
  }
  ahead_ -= bytes;
}

void LoadClient::Send(size_t i, const std::string& text) {
  std::string frame;
  frame.push_back('\x81');
  if (text.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | text.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 126));
    frame.push_back(static_cast<char>(text.size() >> 8));
    frame.push_back(static_cast<char>(text.size() & 0xff));
  }
  frame.append(4, '\0');  // The mask: zeros leave the payload as it is.
  frame += text;
  if (send(sockets_[i], frame.data(), frame.size(), MSG_NOSIGNAL) < 0) Give("send");
}

}  // namespace bdcsync::gateway
