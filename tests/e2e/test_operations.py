"""What an operator sees: readiness that tells the truth, metrics, a drain that loses nothing."""

import asyncio
import json
import os
import socket
import stat
import struct
import subprocess
import time

import pytest

from harness.client import Client
from harness.servers import Postgres
from harness.timing import patience


def test_every_process_is_alive_ready_and_measured(suite):
    for name, process in suite.processes.items():
        assert process.get("/healthz")[0] == 200, name
        assert process.get("/readyz")[0] == 200, name
        status, text = process.get("/metrics")
        assert status == 200 and "bdcsync_" in text, name
        assert "# HELP" in text and "# TYPE" in text


async def test_sigterm_says_goodbye_closes_1012_and_ends_with_0(new_suite, user):
    suite = new_suite()
    client = await Client.connect(suite.url, user)
    await client.subscribe()
    writes = [asyncio.ensure_future(client.write("update", "n", f"e{i}", data={"i": i}))
              for i in range(50)]
    await asyncio.wait(writes, return_when=asyncio.FIRST_COMPLETED)
    stopping = asyncio.get_event_loop().run_in_executor(None, suite.gateway.terminate)
    goodbye = await client.push("goodbye")
    assert goodbye["reconnect"] is True and goodbye["code"] == 1012
    assert 0 <= goodbye["after_ms_min"] <= goodbye["after_ms_max"]
    assert await client.closed() == 1012
    assert await stopping == 0
    answers = await asyncio.gather(*writes, return_exceptions=True)
    acknowledged = [i for i, answer in enumerate(answers)
                    if isinstance(answer, dict) and answer["success"]]
    suite.gateway.start()
    again = await Client.connect(suite.url, user)
    for i in acknowledged:
        assert (await again.get("n", f"e{i}"))["data"] == {"i": i}
    await again.close()
    suite.stop()


async def test_a_stop_waits_for_nobody_who_says_nothing(new_suite, user):
    suite = new_suite()
    client = await Client.connect(suite.url, user)  # After it, the others have been accepted.
    silent = [socket.create_connection(("127.0.0.1", suite.grpc_port)) for _ in range(3)]
    silent[1].sendall(b"PRI * HT")
    silent[2].sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert (await client.write("create", "n", "e", data={}))["success"]
    await client.close()
    began = time.monotonic()
    assert await asyncio.get_event_loop().run_in_executor(None, suite.gateway.terminate) == 0
    assert time.monotonic() - began < patience(5)  # shutdown.drain_timeout is 10 s.
    for peer in silent:
        peer.close()
    suite.gateway.start()
    suite.stop()


async def test_files_are_their_owners_alone(new_suite, user):
    suite = new_suite()
    client = await Client.connect(suite.url, user)
    assert (await client.write("create", "n", "e", data={}))["success"]
    await client.close()
    made = [os.path.join(folder, name)
            for folder, _, names in os.walk(suite.env["BDC_SYNC_DATA_DIR"]) for name in names]
    assert made
    for path in made:
        assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, path
    suite.stop()


