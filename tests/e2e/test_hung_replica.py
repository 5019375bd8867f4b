"""A replica that hangs, as one on a machine that swaps or is cut off: its kernel takes connections
and what is sent, and nobody answers. Its spaces go to the other replica within seconds."""

import asyncio
import os
import signal
import time
import uuid

import pytest

from harness.client import Client
from harness.timing import patience

SPACES = 12  # Over two replicas: that one has none happens once in 2,000 runs.
HANGS_S = 3  # grpc.hung_after, which is noticed at most a third later.
QUICK_S = 2


@pytest.fixture(params=["event-store", "version", "conflict"])
def pair(request, way, make_suite):
    """A suite with two of a service, whose second one hangs when it is told to."""
    if way != "suite-postgres":
        pytest.skip("only there two replicas share a database")
    suite = make_suite()
    suite.second = suite.add_replica(request.param)
    suite.start()
    yield suite
    signal_second(suite, signal.SIGCONT)
    suite.stop()


def signal_second(suite, number):
    os.kill(suite.processes[suite.second].popen.pid, number)


async def write_everywhere(client, bases, operations):
    """One write to each space at once, on the version that was first, so that conflict is asked;
    returns how long the slowest took."""
    begun = time.monotonic()
    op_ids = [str(uuid.uuid4()) for _ in bases]
    answers = await asyncio.gather(*[
        client.write("patch", "note", "n", space=space, patch={op_id: 1}, op_id=op_id,
                     base_version=base)
        for (space, base), op_id in zip(bases.items(), op_ids)])
    took = time.monotonic() - begun
    for space, op_id, answer in zip(bases, op_ids, answers):
        assert answer["success"] and answer["status"] in ("applied", "merged"), answer
        operations[space].append(op_id)
    return took


async def await_recovery(suite):
    deadline = time.monotonic() + patience(20)
    callers = [suite.processes[name] for name in ("gateway", "version")]
    while any(process.metric("bdcsync_grpc_hung_peers") for process in callers):
        assert time.monotonic() < deadline, "nobody noticed that it goes on"
        await asyncio.sleep(0.1)


async def test_spaces_of_a_replica_that_hangs_go_to_the_other(pair, user):
    spaces = [f"team-{uuid.uuid4().hex[:8]}" for _ in range(SPACES)]
    client = await Client.connect(pair.url, user, spaces={space: "write" for space in spaces})
    bases, subscriptions = {}, {}
    for space in spaces:
        created = await client.write("create", "note", "n", space=space, data={})
        bases[space] = created["version_id"]
        subscribed = await client.subscribe(space=space, cursor=created["cursor"])
        subscriptions[subscribed["subscription_id"]] = space
    operations = {space: [] for space in spaces}
    await write_everywhere(client, bases, operations)

    signal_second(pair, signal.SIGSTOP)
    assert await write_everywhere(client, bases, operations) < patience(2 * HANGS_S)
    reads = await asyncio.gather(*[client.get("note", "n", space=space) for space in spaces])
    assert all(read["success"] for read in reads), reads
    for _ in range(3):
        assert await write_everywhere(client, bases, operations) < patience(QUICK_S)

    signal_second(pair, signal.SIGCONT)
    await await_recovery(pair)
    for _ in range(3):
        assert await write_everywhere(client, bases, operations) < patience(QUICK_S)

    seen = {space: [] for space in spaces}
    while any(len(seen[space]) < len(operations[space]) for space in spaces):
        changes = await client.push("changes")
        seen[subscriptions[changes["subscription_id"]]] += [
            event["version_id"] for event in changes["events"]]
    for space in spaces:
        history = await client.request("history", space=space, entity_type="note", entity_id="n")
        versions = history["versions"][::-1]
        assert [version["op_id"] for version in versions][1:] == operations[space]
        assert [version["revision"] for version in versions] == list(range(1, len(versions) + 1))
        assert seen[space] == [version["version_id"] for version in versions][1:]
    await client.close()
