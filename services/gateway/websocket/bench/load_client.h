// The other side of the transport bench: many WebSocket clients in a process of its own, so that
// the server's memory and processor time can be told apart. Counts bytes and looks at nothing. One
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bdcsync::gateway {

class LoadClient {
 public:
  // Connects `connections` sockets to 127.0.0.1:`port`, performs the handshake on each, and sends
  // `greeting` (a whole text message) on each unless it is empty. Ends the process when it cannot.
  LoadClient(int port, size_t connections, const std::string& greeting);
  ~LoadClient();

  // Reads until `bytes` more have come on all connections together.
  void ReadBytes(size_t bytes);
  // Sends `text` as one text message on connection `i`.
  void Send(size_t i, const std::string& text);
  size_t size() const { return sockets_.size(); }

 private:
  std::vector<int> sockets_;
  int epoll_ = -1;
  size_t ahead_ = 0;  // Bytes read beyond what was asked for.
};

}  // namespace bdcsync::gateway
