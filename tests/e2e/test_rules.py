"""Rule sets from a file: each entity type merges by its own, and what changes is taken over."""

import json
import time

import pytest

from harness.client import Client
from harness.timing import patience

COUNTER = {"rules": [{"path": "$.n", "rule": "counter"}]}
MAX = {"rules": [{"path": "$.n", "rule": "max"}]}
SCRIPT = {"rules": [{"path": "$.n", "rule": "script", "else": "min",
                     "script": "if ours == 6 then error('no') end\nreturn theirs * 10 + ours"}]}


class Rules:
    def __init__(self, path):
        self.path = path

    def hold(self, **sets):
        self.path.write_text(json.dumps(sets))


@pytest.fixture
def rules(tmp_path):
    return Rules(tmp_path / "rules.yaml")


@pytest.fixture
def ruled(new_suite, rules):
    def start(**sets):
        rules.hold(**sets)
        return new_suite(env={"BDC_SYNC_CONFLICT_RULES_FILE": str(rules.path),
                              "BDC_SYNC_CONFLICT_RULES_REFRESH_INTERVAL": "50ms"})
    return start


async def meet(client, entity_type, name, theirs=7, ours=6):
    """The number after two changes of one entity, which was 5, have met."""
    base = (await client.write("create", entity_type, name, data={"n": 5}))["version_id"]
    await client.write("update", entity_type, name, data={"n": theirs}, base_version=base)
    answer = await client.write("update", entity_type, name, data={"n": ours}, base_version=base)
    assert answer["status"] == "merged", answer
    return (await client.get(entity_type, name))["data"]["n"]


async def test_entity_types_merge_each_by_its_own_rules(ruled, user):
    suite = ruled(stock=COUNTER, bid=MAX)
    client = await Client.connect(suite.url, user)
    assert await meet(client, "stock", "a") == 8
    assert await meet(client, "bid", "a") == 7
    assert await meet(client, "note", "a") == 6
    await client.close()


async def test_who_loses_against_a_deletion_is_told(ruled, user):
    suite = ruled(note={"rules": [], "delete": "delete_wins"})
    client = await Client.connect(suite.url, user)
    base = await client.write("create", "note", "n", data={"n": 1})
    await client.subscribe()
    await client.events_until(lambda _, message: message["caught_up"])
    await client.write("delete", "note", "n")
    for operation in ({"operation": "update", "data": {"n": 2}},
                      {"operation": "patch", "patch": {"n": 2}}):
        answer = await client.write(entity_type="note", entity_id="n",
                                    base_version=base["version_id"], **operation)
        assert answer["status"] == "merged" and answer["deleted"] is True, answer
        events, _ = await client.events_until(
            lambda told, _: answer["op_id"] in [e["op_id"] for e in told])
        assert events[-1]["kind"] == "delete" and "data" not in events[-1]
    await client.close()


async def test_a_script_decides_and_its_else_where_it_fails(ruled, user):
    suite = ruled(stock=SCRIPT)
    client = await Client.connect(suite.url, user)
    assert await meet(client, "stock", "a", theirs=7, ours=8) == 78
    assert await meet(client, "stock", "b", theirs=7, ours=6) == 6
    process = suite.processes["serve" if suite.one_process else "conflict"]
    failures = process.metric('bdcsync_conflict_script_failures_total{failure="raised"}')
    assert failures == 1
    await client.close()


async def test_a_file_that_changes_is_taken_over_and_one_with_a_mistake_is_not(ruled, rules, user):
    suite = ruled(stock=COUNTER)
    client = await Client.connect(suite.url, user)
    assert await meet(client, "stock", "before") == 8
    rules.hold(stock={"rules": [{"path": "$.n", "rule": "nonsense"}]})
    rules.hold(stock=MAX)
    deadline = time.monotonic() + patience(20)
    tries = 0
    while await meet(client, "stock", f"after-{tries}") != 7:
        assert time.monotonic() < deadline, "the file is not taken over"
        tries += 1
    rules.hold(stock={"rules": [{"path": "$.n", "rule": "nonsense"}]}, note=MAX)
    for again in range(5):
        assert await meet(client, "stock", f"mistake-{again}") == 7
    await client.close()


async def test_rules_outlive_a_restart_also_without_the_file(ruled, rules, user):
    suite = ruled(stock=COUNTER)
    client = await Client.connect(suite.url, user)
    assert await meet(client, "stock", "a") == 8
    await client.close()
    suite.kill()
    rules.path.unlink()
    suite.start()
    client = await Client.connect(suite.url, user)
    assert await meet(client, "stock", "b") == 8
    await client.close()
