"""PostgreSQL that answers nothing, or allows reading only: the service that needs it says so, and
goes on by itself."""

import subprocess
import time

import pytest

from harness.client import Client
from harness.timing import patience

SILENCE_S = 5  # As rpc::kHealthSilenceMax.


@pytest.fixture
def stored(way, new_suite, postgres):
    """A started suite, its event-store, and a way to run SQL in its database."""
    if not way.endswith("postgres"):
        pytest.skip("needs a way of running on PostgreSQL")
    suite = new_suite()
    process = suite.processes["serve" if suite.one_process else "event-store"]
    return suite, process, suite.env["BDC_SYNC_STORAGE_URL"].rsplit("/", 1)[1]


def await_readiness(process, ready, reason=""):
    """Waits until /readyz says so."""
    deadline = time.monotonic() + patience(SILENCE_S + 20)
    while True:
        try:
            status, body = process.get("/readyz")
        except OSError as error:
            status, body = 0, str(error)
        if (status == 200) == ready and reason in body:
            return
        assert time.monotonic() < deadline, body
        time.sleep(0.05)


async def test_a_database_that_hangs_is_told(stored, postgres, user):
    suite, process, database = stored
    client = await Client.connect(suite.url, user)
    lock = subprocess.Popen(
        ["psql", "-X", "-q", "-A", "-t", postgres.url(database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lock.stdin.write("BEGIN; LOCK TABLE event_store.log_heads; SELECT 'held';\n")
    lock.stdin.flush()
    assert lock.stdout.readline() == "held\n"
    await_readiness(process, False, "no answer for")
    lock.communicate("COMMIT;\n")
    await_readiness(process, True)
    assert (await client.write("create", "note", "n", data={"a": 1}))["success"]
    await client.close()


async def test_a_database_that_allows_reading_only_is_told_and_read(stored, postgres, user):
    suite, process, database = stored
    client = await Client.connect(suite.url, user)
    assert (await client.write("create", "note", "n", data={"a": 1}))["status"] == "applied"
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    postgres.psql(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    postgres.psql(cut)
    await_readiness(process, False, "read-only transaction")
    assert (await client.get("note", "n"))["data"] == {"a": 1}
    assert (await client.write("patch", "note", "n", patch={"a": 2}))["status"] == "queued"
    postgres.psql(f'ALTER DATABASE "{database}" RESET default_transaction_read_only')
    await_readiness(process, True)
    outcome = await client.push("sync_response", timeout=30)
    assert outcome["status"] == "applied"
    await client.close()
