"""What an operator does to a running suite: parked operations, configuration, request ids, TLS."""

import asyncio
import json
import os
import socket
import ssl
import subprocess
import time
import uuid

import pytest

from harness.client import Client, token
from harness.timing import patience

QUICK = {"BDC_SYNC_OFFLINE_CONNECTIVITY_CHECK_INTERVAL": "200ms"}


@pytest.fixture
def five_processes(way):
    if not way.startswith("suite"):
        pytest.skip("in one process the version service cannot be away")


def cli(suite, *words, admin=True, status=0):
    """Runs the command line against the gateway; returns what it printed."""
    claims = {"admin": True} if admin else {}
    answer = subprocess.run(
        [os.path.join(suite.bin_dir, "bdc-sync"), *words, "--address",
         f"127.0.0.1:{suite.grpc_port}", "--token", token("root", **claims)],
        capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == status, answer.stdout + answer.stderr
    return answer.stdout if status == 0 else answer.stdout + answer.stderr


def log_lines(process):
    with open(process.log_path, errors="replace") as log:
        for line in log:
            if line.startswith("{"):
                yield json.loads(line)


async def eventually(check, seconds=20):
    deadline = time.monotonic() + patience(seconds)
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def park(suite, client, entity_ids):
    """Creates what exists while version is away; all of it is refused once it is back."""
    for entity_id in entity_ids:
        assert (await client.write("create", "note", entity_id, data={"first": 1}))["success"]
    suite.processes["version"].kill()
    for entity_id in entity_ids:
        answer = await client.write("create", "note", entity_id, data={"second": 2}, timeout=30)
        assert answer["status"] == "queued"
    suite.processes["version"].start()
    for _ in entity_ids:
        told = await client.push("sync_response", timeout=30)
        assert told["error"]["code"] == "already_exists"


async def test_a_refused_operation_is_parked_listed_exported_retried_and_discarded(
        five_processes, new_suite, user):
    suite = new_suite(env=QUICK)
    client = await Client.connect(suite.url, user)
    await park(suite, client, ["a", "b"])

    assert "forbidden" in cli(suite, "spool", "list", admin=False, status=1)
    assert "already_exists" in cli(suite, "spool", "list")
    listed = [json.loads(line) for line in cli(suite, "spool", "list", "--json").splitlines()]
    assert [group["operations"][0]["entity_id"] for group in listed] == ["a", "b"]
    assert "data" not in listed[0]["operations"][0]
    exported = [json.loads(line) for line in cli(suite, "spool", "export").splitlines()]
    operation = exported[0]["operations"][0]
    assert exported[0]["reason"] == "already_exists"
    assert operation["data"] == {"second": 2} and operation["user_id"] == user

    # It survives a restart of the gateway.
    suite.gateway.terminate()
    suite.gateway.start()
    assert cli(suite, "spool", "list", "--json").count("\n") == 2

    # With what stood in its way gone, the same operation succeeds.
    client = await Client.connect(suite.url, user)
    assert (await client.write("delete", "note", "a"))["success"]
    assert cli(suite, "spool", "retry", str(exported[0]["id"])) == "retried 1\n"
    entity = {}
    while entity.get("data") != {"second": 2}:
        entity = await client.get("note", "a")
    assert cli(suite, "spool", "discard", "--all") == "discarded 1\n"
    assert cli(suite, "spool", "list") == "nothing is parked\n"
    assert (await client.get("note", "b"))["data"] == {"first": 1}
    audited = [line for line in log_lines(suite.gateway) if "to be discarded" in line["message"]]
    assert audited and audited[0]["user_id"] == "root"
    assert "bdcsync_gateway_spool_discarded_total 1" in suite.gateway.get("/metrics")[1]
    await client.close()
    suite.stop()


async def test_configuration_changes_at_run_time_in_every_process(new_suite, user):
    suite = new_suite(env={"BDC_SYNC_LIMITS_OPERATIONS_BURST": "1000"})
    everything = suite.processes.values()
    assert "nothing is changed" in cli(suite, "config")
    assert "forbidden" in cli(suite, "config", "monitoring.log_level=debug", admin=False, status=1)
    assert "needs a restart" in cli(suite, "config", "grpc.port=1", status=1)
    cli(suite, "config", "monitoring.log_level=debug", "limits.operations_burst=2",
        "limits.operations_per_s=1", "websocket.heartbeat_interval=7s")
    for process in everything:
        await eventually(lambda process=process: any(
            "changed by an operator" in line["message"] for line in log_lines(process)))
    client = await Client.connect(suite.url, user)
    assert client.authenticated["heartbeat_interval_s"] == 7
    answers = await asyncio.gather(*[client.write("update", "n", f"e{i}", data=i)
                                     for i in range(6)])
    assert [a for a in answers if not a["success"] and a["error"]["code"] == "rate_limited"]
    for name in ("serve", "gateway", "version", "event-store"):  # Those that a write goes through.
        if name in suite.processes:
            await eventually(lambda name=name: any(
                line["level"] == "debug" for line in log_lines(suite.processes[name])))
    if not suite.one_process:
        # A process that starts later hears of it too.
        process = suite.processes["device-sync"]
        process.terminate()
        os.unlink(process.log_path)
        process.start()
        await eventually(lambda: any(
            "changed by an operator" in line["message"] for line in log_lines(process)))
    assert cli(suite, "config", "monitoring.log_level=", "limits.operations_burst=",
               "limits.operations_per_s=", "websocket.heartbeat_interval="
               ) == "nothing is changed at run time\n"
    await client.close()
    suite.stop()


async def test_a_request_id_is_in_the_logs_of_all_services(new_suite, user):
    suite = new_suite(env={"BDC_SYNC_MONITORING_LOG_LEVEL": "debug"})
    client = await Client.connect(suite.url, user, device_id="d")
    base = (await client.write("create", "doc", "x", data={"a": 1}))["version_id"]
    await client.write("patch", "doc", "x", patch={"a": 2})
    # On an old base, so that conflict is asked too.
    await client.send({"type": "sync_request", "id": "merging", "operation": "patch",
                       "entity_type": "doc", "entity_id": "x", "patch": {"b": 1},
                       "base_version": base})
    assert (await client.push("sync_response"))["status"] == "merged"
    wanted = client.authenticated["session_id"] + "/merging"

    def methods():
        return {line["method"].rsplit("/", 1)[1] for process in suite.processes.values()
                for line in log_lines(process) if line.get("request_id") == wanted
                and "method" in line}
    await eventually(lambda: {"Commit", "Append", "Resolve"} <= methods())
    registered = client.authenticated["session_id"] + "/authenticate"
    await eventually(lambda: any(
        line.get("request_id") == registered and "RegisterDevice" in line.get("method", "")
        for process in suite.processes.values() for line in log_lines(process)))
    await client.close()
    suite.stop()


async def test_every_write_is_audited_with_who_what_and_outcome_and_without_data(new_suite, user):
    suite = new_suite(env={"BDC_SYNC_GATEWAY_AUDIT_WRITES": "true"})
    client = await Client.connect(suite.url, user, device_id="d")
    made = await client.write("create", "doc", "x", data={"word": "secret-word"}, message="m")
    refused = await client.write("create", "doc", "x", data={"word": "secret-word"})
    assert made["success"] and not refused["success"]
    await client.send({"type": "sync_batch", "id": "both", "operations": [
        {"op_id": str(uuid.uuid4()), "operation": "patch", "entity_type": "doc", "entity_id": "x",
         "patch": {"word": "secret-word"}},
        {"op_id": str(uuid.uuid4()), "operation": "delete", "entity_type": "doc",
         "entity_id": "x"}]})
    await client.push("sync_batch_response")
    audited = [line for line in log_lines(suite.gateway) if line.get("log") == "audit"]
    assert [(line["operation"], line["outcome"], line.get("error", "")) for line in audited] == [
        ("create", "applied", ""), ("create", "rejected", refused["error"]["code"]),
        ("patch", "applied", ""), ("delete", "applied", "")]
    session = client.authenticated["session_id"]
    for line in audited:
        assert (line["user_id"], line["device_id"], line["session_id"]) == (user, "d", session)
        assert (line["space"], line["entity_type"], line["entity_id"]) == (
            f"user:{user}", "doc", "x")
        assert "secret-word" not in json.dumps(line)
    assert audited[0]["op_id"] == made["op_id"]
    assert audited[0]["version_id"] == made["version_id"]
    assert [line["request_id"] for line in audited[2:]] == 2 * [f"{session}/both"]
    await client.close()
    suite.stop()


async def test_the_page_cache_and_the_tail_of_sqlite_tell_how_full_they_are(way, new_suite, user):
    suite = new_suite(env={"BDC_SYNC_EVENT_STORE_HEAD_CHECK_INTERVAL": "100ms"})
    client = await Client.connect(suite.url, user)
    await client.write("create", "doc", "x", data={})
    store = suite.processes["serve" if suite.one_process else "event-store"]
    name = "bdcsync_event_store_sqlite_page_cache_bytes"
    if way.endswith("sqlite"):
        await eventually(lambda: store.metric(name) > 0)
        assert store.metric('bdcsync_event_store_sqlite_page_reads_total{from="memory"}') > 0
        flushes = 'bdcsync_event_store_sqlite_tail_flushes_total{cause="other"}'
        await eventually(lambda: store.metric(flushes) > 0)
        await eventually(lambda: store.metric("bdcsync_event_store_sqlite_tail_events") == 0)
        assert store.metric("bdcsync_event_store_sqlite_log_bytes") > 0
    else:
        assert store.metric(name) == 0
    await client.close()
    suite.stop()


def certificate(folder, name):
    """A key and a certificate that signs itself, in place of the ones before."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", os.path.join(folder, "key.new"), "-out",
         os.path.join(folder, "cert.new")], check=True, capture_output=True)
    for part in ("key", "cert"):
        os.replace(os.path.join(folder, part + ".new"), os.path.join(folder, part + ".pem"))


def shown(port):
    """The certificate that a new connection sees, as DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", port), 5) as plain:
        with context.wrap_socket(plain) as tls:
            return tls.getpeercert(binary_form=True)


async def test_certificates_are_replaced_without_a_restart(make_suite, user, folder):
    tls = os.path.join(folder, "tls-" + user)
    os.makedirs(tls)
    certificate(tls, "one")
    cert, key = os.path.join(tls, "cert.pem"), os.path.join(tls, "key.pem")
    suite = make_suite(env={
        "BDC_SYNC_WS_TLS_CERT_FILE": cert, "BDC_SYNC_WS_TLS_KEY_FILE": key,
        "BDC_SYNC_HTTP_TLS_CERT_FILE": cert, "BDC_SYNC_HTTP_TLS_KEY_FILE": key,
        "BDC_SYNC_GRPC_TLS_CERT_FILE": cert, "BDC_SYNC_GRPC_TLS_KEY_FILE": key,
        "BDC_SYNC_GRPC_TLS_CLIENT_CA_FILE": cert,
        "BDC_SYNC_SERVICES_TLS_CA_FILE": cert, "BDC_SYNC_SERVICES_TLS_CERT_FILE": cert,
        "BDC_SYNC_SERVICES_TLS_KEY_FILE": key, "BDC_SYNC_TLS_RELOAD_INTERVAL": "1s"})
    for process in suite.processes.values():
        process.tls = True
    suite.start()
    url = suite.url.replace("ws://", "wss://")
    context = ssl.create_default_context(cafile=cert)
    client = await Client.connect(url, user, ssl=context)
    assert (await client.write("create", "n", "a", data=1))["success"]
    before = shown(suite.ws_port)
    assert shown(suite.http_port) == before
    certificate(tls, "two")
    for port in (suite.ws_port, suite.http_port):
        await eventually(lambda port=port: shown(port) != before)
    # The connection that was there goes on; a new one trusts the new authority.
    assert (await client.write("update", "n", "a", data=2))["success"]
    after = await Client.connect(url, user, ssl=ssl.create_default_context(cafile=cert))
    assert (await after.get("n", "a"))["data"] == 2
    if not suite.one_process:
        # What reconnects between the services uses the new certificates on both sides.
        suite.processes["version"].terminate()
        suite.processes["version"].start()
        await eventually(lambda: suite.gateway.get("/readyz")[0] == 200)
        assert (await after.write("update", "n", "a", data=3))["status"] in ("applied", "queued")
    await client.close()
    await after.close()
    suite.stop()
