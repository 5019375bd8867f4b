"""A real editing session, typed by two clients in turns, one of them on a bad network."""

import os
import random

from harness.replica import Replica
from harness.trace import Lines, load

TURN = 50


async def replay(suite, user, trace, seed):
    a = Replica(suite.url, user, "steady")
    b = Replica(suite.url, user, "shaky")
    await a.connect()
    created = await a.client.write("create", *a.entity, data={"lines": Lines(trace.start).lines})
    assert created["success"], created
    await b.connect()
    text = Lines(trace.start)
    patches = [text.edit(*edit) for edit in trace.edits]
    turns = [patches[i:i + TURN] for i in range(0, len(patches), TURN)]
    rng = random.Random(seed)
    drops = set(rng.sample([i for i in range(1, len(turns), 2)], min(10, len(turns) // 2)))
    for number, turn in enumerate(turns):
        if number % 2 == 0:
            await a.type(turn)
        else:
            await b.type(turn, drop_at=[rng.randrange(len(turn) + 1)] if number in drops else [])
    for replica in (a, b):
        await replica.caught_up_to(1 + len(patches))
        assert "\n".join(replica.lines) == trace.end
    stored = await a.client.get(*a.entity)
    assert "\n".join(stored["data"]["lines"]) == trace.end
    assert stored["revision"] == 1 + len(patches)
    assert (a.drops, b.drops) == (0, len(drops))
    await a.close()
    await b.close()


async def test_both_clients_end_with_the_recorded_text(suite, user):
    edits_max = int(os.environ.get("BDC_SYNC_TEST_REPLAY_EDITS", "0")) or None
    trace = load(edits_max=edits_max)
    seed = random.randrange(1 << 30)
    print("trace:", trace.origin, "edits:", len(trace.edits), "seed:", seed)
    await replay(suite, user, trace, seed)
