"""A real session of two who typed at once, typed again by two clients, each seeing of the other
what that person had seen when it typed."""

import asyncio
import json
import os

from harness import text_ot as ot
from harness.client import Client
from harness.text_client import TextClient
from harness.trace import load_concurrent


# The whole recording takes the client in Python half a minute; the one in C++ types all of it.
PYTHON_EDITS_MAX = 5000


def edits_max():
    return int(os.environ.get("BDC_SYNC_TEST_REPLAY_EDITS", "0")) or None


def test_both_clients_end_with_the_recorded_text(suite, user):
    recording = load_concurrent(edits_max=edits_max())
    print("recording:", recording["origin"], "edits:", len(recording["edits"]))
    path = os.path.join(suite.folder, "recording.json")
    with open(path, "w") as file:
        json.dump(recording, file)
    answer = json.loads(suite.bench("text-replay", user=user, recording=path))
    assert answer["edits"] == len(recording["edits"])
    assert answer["operations"] > 1


class Typist:
    """One of the two: its view is what its person had seen, not all that has come."""

    def __init__(self, client, edits, cuts):
        self.client, self.edits, self.cuts = client, edits, cuts
        self.view, self.shown, self.typed = [], 0, 0  # Edits of the other, and of its own.
        self.held = []   # What came and is not shown.
        self.sizes = []  # Edits in each operation of this one that the other has not shown.
        self.wide = False  # Whether any character may be two units.
        client.on_theirs = self._on_theirs

    def _on_theirs(self, ops):
        self.held.append(ops)
        self.client.changed.set()

    def show(self, other):
        theirs = self.held.pop(0)
        self.wide = self.wide or not str(theirs).isascii()
        self.view = ot.apply(self.view, theirs)
        self.shown += other.sizes.pop(0)

    def come(self, other):
        return self.shown + sum(other.sizes[:len(self.held)])

    async def go(self, other):
        while self.typed < len(self.edits):
            seen, come = self.edits[self.typed][:2]
            await self.client.until(lambda: self.come(other) >= come, timeout=60)
            while self.shown < seen:
                self.show(other)
            start, ops = self.typed, []
            while (self.typed < len(self.edits) and self.edits[self.typed][:2] == [seen, come]
                   and (self.typed == start or self.typed not in self.cuts)):
                edit = self.ops_of(*self.edits[self.typed][2:])
                self.view = ot.apply(self.view, edit)
                ops = ot.compose(ops, edit)
                self.typed += 1
            for i, theirs in enumerate(self.held):
                self.held[i] = ot.transform(ops, theirs, False)
                ops = ot.transform(theirs, ops, True)
            self.sizes.append(self.typed - start)
            await self.client.type(ops, apart=True)

    def ops_of(self, position, deleted, inserted):
        self.wide = self.wide or not inserted.isascii()
        out = ot.Ops()
        out.retain(self.unit(position), {})
        out.insert(ot.units(inserted), {})
        out.delete(self.unit(position + deleted) - self.unit(position))
        return out.ops()

    def unit(self, point):
        """The unit at which a code point begins."""
        if not self.wide:
            return point
        unit = 0
        for _ in range(point):
            unit += 2 if "\ud800" <= self.view[unit][0] <= "\udbff" else 1
        return unit


async def test_clients_in_python_end_with_the_recorded_text_too(suite, user):
    recording = load_concurrent(edits_max=min(edits_max() or PYTHON_EDITS_MAX, PYTHON_EDITS_MAX))
    space = "team-" + user
    reader = await Client.connect(suite.url, user, spaces={space: "write"})
    await reader.write("create", "note", "n", space=space, data={"text": ""})
    typists = []
    for number in (0, 1):
        edits = [edit[1:] for edit in recording["edits"] if edit[0] == number]
        cuts = {count for edit in recording["edits"] if edit[0] != number
                for count in edit[1:3]}
        client = TextClient(suite.url, f"{user}-{number}", space, ("note", "n"))
        await client.connect()
        await client.until(lambda client=client: client.version is not None)
        typists.append(Typist(client, edits, cuts))
    a, b = typists
    await asyncio.gather(a.go(b), b.go(a))
    for own, other in ((a, b), (b, a)):
        await own.client.until(lambda own=own: own.client.settled)
        await own.client.until(
            lambda own=own, other=other: own.client.version == other.client.version)
    held = (await reader.get("note", "n", space=space))["data"]["text"]
    assert held == a.client.text() == b.client.text() == recording["end"]
    for client in (a.client, b.client, reader):
        await client.close()
