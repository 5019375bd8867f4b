"""Merges whose results were together larger than a message between services may be: all of them
were answered `rejected`, those of others that were committed with them too, though every one had
been applied; sent again they were `rejected` again, and what had been queued was parked."""

import asyncio
import time

from harness.client import Client
from harness.timing import patience

MERGES = 22  # Of 0.8 MiB each, more than the 16 MiB of a message.
LARGE = {f"f{i}": "x" * 14_000 for i in range(60)}


async def make(client, space=None):
    """An entity that was changed since; its operations of a batch, which all merge with that."""
    place = {"entity_type": "large", "entity_id": "e", **({"space": space} if space else {})}
    made = await client.request("sync_request", operation="create", data=LARGE, **place)
    changed = await client.request("sync_request", operation="patch", patch={"other": 1}, **place)
    assert changed["status"] == "applied", changed
    return [{"operation": "patch", "patch": {f"n{i}": i}, "base_version": made["version_id"],
             "op_id": f"{client.name}-{i}", **place} for i in range(MERGES)]


async def connect(suite, user, name):
    client = await Client.connect(suite.url, user, device_id=name)
    client.name = f"{user}-{name}"
    return client


def check(results, status):
    assert [result["status"] for result in results] == [status] * MERGES, results[-1].get("error")
    for i, result in enumerate(results):
        assert result["data"] == {**LARGE, "other": 1, **{f"n{j}": j for j in range(i + 1)}}


async def test_a_batch_is_answered_with_what_became_of_it(suite, user):
    client = await connect(suite, user, "one")
    operations = await make(client)
    for status in ("merged", "duplicate"):
        answer = await client.request("sync_batch", operations=operations)
        check(answer["results"], status)
    await client.close()


async def test_those_of_others_beside_them_are_too(suite, user):
    client = await connect(suite, user, "one")
    other = await connect(suite, user + "-2", "two")
    operations = await make(client)
    small = [asyncio.ensure_future(other.write("update", "small", str(i), data=i))
             for i in range(50)]
    large = asyncio.ensure_future(client.request("sync_batch", operations=operations))
    small += [asyncio.ensure_future(other.write("update", "small", str(i), data=i))
              for i in range(50, 100)]
    assert {(await one)["status"] for one in small} == {"applied"}
    check((await large)["results"], "merged")
    await client.close()
    await other.close()


async def test_what_was_queued_is_not_parked(way, new_suite, user):
    if not way.startswith("suite"):
        return  # In one process nothing is ever queued.
    suite = new_suite()
    client = await connect(suite, user, "one")
    operations = await make(client)
    suite.processes["version"].kill()
    answer = await client.request("sync_batch", operations=operations)
    assert {result["status"] for result in answer["results"]} == {"queued"}
    await client.close()
    suite.processes["version"].start()
    deadline = time.monotonic() + patience(60)
    while suite.gateway.metric("bdcsync_gateway_spool_waiting") > 0:
        assert time.monotonic() < deadline, "it stays queued"
        await asyncio.sleep(0.1)
    client = await connect(suite, user, "one")
    answer = await client.request("sync_batch", operations=operations)
    check(answer["results"], "duplicate")
    assert suite.gateway.metric("bdcsync_gateway_spool_parked") == 0
    await client.close()
