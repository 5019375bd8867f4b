"""The command line against a server: what only both together can show."""

import json
import os
import signal
import subprocess
import threading
import time
import uuid

import pytest

from harness.suite import SECRET
from harness.timing import patience


def uuid7():
    digits = f"{time.time_ns() // 1_000_000:012x}7{uuid.uuid4().hex[13:]}"
    return str(uuid.UUID(digits))


@pytest.mark.parametrize("make", [uuid7, lambda: str(uuid.uuid4())], ids=["version 7", "version 4"])
def test_a_command_repeated_with_its_op_id_is_applied_once(suite, make):
    entity = f"note/{uuid.uuid4()}"
    suite.command("put", entity, '{"n": 1}')
    words = ("patch", entity, '{"z": 1}', "--op-id", make())
    assert suite.command(*words).startswith("applied")
    assert suite.command(*words).startswith("duplicate")


def test_what_is_not_there_is_no_server_that_is_not_there(suite):
    with pytest.raises(RuntimeError) as failure:
        suite.command("get", f"note/{uuid.uuid4()}")
    assert "`bdc-sync list` shows" in str(failure.value)
    assert "is a server running" not in str(failure.value)


@pytest.fixture(name="watch")
def _watch(new_suite):
    """A suite and `bdc-sync watch` of it, which is killed where it takes too long."""
    suite = new_suite()
    argv = [os.path.join(suite.bin_dir, "bdc-sync"), "watch", "--json", "--user", "ada",
            "--address", f"127.0.0.1:{suite.grpc_port}"]
    env = {**os.environ, "BDC_SYNC_JWT_SECRET": SECRET}
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as process:
        too_long = threading.Timer(patience(60), process.kill)
        too_long.start()
        yield suite, process
        too_long.cancel()
        process.kill()


def test_a_watch_outlives_servers_and_shows_everything_once(watch):
    suite, process = watch
    seen = []

    def read_until(entity_id):
        while entity_id not in seen:
            line = process.stdout.readline()
            assert line, f"the watch ended with {process.wait()} after {seen}"
            message = json.loads(line)
            if message["type"] == "change":
                seen.append(message["entity_id"])

    suite.command("put", "note/n0", "0")
    read_until("n0")
    suite.command("put", "note/n1", "1")
    suite.gateway.kill()
    suite.gateway.start()
    suite.command("put", "note/n2", "2")
    read_until("n2")
    suite.gateway.terminate()
    suite.gateway.start()
    for number in (3, 4):
        suite.command("put", f"note/n{number}", str(number))
    read_until("n4")
    assert seen == [f"n{number}" for number in range(5)]
    process.send_signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT
