"""Store and forward: with the version service down, writes are kept, `queued`, and drained."""

import asyncio

import pytest

from harness.client import Client, token
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


async def until(check, seconds=30):
    deadline = asyncio.get_event_loop().time() + patience(seconds)
    while not check():
        assert asyncio.get_event_loop().time() < deadline
        await asyncio.sleep(0.02)


async def queued_in(client, space, entity_id):
    answer = await client.write("create", "n", entity_id, space=space, data={}, timeout=30)
    assert answer["status"] == "queued", answer
    return answer["op_id"]


async def test_what_a_refreshed_token_does_not_allow_is_refused_at_the_drain(new_suite, user):
    suite = new_suite(env=QUICK)
    space = "team-" + user
    client = await Client.connect(suite.url, user, spaces={space: "write"})
    suite.processes["version"].kill()
    lost = await queued_in(client, space, "lost")
    own = await queued_in(client, f"user:{user}", "own")
    assert (await client.request("refresh", token=token(user, {space: "read"})))["success"]
    suite.processes["version"].start()
    told = {}
    for _ in range(2):
        outcome = await client.push("sync_response", timeout=30)
        told[outcome["op_id"]] = outcome
    assert told[own]["status"] == "applied"
    assert told[lost]["status"] == "rejected" and not told[lost]["success"]
    assert told[lost]["error"]["code"] == "forbidden"
    assert suite.gateway.metric("bdcsync_gateway_spool_unauthorised_total") == 1
    assert suite.gateway.metric("bdcsync_gateway_spool_parked") == 1
    assert (await client.get("n", "lost", space=space))["error"]["code"] == "not_found"
    await client.close()


async def test_after_a_restart_the_token_a_device_returns_with_decides(new_suite, user):
    suite = new_suite(env=QUICK)
    spaces = {f"{name}-{user}": "write" for name in ("kept", "lost")}
    client = await Client.connect(suite.url, user, device_id="phone", spaces=spaces)
    suite.processes["version"].kill()
    for space in spaces:
        await queued_in(client, space, "x")
    suite.gateway.kill()
    suite.gateway.start(wait=False)
    client = None

    async def returned():
        nonlocal client
        try:
            client = await Client.connect(suite.url, user, device_id="phone",
                                          spaces={f"kept-{user}": "write"})
        except OSError:
            await asyncio.sleep(0.05)
        return client
    while await returned() is None:
        suite.gateway.check_running()
    suite.processes["version"].start()
    await until(lambda: suite.gateway.metric("bdcsync_gateway_spool_waiting") == 0)
    assert suite.gateway.metric("bdcsync_gateway_spool_unauthorised_total") == 1
    assert (await client.get("n", "x", space=f"kept-{user}"))["data"] == {}
    await client.close()
    witness = await Client.connect(suite.url, user + "-witness", spaces=spaces)
    answer = await witness.get("n", "x", space=f"lost-{user}")
    assert answer["error"]["code"] == "not_found"
    await witness.close()


async def test_a_token_that_ended_long_ago_stands_for_nothing(new_suite, user):
    suite = new_suite(env={**QUICK, "BDC_SYNC_OFFLINE_TOKEN_GRACE": "0s"})
    client = await Client.open(suite.url)
    ends = await client.request("authenticate", token=token(user, expires_in=patience(3)))
    assert ends["success"]
    stays = await Client.connect(suite.url, user)
    suite.processes["version"].kill()
    await queued_in(client, f"user:{user}", "ended")
    await queued_in(stays, f"user:{user}", "stays")
    assert await client.closed() == 4432
    suite.processes["version"].start()
    assert (await stays.push("sync_response", timeout=30))["status"] == "applied"
    await until(lambda: suite.gateway.metric("bdcsync_gateway_spool_waiting") == 0)
    assert suite.gateway.metric("bdcsync_gateway_spool_unauthorised_total") == 1
    assert (await stays.get("n", "ended"))["error"]["code"] == "not_found"
    await stays.close()
