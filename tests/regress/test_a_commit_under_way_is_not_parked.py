"""An operation that was being committed was parked with one that an operator had sent again in
front of it, and the gateway aborted at its answer."""

import json
import os
import signal
import subprocess

import pytest

from harness.client import Client, token

SETTINGS = {"BDC_SYNC_OFFLINE_CONNECTIVITY_CHECK_INTERVAL": "200ms",
            "BDC_SYNC_GRPC_HUNG_AFTER": "1m"}  # The call waits for the version service.


def spool(suite, *words):
    answer = subprocess.run(
        [os.path.join(suite.bin_dir, "bdc-sync"), "spool", *words, "--address",
         f"127.0.0.1:{suite.grpc_port}", "--token", token("root", admin=True)],
        capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return [line for line in answer.stdout.splitlines() if line]


def parked(suite):
    return {group["operations"][0]["op_id"]: str(group["id"])
            for group in map(json.loads, spool(suite, "list", "--json"))}


@pytest.fixture
def away(way, new_suite):
    if not way.startswith("suite"):
        pytest.skip("in one process the version service cannot be away")
    return new_suite(env=SETTINGS)


async def outcomes(client, count):
    told = [await client.push("sync_response", timeout=30) for _ in range(count)]
    return {one["op_id"]: one["status"] for one in told}


async def test_what_is_under_way_has_its_own_outcome(away, user):
    suite, version = away, away.processes["version"]
    client = await Client.connect(suite.url, user)
    assert (await client.write("create", "note", "x", data=0))["success"]
    version.kill()

    def on(entity_id, op_id, operation="update"):
        return {"op_id": f"{user}-{op_id}", "operation": operation, "entity_type": "note",
                "entity_id": entity_id, "data": op_id}

    for batch in ([on("x", "first", "create")], [on("x", "both"), on("y", "both-too")],
                  [on("y", "later")]):
        answer = await client.request("sync_batch", operations=batch, atomic=True, timeout=30)
        assert {one["status"] for one in answer["results"]} == {"queued"}
    version.start()
    assert set((await outcomes(client, 4)).values()) == {"rejected"}
    ids = parked(suite)
    assert set(ids) == {f"{user}-first", f"{user}-both", f"{user}-later"}

    os.kill(version.popen.pid, signal.SIGSTOP)
    try:
        spool(suite, "retry", ids[f"{user}-first"], ids[f"{user}-later"])
        spool(suite, "retry", ids[f"{user}-both"])
    finally:
        os.kill(version.popen.pid, signal.SIGCONT)
    assert await outcomes(client, 4) == {
        f"{user}-first": "rejected", f"{user}-both": "rejected", f"{user}-both-too": "rejected",
        f"{user}-later": "applied"}
    assert set(parked(suite)) == {f"{user}-first", f"{user}-both"}
    assert (await client.get("note", "y"))["data"] == "later"
    await client.close()
