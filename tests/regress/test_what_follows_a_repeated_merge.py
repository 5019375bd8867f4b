"""A client that lost the answer to a merged operation sent it again with the next one, in a batch.
The next one counted as made on what the merge had made, and took away what others had changed."""

import pytest

from harness.client import Client


@pytest.mark.parametrize("atomic", [False, True])
async def test_a_batch_sent_again_takes_nothing_from_others(suite, user, atomic):
    spaces = {"team-" + user: "write"}
    a = await Client.connect(suite.url, user + "-a", spaces=spaces)
    b = await Client.connect(suite.url, user + "-b", spaces=spaces)
    space = "team-" + user
    base = (await a.write("create", "note", "n", data={"x": 1}, space=space))["version_id"]
    await b.write("patch", "note", "n", patch={"theirs": 1}, space=space)
    mine = [{"op_id": f"{user}-{i}", "operation": "update", "entity_type": "note",
             "entity_id": "n", "space": space, "data": {"x": i}, "base_version": base}
            for i in (2, 3)]
    await a.request("sync_batch", operations=mine[:1])  # Its answer is lost.
    await b.write("patch", "note", "n", patch={"more": 1}, space=space)
    answer = await a.request("sync_batch", operations=mine, atomic=atomic)
    assert [one["status"] for one in answer["results"]] == ["duplicate", "merged"]
    read = await a.get("note", "n", space=space)
    assert read["data"] == {"x": 3, "theirs": 1, "more": 1}
    await a.close()
    await b.close()
