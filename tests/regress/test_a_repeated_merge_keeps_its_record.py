"""A merged operation that its client sent again, as after every lost answer, was decided again on
the newer head. That decision was never committed, but it replaced the record of the one that was,
and with it the value that had lost: undo had nothing left to put back."""

import json

import pytest

from harness.client import Client


@pytest.mark.parametrize("form", ["sent again", "sent again with more", "atomic"])
async def test_the_record_is_that_of_what_was_committed(suite, user, form):
    client = await Client.connect(suite.url, user)
    made = await client.write("create", "note", "n", data={"x": 0, "y": 0})
    await client.write("patch", "note", "n", patch={"x": "theirs"})

    def mine(number, **patch):
        return {"op_id": f"{user}-{number}", "entity_type": "note", "entity_id": "n",
                "base_version": made["version_id"], "operation": "patch", "patch": patch}

    def records():
        lines = suite.command("conflicts", "records", "--json", user=user).splitlines()
        return [record for record in map(json.loads, lines) if record["op_id"] == f"{user}-1"]

    assert (await client.request("sync_request", **mine(1, x="mine")))["status"] == "merged"
    (before,) = records()
    assert before["decisions"][0]["theirs"] == "theirs"
    await client.write("patch", "note", "n", patch={"y": "newer"})
    again = [mine(1, x="mine")] if form == "sent again" else [mine(1, x="mine"), mine(2, z=1)]
    answer = await client.request("sync_batch", operations=again, atomic=form == "atomic")
    assert [one["status"] for one in answer["results"]][0] == "duplicate"
    assert records() == [before]
    suite.command("conflicts", "undo", f"{user}-1", user=user)
    assert (await client.get("note", "n"))["data"]["x"] == "theirs"
    await client.close()