def torn_at_its_end(journal):
    """With a byte of the last record changed: as a crash in the midst of its write leaves it."""
    header, block = struct.Struct("<8sQqqQ"), 4096
    offset = count = 0
    while True:
        magic, generation, number, size, _ = header.unpack_from(journal, offset)
        if magic != b"!BDCJNL1" or number != count or (count > 0 and generation != first):
            break
        first, count, last = generation, count + 1, offset + header.size
        offset += -(-(header.size + size) // block) * block
    return journal[:last] + bytes([journal[last] ^ 1]) + journal[last + 1:]


async def test_a_damaged_journal_keeps_the_store_closed(way, new_suite, user):
    if way.endswith("postgres"):
        pytest.skip("needs the embedded store")
    suite = new_suite()
    store = suite.processes["serve" if suite.one_process else "event-store"]
    client = await Client.connect(suite.url, user)
    for i in range(8):
        assert (await client.write("create", "n", f"e{i}", data={"i": i}))["success"]
    await client.close()
    suite.kill()
    journal = os.path.join(suite.env["BDC_SYNC_DATA_DIR"], "events.db-tail")
    with open(journal, "rb") as file:
        whole = file.read()
    for damaged in (b"\xaa" * 8 + whole[8:], bytes(len(whole)), whole[:len(whole) // 2 - 4096]):
        with open(journal, "wb") as file:
            file.write(damaged)
        answer = subprocess.run(store.argv, capture_output=True, text=True, timeout=60,
                                env={**os.environ, **store.env})
        assert answer.returncode == 1, answer.stderr
        assert "cannot start" in answer.stderr and journal in answer.stderr
        assert "is damaged at byte" in answer.stderr
    with open(journal, "wb") as file:
        file.write(torn_at_its_end(whole))
    suite.start()
    with open(store.log_path) as log:
        assert "the journal ends in a record that is not whole" in log.read()
    suite.kill()
    with open(journal, "wb") as file:
        file.write(whole)
    suite.start()
    again = await Client.connect(suite.url, user)
    for i in range(8):
        assert (await again.get("n", f"e{i}"))["data"] == {"i": i}
    await again.close()
    suite.stop()


async def test_data_survives_a_restart_of_everything(new_suite, user):
    suite = new_suite()
    a = await Client.connect(suite.url, user)
    first = await a.write("create", "note", "n", data={"kept": True},
                          op_id="11111111-2222-4333-8444-555555555555")
    await a.subscribe()
    _, message = await a.events_until(lambda e, m: m["caught_up"])
    await a.close()
    suite.stop()
    suite.start()
    b = await Client.connect(suite.url, user)
    assert (await b.get("note", "n"))["data"] == {"kept": True}
    again = await b.write("create", "note", "n", data={"kept": True},
                          op_id="11111111-2222-4333-8444-555555555555")
    assert again["status"] == "duplicate" and again["version_id"] == first["version_id"]
    await b.subscribe(cursor=message["cursor"])
    events, _ = await b.events_until(lambda e, m: m["caught_up"])
    assert events == []
    await b.close()


def test_a_wrong_configuration_is_told_whole(suite):
    process = suite.gateway
    answer = subprocess.run(
        process.argv + ["--check-config"], capture_output=True, text=True, timeout=30,
        env={**process.env, "BDC_SYNC_WS_PORT": "no-number", "BDC_SYNC_NO_SUCH_KEY": "1"})
    assert answer.returncode == 2
    said = answer.stdout + answer.stderr
    assert "BDC_SYNC_WS_PORT" in said and "BDC_SYNC_NO_SUCH_KEY" in said


def test_the_configuration_is_printed_without_secrets(suite):
    process = suite.gateway
    answer = subprocess.run(process.argv + ["--print-config"], capture_output=True, text=True,
                            timeout=30, env=process.env)
    assert answer.returncode == 0 and "heartbeat_interval" in answer.stdout
    assert process.env["BDC_SYNC_JWT_SECRET"] not in answer.stdout


def test_logs_are_json_without_tokens(suite):
    with open(suite.gateway.log_path) as log:
        lines = [line for line in log if line.startswith("{")]
    assert lines
    for line in lines:
        entry = json.loads(line)
        assert {"time", "level", "message"} <= set(entry)
        assert "eyJ" not in line


@pytest.fixture
def five_processes(way):
    if not way.startswith("suite"):
        pytest.skip("five processes only")


async def test_readyz_tells_that_a_dependency_is_gone(five_processes, new_suite, user):
    suite = new_suite()
    suite.processes["event-store"].kill()
    loop = asyncio.get_event_loop()
    deadline = loop.time() + patience(20)
    while True:
        status, body = suite.processes["version"].get("/readyz")
        if status == 503:
            break
        assert loop.time() < deadline, "version stays ready without its event-store"
        await asyncio.sleep(0.1)
    assert "event-store" in body
    suite.processes["event-store"].start()
    suite.processes["version"].wait_ready()


async def test_readyz_tells_that_the_store_is_gone_wherever_reads_need_it(
        way, make_suite, folder, user):
    if not way.endswith("postgres"):
        pytest.skip("the store is a server only on PostgreSQL")
    postgres = Postgres(os.path.join(folder, "lost-postgres")).create().start()
    suite = make_suite(postgres_server=postgres).start()

    async def all_say(status):
        loop = asyncio.get_event_loop()
        deadline = loop.time() + patience(30)
        names = ["serve"] if suite.one_process else ["gateway", "version", "event-store"]
        while wrong := [n for n in names if suite.processes[n].get("/readyz")[0] != status]:
            assert loop.time() < deadline, f"{wrong} do not say {status}"
            await asyncio.sleep(0.1)
    try:
        await all_say(200)
        postgres.kill()
        await all_say(503)
        postgres.start()
        await all_say(200)
        suite.stop()
    finally:
        postgres.kill()


async def test_services_call_each_other_whatever_either_end_of_streams_says(
        five_processes, new_suite, user):
    """A rolling update, or a switch that has not reached all: whoever knows no streams is called
    by gRPC, and callers that use none are served."""
    suite = new_suite()
    client = await Client.connect(suite.url, user)
    version = suite.processes["version"]
    for i, (streams, served) in enumerate([("true", True), ("false", False), ("true", True)]):
        version.env["BDC_SYNC_GRPC_STREAMS"] = streams
        version.terminate()
        version.start()
        written = await client.write("create", "n", f"e{i}", data={"i": i}, timeout=30)
        if written["status"] == "queued":  # The gateway has not seen yet that version is back.
            written = await client.push("sync_response", timeout=30)
        assert written["status"] == "applied", written
        assert (await client.get("n", f"e{i}"))["data"] == {"i": i}
        assert (version.metric("bdcsync_grpc_streams") > 0) == served
    # Version called on streams or not, event-store has taken all of it.
    assert suite.processes["event-store"].metric("bdcsync_grpc_streams") > 0
    await client.close()
