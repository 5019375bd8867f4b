"""Of two changes of one entity in one batch, the second was made on what the first had made. When
the first met what others had written, nobody was told when that was: the second counted as later
than a newer write of somebody else, and, where the batch was sent again, as older than an older
one."""

import time

import pytest

from harness.client import Client

FORMS = ["alone", "one batch", "atomic", "sent again", "sent again after more"]


def ago(minutes):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 60 * minutes))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("minutes,wins", [(30, "mine"), (90, "theirs")])
@pytest.mark.parametrize("first", [{"operation": "patch", "patch": {"y": 1}},
                                   {"operation": "text",
                                    "text": {"path": "/t", "ops": [{"insert": "a"}]}}])
async def test_the_later_write_wins_however_it_is_sent(suite, user, form, minutes, wins, first):
    a = await Client.connect(suite.url, user, device_id="a")
    b = await Client.connect(suite.url, user, device_id="b")
    made = await a.write("create", "note", "n", data={"x": 0, "t": ""}, client_time=ago(180))
    await b.write("patch", "note", "n", patch={"x": "theirs"}, client_time=ago(60))
    await b.write("patch", "note", "n", patch={"z": 1})

    def mine(number, **change):
        return {"op_id": f"{user}-{number}", "entity_type": "note", "entity_id": "n",
                "base_version": made["version_id"], **change}

    batch = [mine(1, client_time=ago(minutes + 1), **first),
             mine(2, client_time=ago(minutes), operation="patch", patch={"x": "mine"})]
    if form == "alone":
        del batch[0]
    elif form.startswith("sent again"):
        await a.request("sync_batch", operations=batch[:1])  # Its answer is lost.
    if form == "sent again after more":
        await b.write("patch", "note", "n", patch={"z": 2})
    answer = await a.request("sync_batch", operations=batch, atomic=form == "atomic")
    assert answer["results"][-1]["status"] == "merged"
    assert (await a.get("note", "n"))["data"]["x"] == wins
    await a.close()
    await b.close()
