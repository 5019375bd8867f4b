"""Store and forward: with the version service down, writes are kept, `queued`, and drained."""

import asyncio

import pytest

from harness.client import Client
from harness.timing import patience

QUICK = {"BDC_SYNC_OFFLINE_CONNECTIVITY_CHECK_INTERVAL": "200ms"}


@pytest.fixture(autouse=True)
def five_processes(way):
    if not way.startswith("suite"):
        pytest.skip("in one process the version service cannot be away")


async def queued(client, count, start=0):
    answers = [await client.write("update", "n", f"e{i % 3}", data={"i": i}, timeout=30)
               for i in range(start, start + count)]
    assert {answer["status"] for answer in answers} == {"queued"}
    assert all(answer["success"] for answer in answers)
    return answers


async def test_queued_writes_drain_in_order_and_tell_their_outcome(new_suite, user):
    suite = new_suite(env=QUICK)
    client = await Client.connect(suite.url, user)
    suite.processes["version"].kill()
    answers = await queued(client, 12)
    suite.processes["version"].start()
    outcomes = {}
    for _ in answers:
        told = await client.push("sync_response", timeout=30)
        assert told["success"] and told["status"] == "applied"
        outcomes[told["op_id"]] = told
    assert set(outcomes) == {answer["op_id"] for answer in answers}
    by_entity = {}
    for i, answer in enumerate(answers):
        by_entity.setdefault(f"e{i % 3}", []).append(outcomes[answer["op_id"]]["revision"])
    assert all(revisions == [1, 2, 3, 4] for revisions in by_entity.values())
    for i in (9, 10, 11):
        assert (await client.get("n", f"e{i % 3}"))["data"] == {"i": i}
    await client.close()


async def test_queued_writes_survive_a_restart_of_the_gateway(new_suite, user):
    suite = new_suite(env=QUICK)
    client = await Client.connect(suite.url, user)
    suite.processes["version"].kill()
    await queued(client, 9)
    suite.gateway.kill()
    suite.processes["version"].start()
    suite.gateway.start()
    client = await Client.connect(suite.url, user)
    await client.subscribe()
    final = {}
    deadline = asyncio.get_event_loop().time() + patience(30)
    while final != {"e0": 6, "e1": 7, "e2": 8}:
        assert asyncio.get_event_loop().time() < deadline, final
        for event in (await client.push("changes", timeout=30))["events"]:
            final[event["entity_id"]] = event["data"]["i"]
    for i in range(3):
        history = await client.request("history", entity_type="n", entity_id=f"e{i}")
        assert len(history["versions"]) == 3
    await client.close()


async def test_one_refused_operation_does_not_hold_up_the_queue(new_suite, user):
    suite = new_suite(env=QUICK)
    client = await Client.connect(suite.url, user)
    await client.write("create", "n", "taken", data={})
    suite.processes["version"].kill()
    bad = await client.write("create", "n", "taken", data={}, timeout=30)
    good = await client.write("create", "n", "other", data={}, timeout=30)
    assert bad["status"] == good["status"] == "queued"
    suite.processes["version"].start()
    told = {}
    for _ in range(2):
        message = await client.push("sync_response", timeout=30)
        told[message["op_id"]] = message
    assert told[good["op_id"]]["status"] == "applied"
    assert told[bad["op_id"]]["status"] == "rejected"
    assert told[bad["op_id"]]["error"]["code"] == "already_exists"
    await client.close()
