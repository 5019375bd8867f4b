"""A socket that shows WebSocket frames as they are and does nothing by itself, not even pongs."""

import base64
import os
import socket
import struct

from .client import token

PING, CLOSE = 9, 8


class RawSocket:
    def __init__(self, port, headers="", receive_bytes=None):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(15)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{headers}\r\n").encode())
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            self.data += self.socket.recv(4096)
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        self.head = head.decode()

    def send(self, text):
        payload, mask = text.encode(), os.urandom(4)
        if len(payload) < 126:
            header = struct.pack("!BB", 0x81, 0x80 | len(payload))
        else:
            header = struct.pack("!BBH", 0x81, 0xFE, len(payload))
        body = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(header + mask + body)

    def authenticate(self, user):
        self.send('{"type":"authenticate","token":"%s"}' % token(user))
        first, payload = self.message()
        assert first == 0x81 and b'"success":true' in payload, payload

    def frame(self):
        """First byte and payload of the next frame."""
        while True:
            if len(self.data) >= 2:
                length, offset = self.data[1], 2
                if length == 126:
                    length, offset = int.from_bytes(self.data[2:4], "big"), 4
                elif length == 127:
                    length, offset = int.from_bytes(self.data[2:10], "big"), 10
                if len(self.data) >= offset + length and len(self.data) >= offset:
                    first, payload = self.data[0], self.data[offset:offset + length]
                    self.data = self.data[offset + length:]
                    return first, payload
            more = self.socket.recv(1 << 18)
            if not more:
                raise ConnectionError("the connection ended")
            self.data += more

    def message(self):
        """The next frame that is no ping."""
        while True:
            first, payload = self.frame()
            if first & 15 != PING:
                return first, payload

    def close_code(self):
        """Reads up to the server's close frame."""
        while True:
            first, payload = self.frame()
            if first & 15 == CLOSE:
                return struct.unpack("!H", payload[:2])[0]

    def close(self):
        self.socket.close()
