// Tells many sockets of one io_context when they can be read. A socket is registered once and for
// good, and all that are ready are told in one turn; asio's own wait takes a system call per socket
// and message. Not thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace bdcsync::bench {

class ReadWatch {
 public:
  class Reader {
   public:
    virtual ~Reader() = default;
    // Something can be read, or the connection has ended. Again next time, unless all was read.
    virtual void OnReadable() = 0;
  };

  explicit ReadWatch(boost::asio::io_context& io);

  // `reader` is borrowed until the run of the io_context ends; closing `socket` ends its events,
  // but for one that may be on its way.
  void Add(int socket, Reader& reader);

 private:
  void Wait();
  void TellAll();

  boost::asio::posix::stream_descriptor ready_;  // An epoll set: readable when a socket is.
  bool waiting_ = false;
};

}  // namespace bdcsync::bench
