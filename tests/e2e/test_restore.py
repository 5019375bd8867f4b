"""A store that is put back from an older copy while nothing runs: nobody remembers how far it had
come, so whoever puts it back gives its logs new epochs, as docs/operations.md says."""

import os
import shutil
import sqlite3

from harness.client import Client

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SQLITE = "UPDATE log_heads SET epoch = random()"
POSTGRES = ("UPDATE event_store.log_heads SET epoch = "
            "('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint")


class Store:
    """The log of a suite that is stopped."""

    def __init__(self, suite, request):
        self.url = suite.env.get("BDC_SYNC_STORAGE_URL")
        self.file = os.path.join(suite.env["BDC_SYNC_DATA_DIR"], "events.db")
        self.postgres = request.getfixturevalue("postgres") if self.url else None
        self.database = self.url.rsplit("/", 1)[1] if self.url else None

    def _replace(self, database, template):
        self.postgres.psql(f'DROP DATABASE IF EXISTS "{database}"')
        self.postgres.psql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')

    def copy(self):
        if self.url:
            self._replace(self.database + "_copy", self.database)
        else:
            shutil.copy(self.file, self.file + ".copy")

    def put_back(self):
        if self.url:
            self._replace(self.database, self.database + "_copy")
            self.postgres.psql(POSTGRES, self.database)
            return
        assert not os.path.exists(self.file + "-tail")
        shutil.copy(self.file + ".copy", self.file)
        database = sqlite3.connect(self.file)
        with database:
            database.execute(SQLITE)
        database.close()


async def write(suite, user, names):
    client = await Client.connect(suite.url, user)
    for name in names:
        assert (await client.write("update", "note", name, data={"is": name}))["success"]
    await client.close()


async def test_clients_start_again_when_an_older_copy_was_put_back(new_suite, request, user):
    suite = new_suite()
    store = Store(suite, request)
    await write(suite, user, ["a", "b", "c"])
    suite.stop()
    store.copy()
    suite.start()
    await write(suite, user, ["lost", "lost too"])
    client = await Client.connect(suite.url, user)
    await client.subscribe()
    _, message = await client.events_until(lambda e, m: m["caught_up"])
    await client.close()
    suite.stop()
    store.put_back()
    suite.start()
    # Now the space is longer than the client remembers it.
    await write(suite, user, ["d", "e", "f"])
    client = await Client.connect(suite.url, user)
    await client.subscribe(cursor=message["cursor"])
    assert (await client.push("resync"))["reason"]
    await client.subscribe()
    events, _ = await client.events_until(lambda e, m: m["caught_up"])
    assert [event["entity_id"] for event in events] == ["a", "b", "c", "d", "e", "f"]
    await client.close()


def test_the_documentation_says_how():
    with open(os.path.join(REPOSITORY, "docs", "operations.md"), encoding="utf-8") as file:
        text = file.read()
    assert SQLITE in text
    assert POSTGRES in text
