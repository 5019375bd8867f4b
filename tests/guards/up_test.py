"""What ./dev up does when its ports are taken."""
import socket
import subprocess

from program import ROOT

CHECK = """
die() { echo "$*" >&2; exit 1; }
source tools/dev/up.sh
SERVICES=("event-store $1 $2")
GATEWAY_WS_PORT=$3
check_ports
"""


def check(ports):
    return subprocess.run(["bash", "-euc", CHECK, "up", *map(str, ports)], cwd=ROOT, timeout=30,
                          capture_output=True, text=True, check=False)


def test_ports_of_another_suite_are_told_before_anything_starts():
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for taken, service in ((0, "event-store"), (1, "event-store"), (2, "gateway")):
        for at, listener in enumerate(listeners):
            if at != taken:
                listener.close()
        answer = check(ports)
        assert answer.returncode == 1
        assert f"port {ports[taken]} of {service} is taken" in answer.stderr
        listeners[taken].close()
        assert check(ports).returncode == 0
        listeners = [socket.create_server(("127.0.0.1", port)) for port in ports]
    for listener in listeners:
        listener.close()
