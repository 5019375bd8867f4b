"""Changes below a long name that met: the path of each place holds the name. The paths of open
places were together larger than a message between services may be, so that the operation was tried
for ever and the entity took no others; without a person to ask they took a GiB and more."""

import asyncio
import json
import os

from harness.client import Client, token

LONG = "n" * 300_000
ASKED = 55  # Their paths take nearly the 16 MiB of a message; the document comes on top.
REFUSED = 2000


def document(value, places):
    return {LONG: {str(i): value for i in range(places)}}


async def meet(client, kind, places):
    """The answer to a change that meets another one at so many places."""
    made = await client.write("create", kind, "e", data=document(0, places))
    theirs = await client.write("patch", kind, "e", patch=document(1, places),
                                base_version=made["version_id"])
    assert theirs["status"] == "applied", theirs
    answer = await client.write("patch", kind, "e", patch=document(2, places),
                                base_version=made["version_id"])
    if answer.get("status") == "queued":  # A sanitizer is slower than the gateway is patient.
        answer = await client.push("sync_response", timeout=60)
    return answer


async def test_places_below_a_long_name_are_asked_about_as_one(suite, user):
    kind = "asked-" + user
    rules = os.path.join(suite.folder, kind + ".json")
    with open(rules, "w", encoding="utf-8") as file:
        json.dump({"rules": [], "else": "ask"}, file)
    await asyncio.to_thread(suite.command, "rules", "put", kind, rules, "--token",
                            token("root", admin=True))
    client = await Client.connect(suite.url, user)
    kept = await meet(client, kind, ASKED)
    assert kept["status"] == "conflict", kept
    done = await client.request("resolve_conflict", conflict_id=kept["conflict_id"],
                                choice="ours")
    assert done["success"], done
    assert (await client.get(kind, "e"))["data"] == document(2, ASKED)
    await client.close()


async def test_too_many_are_refused_and_made_on_the_latest_version(suite, user):
    client = await Client.connect(suite.url, user)
    refused = await meet(client, "refused", REFUSED)
    assert refused["status"] == "rejected", refused
    assert refused["error"]["code"] == "too_large", refused
    assert "latest version" in refused["error"]["message"], refused
    head = await client.get("refused", "e")
    assert head["data"] == document(1, REFUSED)
    again = await client.write("patch", "refused", "e", patch=document(2, REFUSED),
                               base_version=head["version_id"])
    assert again["status"] == "applied", again
    await client.close()
