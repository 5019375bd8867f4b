"""A proxy in front of a server that holds back what a client says when it holds a given word."""

import socket
import threading
import time


class SlowProxy:
    """Forwards TCP to `port`; a chunk to the server with `word` in it waits `delay` seconds."""

    def __init__(self, port, word, delay):
        self.target, self.word, self.delay = port, word, delay
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = [self.listener]
        self.held = 0  # Chunks that had to wait.
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)  # Wakes the thread that reads it.
            except OSError:
                pass
            one.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.sockets += [client, server]
            for source, sink, word in ((client, server, self.word), (server, client, None)):
                threading.Thread(target=self._pump, args=(source, sink, word), daemon=True).start()

    def _pump(self, source, sink, word):
        try:
            while chunk := source.recv(1 << 16):
                if word is not None and word in chunk:
                    self.held += 1
                    time.sleep(self.delay)
                sink.sendall(chunk)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
