"""Free TCP ports on loopback."""

import socket


def free_ports(count):
    """Distinct ports that nobody listens on; kept open together while they are chosen."""
    sockets = []
    try:
        for _ in range(count):
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            sockets.append(s)
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()
