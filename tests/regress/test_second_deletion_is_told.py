"""A deletion that met another one was committed and told to nobody: its author waited for his own
event for ever, and the answer did not say that the entity was gone. So did an edit that lost
against a deletion (e2e/test_rules.py)."""

import uuid

from harness.client import Client


def caught_up(_, message):
    return message["caught_up"]


async def test_a_second_deletion_is_answered_and_told_as_one(suite, user):
    a = await Client.connect(suite.url, user, device_id="a")
    b = await Client.connect(suite.url, user, device_id="b")
    base = await a.write("create", "note", "n", data={"x": 1})
    await b.subscribe()
    _, message = await b.events_until(caught_up)
    await a.write("delete", "note", "n", base_version=base["version_id"])
    op_id = str(uuid.uuid4())
    answer = await b.write("delete", "note", "n", op_id=op_id, base_version=base["version_id"])
    assert answer["status"] == "merged" and answer["deleted"] is True and "data" not in answer
    events, _ = await b.events_until(lambda told, _: op_id in [e["op_id"] for e in told])
    assert [e["kind"] for e in events] == ["delete", "delete"]
    assert events[-1]["version_id"] == answer["version_id"] and "data" not in events[-1]
    # Whoever comes back later is told the same, and of the entity's next life as of a new one.
    await a.write("create", "note", "n", data={"x": 2})
    c = await Client.connect(suite.url, user, device_id="c")
    await c.subscribe(cursor=message["cursor"])
    events, _ = await c.events_until(caught_up)
    assert [e["kind"] for e in events] == ["delete", "delete", "enter"]
    await c.subscribe(cursor=answer["cursor"])
    events, _ = await c.events_until(caught_up)
    assert [e["kind"] for e in events] == ["enter"]
    again = await b.write("delete", "note", "n", op_id=op_id, base_version=base["version_id"])
    assert again["status"] == "duplicate" and again["deleted"] is True
    for client in (a, b, c):
        await client.close()
