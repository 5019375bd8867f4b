"""An atomic batch that held one operation twice was tried for ever: it was answered `queued`, never
committed, kept a processor busy, and nothing was written to its entity any more."""

from harness.client import Client


def update(user, n, data):
    return {"op_id": f"{user}-{n}", "operation": "update", "entity_type": "note",
            "entity_id": "n", "data": data}


async def test_the_second_is_a_duplicate_of_the_first(suite, user):
    a = await Client.connect(suite.url, user)
    first = update(user, 1, {"x": 1})
    batch = [first, {**update(user, 2, 2), "entity_id": "m"}, update(user, 3, {"x": 3}), first]
    answer = await a.request("sync_batch", operations=batch, atomic=True)
    assert answer["success"] is True
    results = answer["results"]
    assert [one["status"] for one in results] == ["applied", "applied", "applied", "duplicate"]
    for field in ("op_id", "version_id", "revision", "cursor", "entity_id"):
        assert results[3][field] == results[0][field], field
    read = await a.get("note", "n")
    assert read["data"] == {"x": 3} and read["revision"] == 2

    again = await a.request("sync_batch", operations=[first, first], atomic=True)
    assert [one["status"] for one in again["results"]] == ["duplicate", "duplicate"]
    assert (await a.write("patch", "note", "n", patch={"y": 1}))["status"] == "applied"
    await a.close()


async def test_one_op_id_for_two_operations_refuses_the_batch(suite, user):
    a = await Client.connect(suite.url, user)
    batch = [update(user, 1, 1), update(user, 1, 2)]
    answer = await a.request("sync_batch", operations=batch, atomic=True)
    assert answer["success"] is False and answer["error"]["code"] == "operation_id_reused"
    codes = [one["error"]["code"] for one in answer["results"]]
    assert codes == ["depends_on_rejected", "operation_id_reused"]
    assert (await a.get("note", "n"))["error"]["code"] == "not_found"
    assert (await a.write("create", "note", "n", data=1))["status"] == "applied"
    await a.close()
