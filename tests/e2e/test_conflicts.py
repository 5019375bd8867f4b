"""protocol.md, "Conflicts": changes that wait for people, from the first refusal to guess to the
last undo. Rules are put at run time, each test for an entity type of its own."""

import asyncio
import json
import os
import uuid

import pytest

from harness.client import Client, token
from harness.proto_client import ProtoClient
from harness.timing import patience

ASK = {"rules": [{"path": "$.title", "rule": "ask", "deadline": "48h", "fallback": "theirs"},
                 {"path": "$.body", "rule": "ask", "deadline": "48h", "fallback": "ours"}]}
BASE = {"title": "base", "body": "base", "n": 0}


@pytest.fixture
def kind(user):
    """An entity type nobody else has."""
    return "note-" + user


def admin():
    return token("root", admin=True)


async def command(suite, *words, **options):
    return await asyncio.to_thread(suite.command, *words, **options)


async def put_rules(suite, kind, rules):
    path = os.path.join(suite.folder, f"rules-{uuid.uuid4().hex}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rules, file)
    await command(suite, "rules", "put", kind, path, "--token", admin())


class Desk:
    """Two devices of a user that meet on one entity in a shared space, and what they made."""

    def __init__(self, suite, user, kind):
        self.suite, self.user, self.kind = suite, user, kind
        self.space = "team-" + user
        self.clients = []

    async def connect(self, name, access="write", factory=Client, **options):
        client = await factory.connect(self.suite.url, name, device_id="d-" + name,
                                       spaces={self.space: access} if access else {}, **options)
        self.clients.append(client)
        return client

    async def open(self, entity="n1", theirs=None, ours=None, factory=Client):
        """Opens a conflict about title and body; returns the answer of the change that waits."""
        if not self.clients:
            self.ada = await self.connect(self.user + "-ada", factory=factory)
            self.bo = await self.connect(self.user + "-bo", factory=factory)
        base = await self.ada.write("create", self.kind, entity, space=self.space, data=BASE)
        assert base["status"] == "applied", base
        self.base = base["version_id"]
        self.theirs = await self.ada.write(
            "update", self.kind, entity, space=self.space, base_version=self.base,
            data=theirs or {**BASE, "title": "theirs", "body": "theirs"})
        self.ours_request = dict(
            operation="update", entity_type=self.kind, entity_id=entity, space=self.space,
            base_version=self.base, op_id=str(uuid.uuid4()),
            data=ours or {**BASE, "title": "ours", "body": "ours", "n": 7})
        self.ours = await self.bo.request("sync_request", **self.ours_request)
        assert self.ours["success"] and self.ours["status"] == "conflict", self.ours
        return self.ours

    async def main(self, entity="n1", client=None):
        return await (client or self.ada).get(self.kind, entity, space=self.space)

    async def resolve(self, client, conflict_id, **choice):
        return await client.request("resolve_conflict", conflict_id=conflict_id, **choice)

    async def conflict(self, conflict_id, **fields):
        answer = await self.ada.request("conflicts", conflict_id=conflict_id, **fields)
        assert answer["success"], answer
        return answer["conflicts"][0]

    async def close(self):
        for client in self.clients:
            await client.close()


@pytest.fixture
def desk(suite, user, kind):
    return Desk(suite, user, kind)


async def test_a_change_that_waits_is_kept_whole_on_its_branch(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    answer = await desk.open()
    assert answer["branch"] == "conflict/" + answer["conflict_id"]
    assert answer["version_id"] and answer["revision"] == 1
    main = await desk.main()
    assert main["data"]["title"] == "theirs" and main["data"]["n"] == 0
    assert main["version_id"] == desk.theirs["version_id"] and main["has_conflict"] is True
    branch = await desk.bo.get(kind, "n1", space=desk.space, branch=answer["branch"])
    assert branch["data"] == {"title": "ours", "body": "ours", "n": 7}
    assert branch["version_id"] == answer["version_id"]
    await desk.ada.write("create", kind, "quiet", space=desk.space, data=1)
    listed = await desk.ada.request("list", space=desk.space, entity_types=[kind])
    assert {e["entity_id"]: e["has_conflict"] for e in listed["entities"]} == \
        {"n1": True, "quiet": False}
    history = await desk.ada.request("history", space=desk.space, entity_type=kind, entity_id="n1")
    assert len(history["versions"]) == 2
    await desk.close()


async def test_a_repeated_change_gets_its_first_answer(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    first = await desk.open()
    for _ in range(2):
        again = await desk.bo.request("sync_request", **desk.ours_request)
        assert again["success"] and again["status"] == "duplicate", again
        assert again["conflict_id"] == first["conflict_id"]
        assert again["version_id"] == first["version_id"] and again["branch"] == first["branch"]
    listed = await desk.ada.request("conflicts", space=desk.space)
    assert len(listed["conflicts"]) == 1
    done = await desk.resolve(desk.ada, first["conflict_id"], choice="ours")
    assert done["success"]
    again = await desk.bo.request("sync_request", **desk.ours_request)
    assert again["status"] == "duplicate" and again["conflict_id"] == first["conflict_id"]
    await desk.close()


async def test_conflicts_are_listed_and_seen_with_their_states(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    answer = await desk.open()
    listed = await desk.ada.request("conflicts", space=desk.space, entity_type=kind,
                                    entity_id="n1")
    assert listed["type"] == "conflicts" and listed["success"]
    (told,) = listed["conflicts"]
    assert told["conflict_id"] == answer["conflict_id"] and told["status"] == "open"
    assert told["user_id"] == desk.user + "-bo" and told["op_id"] == desk.ours_request["op_id"]
    assert told["base_version"] == desk.base and told["branch"] == answer["branch"]
    assert told["theirs_version"] == desk.theirs["version_id"]
    assert told["ours_version"] == answer["version_id"]
    assert told["deadline"] > told["opened_at"]
    places = {place["path"]: place for place in told["paths"]}
    assert set(places) == {"/title", "/body"}
    assert places["/title"]["base"] == "base" and places["/title"]["theirs"] == "theirs"
    assert places["/title"]["ours"] == "ours" and places["/title"]["fallback"] == "theirs"
    assert places["/body"]["fallback"] == "ours" and places["/body"]["kind"] == "edit_edit"
    for filtered in ({"entity_type": "other"}, {"status": "resolved"}, {"assigned_to": "nobody"}):
        assert not (await desk.ada.request("conflicts", space=desk.space, **filtered))["conflicts"]
    one = await desk.conflict(answer["conflict_id"],
                              choices=[{"choice": "ours", "paths": ["/title"]}])
    states = one["states"]
    assert states["base"]["data"] == BASE and states["theirs"]["data"]["title"] == "theirs"
    assert states["ours"]["data"]["n"] == 7
    assert states["preview"]["data"]["title"] == "ours"
    assert states["preview"]["data"]["body"] == "theirs" and states["preview"]["data"]["n"] == 7
    assert states["open_paths"] == ["/body"]
    assert (await desk.main())["has_conflict"]  # A preview decides nothing.
    await desk.close()


async def test_pages_of_conflicts_hold_each_once(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    opened = [(await desk.open(f"n{i}"))["conflict_id"] for i in range(5)]
    told, page = [], {}
    while True:
        answer = await desk.ada.request("conflicts", space=desk.space, limit=2, **page)
        told += [one["conflict_id"] for one in answer["conflicts"]]
        if "next_page_token" not in answer:
            break
        page = {"page_token": answer["next_page_token"]}
    assert told == opened[::-1]
    await desk.close()


async def test_others_are_told_in_order_and_once(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    watcher = await desk.connect(desk.user + "-cy", "read")
    subscribed = await watcher.subscribe(space=desk.space, filter={"entity_types": [kind]})
    await watcher.push("changes", where=lambda m: m["caught_up"])
    desk.ada = await desk.connect(desk.user + "-ada")
    desk.bo = await desk.connect(desk.user + "-bo")
    answer = await desk.open()
    opened = await watcher.push("conflict_opened")
    assert opened["subscription_id"] == subscribed["subscription_id"]
    assert opened["conflict_id"] == answer["conflict_id"] and opened["open_conflicts"] == 1
    assert opened["status"] == "open" and opened["space"] == desk.space
    seen = [e["seq"] for m in watcher.pushes if m["type"] == "changes" for e in m["events"]]
    assert len(seen) == 2 and max(seen) < opened["seq"]
    await watcher.close()  # While it is away …
    await desk.resolve(desk.ada, answer["conflict_id"], choice="proposed")
    second = await desk.open("n2")
    again = await desk.connect(desk.user + "-cy", "read")
    await again.subscribe(space=desk.space, cursor=opened["cursor"],
                          filter={"entity_types": [kind]})
    await again.push("changes", where=lambda m: m["caught_up"])
    news = [(m["type"], m["conflict_id"]) for m in again.pushes if m["type"] != "changes"]
    closed = await again.push("conflict_closed")
    assert news == [("conflict_closed", answer["conflict_id"]),
                    ("conflict_opened", second["conflict_id"])]
    assert closed["status"] == "resolved" and closed["closed_by"] == desk.user + "-ada"
    assert closed["open_conflicts"] == 0 and closed["version_id"]
    # Who gets the state is told of those that are open alone.
    fresh = await desk.connect(desk.user + "-di", "read")
    await fresh.subscribe(space=desk.space)
    await fresh.push("changes", where=lambda m: m["caught_up"])
    news = [(m["type"], m["conflict_id"]) for m in fresh.pushes if m["type"] != "changes"]
    assert news == [("conflict_opened", second["conflict_id"])]
    await desk.close()


async def test_latest_skips_versions_also_across_what_is_told_of_conflicts(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    opened = await desk.open()
    cursor = (await desk.ada.write("create", "plain", "p", space=desk.space, data=0))["cursor"]
    for i in range(3):
        done = await desk.resolve(desk.ada, opened["conflict_id"], choice="ours")
        assert done["success"], done
        for n in range(2):
            await desk.ada.write("update", "plain", "p", space=desk.space, data=[i, n])
        base = (await desk.main())["version_id"]
        for client in (desk.ada, desk.bo):
            opened = await client.write("patch", kind, "n1", space=desk.space, base_version=base,
                                        patch={"title": f"{i} {client is desk.bo}"})
        assert opened["status"] == "conflict", opened
    for _ in range(2):  # From the log, then, once the other has read it all, from recent events.
        told = []
        reader = await desk.connect(desk.user + "-cy", "read")
        subscribed = await reader.subscribe(space=desk.space, cursor=cursor, mode="latest")
        while True:
            message = await reader.push()
            told += [(e["entity_id"], e["kind"], e["data"]) for e in message.get("events", [])]
            if message["type"] != "changes":
                told.append((message["type"], message["conflict_id"], message["open_conflicts"]))
            elif message["caught_up"]:
                break
        assert message["cursor"] == subscribed["head"]
        main = (await desk.main())["data"]
        assert told == [("p", "update", [2, 1]), ("n1", "update", main),
                        ("conflict_opened", opened["conflict_id"], 1)]
        await reader.close()
        whole = await desk.connect(desk.user + "-di", "read")
        await whole.subscribe(space=desk.space, cursor=cursor)
        await whole.events_until(lambda events, message: message["caught_up"])
    await desk.close()


async def test_a_decision_is_a_merge_that_keeps_what_was_written_since(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    answer = await desk.open()
    meanwhile = await desk.ada.write("patch", kind, "n1", space=desk.space, patch={"later": True})
    assert meanwhile["status"] == "applied"
    done = await desk.resolve(desk.bo, answer["conflict_id"], choice="ours")
    assert done["success"] and done["status"] == "resolved", done
    main = await desk.main()
    assert main["version_id"] == done["version_id"] and main["has_conflict"] is False
    assert main["data"] == {"title": "ours", "body": "ours", "n": 7, "later": True}
    history = await desk.ada.request("history", space=desk.space, entity_type=kind, entity_id="n1")
    newest = history["versions"][0]
    assert newest["parents"] == [meanwhile["version_id"], answer["version_id"]]
    assert newest["op_id"] == "close-" + answer["conflict_id"]
    assert newest["user_id"] == desk.user + "-bo"
    assert (await desk.conflict(answer["conflict_id"]))["version_id"] == done["version_id"]
    assert not (await desk.ada.request("conflicts", space=desk.space))["conflicts"]
    await desk.close()


@pytest.mark.parametrize("choice, wanted", [
    ({"choice": "base"}, {"title": "base", "body": "base", "n": 7}),
    ({"choice": "theirs"}, {"title": "theirs", "body": "theirs", "n": 7}),
    ({"choice": "ours"}, {"title": "ours", "body": "ours", "n": 7}),
    ({"choice": "proposed"}, {"title": "ours", "body": "ours", "n": 7}),
    ({"choice": "value", "value": {"all": "new"}}, {"all": "new"}),
    ({"choices": [{"choice": "theirs"},
                  {"choice": "value", "value": "both", "paths": ["/title"]}]},
     {"title": "both", "body": "theirs", "n": 7}),
])
async def test_every_choice_does_what_it_says(suite, desk, kind, choice, wanted):
    await put_rules(suite, kind, ASK)
    answer = await desk.open()
    done = await desk.resolve(desk.ada, answer["conflict_id"], **choice)
    assert done["success"], done
    assert (await desk.main())["data"] == wanted
    await desk.close()


async def test_places_are_decided_one_after_the_other(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    answer = await desk.open()
    conflict_id = answer["conflict_id"]
    part = await desk.resolve(desk.ada, conflict_id, choice="ours", paths=["/title"])
    assert part["success"] and part["status"] == "open" and part["open_paths"] == ["/body"]
    assert "version_id" not in part
    assert (await desk.main())["data"]["title"] == "theirs"
    chosen = {place["path"]: place.get("chosen")
              for place in (await desk.conflict(conflict_id))["paths"]}
    assert chosen == {"/title": "ours", "/body": None}
    done = await desk.resolve(desk.bo, conflict_id, choice="theirs", paths=["/body"])
    assert done["success"] and done["status"] == "resolved"
    assert (await desk.main())["data"] == {"title": "ours", "body": "theirs", "n": 7}
    await desk.close()


async def test_wrong_decisions_are_refused_and_leave_it_open(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    conflict_id = (await desk.open())["conflict_id"]
    for choice, code in (({"choice": "mine"}, "invalid_argument"), ({}, "invalid_argument"),
                         ({"choice": "ours", "paths": ["/nowhere"]}, "invalid_argument"),
                         ({"choice": "value"}, "invalid_argument")):
        refused = await desk.resolve(desk.ada, conflict_id, **choice)
        assert refused["type"] == "conflict_resolved" and not refused["success"], refused
        assert refused["error"]["code"] == code, refused
    unknown = await desk.resolve(desk.ada, "0" * 32, choice="ours")
    assert unknown["error"]["code"] == "not_found"
    assert (await desk.main())["has_conflict"]
    await desk.close()


async def test_who_may_see_and_decide(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    conflict_id = (await desk.open())["conflict_id"]
    reader = await desk.connect(desk.user + "-reader", "read")
    assert (await reader.request("conflicts", space=desk.space))["conflicts"]
    refused = await desk.resolve(reader, conflict_id, choice="ours")
    assert refused["error"]["code"] == "forbidden"
    outsider = await desk.connect(desk.user + "-outsider", None)
    for answer in (await desk.resolve(outsider, conflict_id, choice="ours"),
                   await outsider.request("conflicts", conflict_id=conflict_id),
                   await outsider.request("conflicts", space=desk.space)):
        assert not answer["success"] and answer["error"]["code"] == "not_found", answer
    ada, bo = desk.user + "-ada", desk.user + "-bo"
    await command(suite, "conflicts", "assign", conflict_id, bo,
                  "--token", token(ada, {desk.space: "write"}))
    told = await desk.conflict(conflict_id)
    assert told["status"] == "assigned" and told["assigned_to"] == bo
    refused = await desk.resolve(desk.ada, conflict_id, choice="theirs")
    assert refused["error"]["code"] == "forbidden"
    assert (await desk.resolve(desk.bo, conflict_id, choice="theirs"))["success"]
    await desk.close()


async def test_of_two_who_decide_at_once_one_wins(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    for round in range(5):
        entity = f"n{round}"
        conflict_id = (await desk.open(entity))["conflict_id"]
        answers = await asyncio.gather(
            desk.resolve(desk.ada, conflict_id, choice="theirs"),
            desk.resolve(desk.bo, conflict_id, choice="ours"))
        (won,) = [answer for answer in answers if answer["success"]]
        (lost,) = [answer for answer in answers if not answer["success"]]
        assert lost["error"]["code"] == "precondition_failed", lost
        assert lost["conflict"]["version_id"] == won["version_id"]
        wanted = "theirs" if answers[0]["success"] else "ours"
        assert (await desk.main(entity))["data"]["title"] == wanted
        history = await desk.ada.request("history", space=desk.space, entity_type=kind,
                                         entity_id=entity)
        assert len(history["versions"]) == 3
    await desk.close()


async def test_at_the_deadline_the_fallbacks_are_taken_once(suite, desk, kind):
    rules = {"rules": [{**rule, "deadline": "1s"} for rule in ASK["rules"]]}
    await put_rules(suite, kind, rules)
    watcher = await desk.connect(desk.user + "-cy", "read")
    await watcher.subscribe(space=desk.space)
    desk.ada = await desk.connect(desk.user + "-ada")
    desk.bo = await desk.connect(desk.user + "-bo")
    answer = await desk.open()
    closed = await watcher.push("conflict_closed", timeout=20)
    assert closed["conflict_id"] == answer["conflict_id"] and closed["status"] == "expired"
    assert "closed_by" not in closed and closed["closed_at"] >= closed["deadline"]
    main = await desk.main()
    assert main["data"] == {"title": "theirs", "body": "ours", "n": 7}
    assert main["version_id"] == closed["version_id"] and not main["has_conflict"]
    late = await desk.resolve(desk.ada, answer["conflict_id"], choice="ours")
    assert late["error"]["code"] == "precondition_failed"
    assert late["conflict"]["status"] == "expired"
    await desk.close()


async def test_a_change_is_given_up_by_its_author(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    answer = await desk.open()
    ada = token(desk.user + "-ada", {desk.space: "write"})
    bo = token(desk.user + "-bo", {desk.space: "write"})
    with pytest.raises(RuntimeError, match="forbidden"):
        await command(suite, "conflicts", "cancel", answer["conflict_id"], "--token", ada)
    await command(suite, "conflicts", "cancel", answer["conflict_id"], "--token", bo)
    assert (await desk.conflict(answer["conflict_id"]))["status"] == "cancelled"
    main = await desk.main()
    assert main["version_id"] == desk.theirs["version_id"] and not main["has_conflict"]
    refused = await desk.resolve(desk.ada, answer["conflict_id"], choice="ours")
    assert refused["error"]["code"] == "precondition_failed"
    await desk.close()


async def test_a_decision_is_taken_back_and_later_writes_stay(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    conflict_id = (await desk.open())["conflict_id"]
    assert (await desk.resolve(desk.ada, conflict_id, choice="ours"))["success"]
    await desk.ada.write("patch", kind, "n1", space=desk.space, patch={"later": True})
    bo = token(desk.user + "-bo", {desk.space: "write"})
    undo = ("conflicts", "undo", conflict_id, "--space", desk.space, "--json", "--token")
    undone = json.loads(await command(suite, *undo, bo))
    main = await desk.main()
    assert main["version_id"] == undone["version_id"]
    assert main["data"]["title"] == "theirs" and main["data"]["later"] is True
    again = json.loads(await command(suite, *undo, bo))  # A repeated request, one answer.
    assert again["version_id"] == undone["version_id"]
    ada = token(desk.user + "-ada", {desk.space: "write"})
    with pytest.raises(RuntimeError, match="precondition_failed"):
        await command(suite, *undo, ada)
    assert (await desk.main())["version_id"] == undone["version_id"]
    await desk.close()


async def test_two_types_in_one_batch_are_merged_by_their_own_rules(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    counted = kind + "-counted"
    await put_rules(suite, counted, {"rules": [{"path": "$.n", "rule": "counter"}]})
    ada = desk.ada = await desk.connect(desk.user + "-ada")
    bo = await desk.connect(desk.user + "-bo")
    bases = {}
    for one in (kind, counted):
        made = await ada.write("create", one, "e", space=desk.space, data=BASE)
        bases[one] = made["version_id"]
        await ada.write("update", one, "e", space=desk.space, base_version=bases[one],
                        data={**BASE, "title": "theirs", "n": 2})
    answer = await bo.request("sync_batch", operations=[
        {"operation": "update", "entity_type": one, "entity_id": "e", "space": desk.space,
         "base_version": bases[one], "op_id": str(uuid.uuid4()),
         "data": {**BASE, "title": "ours", "n": 3}} for one in (kind, counted)])
    asked, merged = answer["results"]
    assert asked["status"] == "conflict" and merged["status"] == "merged", answer
    assert merged["data"] == {"title": "ours", "body": "base", "n": 5}
    assert (await ada.get(kind, "e", space=desk.space))["data"]["n"] == 2
    await desk.close()


async def test_rules_change_while_clients_work(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    await desk.open("n1")
    shown = json.loads(await command(suite, "rules", "show", kind, "--token", admin(), "--json"))
    assert shown["rules"] == ASK and shown["version"] == 1 and shown["author"] == "root"
    await command(suite, "rules", "remove", kind, "--token", admin())
    base = await desk.ada.write("create", kind, "n2", space=desk.space, data=BASE)
    await desk.ada.write("patch", kind, "n2", space=desk.space, patch={"title": "theirs"},
                         base_version=base["version_id"])
    merged = await desk.bo.write("patch", kind, "n2", space=desk.space, patch={"title": "ours"},
                                 base_version=base["version_id"])
    assert merged["status"] == "merged"
    with pytest.raises(RuntimeError, match="forbidden"):
        await command(suite, "rules", "list", user=desk.user)
    await desk.close()


async def test_the_command_line_decides_many_at_once(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    opened = {(await desk.open(f"n{i}"))["conflict_id"] for i in range(3)}
    bo = ("--space", desk.space, "--token", token(desk.user + "-bo", {desk.space: "write"}))
    lines = (await command(suite, "conflicts", *bo, "--json")).splitlines()
    assert {json.loads(line)["conflict_id"] for line in lines} == opened
    table = await command(suite, "conflicts", *bo)
    assert "DEADLINE" in table and all(one in table for one in opened)
    shown = await command(suite, "conflicts", "show", sorted(opened)[0], *bo)
    assert '"base"' in shown and '"theirs"' in shown and '"ours"' in shown
    done = (await command(suite, "resolve", "--all-of", kind, "--choice", "ours", *bo, "--json"))
    results = [json.loads(line) for line in done.splitlines()]
    assert {one["conflict_id"] for one in results} == opened
    assert all(one["status"] == "resolved" for one in results)
    for i in range(3):
        assert (await desk.main(f"n{i}"))["data"]["title"] == "ours"
    stats = await command(suite, "conflicts", "stats", "--by", "type", *bo, "--json")
    (group,) = [json.loads(line) for line in stats.splitlines()]
    assert group["key"] == kind and group["asked"] == 3 and group["resolved"] == 3
    await desk.close()


async def test_records_name_the_program_that_made_the_change(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    desk.ada = await desk.connect(desk.user + "-ada")
    bo = await Client.open(suite.url)
    desk.bo = bo
    desk.clients.append(bo)
    answer = await bo.request("authenticate", client={"name": "app", "version": "7.3"},
                              token=token(desk.user + "-bo", {desk.space: "write"}))
    assert answer["success"]
    conflict_id = (await desk.open())["conflict_id"]
    await desk.resolve(desk.ada, conflict_id, choice="ours")
    lines = await command(suite, "conflicts", "records", "--space", desk.space, "--json",
                          "--token", token(desk.user + "-ada", {desk.space: "read"}))
    records = [json.loads(line) for line in lines.splitlines()]
    assert any(one.get("conflict_id") == conflict_id for one in records), records
    stats = await command(suite, "conflicts", "stats", "--by", "version", "--space", desk.space,
                          "--json", "--token", token(desk.user + "-ada", {desk.space: "read"}))
    assert "7.3" in {json.loads(line)["key"] for line in stats.splitlines()}
    await desk.close()


async def test_protobuf_clients_take_part(suite, desk, kind):
    await put_rules(suite, kind, ASK)
    answer = await desk.open(factory=ProtoClient)
    await desk.ada.subscribe(space=desk.space)
    opened = await desk.ada.push("conflict_opened")
    assert opened["conflict_id"] == answer["conflict_id"]
    assert {place["path"] for place in opened["paths"]} == {"/title", "/body"}
    one = await desk.conflict(answer["conflict_id"])
    assert one["states"]["ours"]["data"]["n"] == 7
    done = await desk.resolve(desk.ada, answer["conflict_id"], choice="value",
                              value={"title": "decided"})
    assert done["success"] and done["status"] == "resolved"
    closed = await desk.ada.push("conflict_closed")
    assert closed["version_id"] == done["version_id"]
    assert (await desk.main())["data"] == {"title": "decided"}
    await desk.close()


async def test_rules_put_at_one_replica_hold_at_all(way, make_suite, user, kind):
    if way != "suite-postgres":
        pytest.skip("only there two conflict services share a database")
    suite = make_suite()
    suite.add_replica("conflict")
    suite.start()
    client = await Client.connect(suite.url, user)
    for rules, wanted in ((ASK, "conflict"), ({"rules": [], "else": "lww"}, "merged")):
        await put_rules(suite, kind, rules)
        deadline = asyncio.get_event_loop().time() + patience(10)
        while True:
            statuses = set()
            for _ in range(12):
                entity = uuid.uuid4().hex
                base = await client.write("create", kind, entity, data=BASE)
                for title in ("theirs", "ours"):
                    answer = await client.write("update", kind, entity, data={"title": title},
                                                base_version=base["version_id"])
                statuses.add(answer["status"])
            if statuses == {wanted}:
                break
            assert asyncio.get_event_loop().time() < deadline, statuses
    await client.close()
    suite.stop()


async def test_two_gateways_take_a_fallback_once(way, make_suite, user, kind):
    if not way.startswith("suite"):
        pytest.skip("one process has one gateway")
    suite = make_suite(env={"BDC_SYNC_GATEWAY_CONFLICT_CHECK_INTERVAL": "50ms",
                            "BDC_SYNC_GATEWAY_CONFLICT_CHECK_JITTER": "0ms"})
    suite.add_gateway()
    suite.start()
    desk = Desk(suite, user, kind)
    await put_rules(suite, kind, {"rules": [{"path": "$.title", "rule": "ask", "deadline": "1s",
                                             "fallback": "ours"}]})
    opened = [await desk.open(f"n{i}") for i in range(10)]
    watcher = await desk.connect(user + "-cy", "read")
    # From the first on: on a slow machine it may be over before the last is opened.
    await watcher.subscribe(space=desk.space, cursor=opened[0]["cursor"])
    for _ in opened:
        assert (await watcher.push("conflict_closed", timeout=20))["status"] == "expired"
    await asyncio.sleep(patience(0.5))
    assert not [m for m in watcher.pushes if m["type"] == "conflict_closed"]
    for i in range(10):
        history = await desk.ada.request("history", space=desk.space, entity_type=kind,
                                         entity_id=f"n{i}")
        assert len(history["versions"]) == 3
        assert (await desk.main(f"n{i}"))["data"]["title"] == "ours"
    await desk.close()
    suite.stop()
