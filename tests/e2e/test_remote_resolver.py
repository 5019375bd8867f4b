"""Rules that ask a program outside the suite: the sample of docs/resolvers, and one that is away,
slow or wrong."""

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import threading
import time

import pytest

from harness import resolver
from harness.client import Client, token
from harness.timing import patience


@pytest.fixture
def sample(tmp_path):
    program = resolver.SampleResolver(str(tmp_path)).start()
    yield program
    program.stop()


@pytest.mark.parametrize("ours,theirs,expected", [
    (b"12.50", b"11", b"11"),
    (b"9.99", b"1e1", b"9.99"),
    (b"10", b"10.00", b"10.00"),
    (b"123456789012345678901", b"123456789012345678902", b"123456789012345678901"),
    (b"-1", b"5", None),
    (b"5", b"", None),
    (b'"5"', b"5", None),
    (b"true", b"5", None),
])
def test_the_sample_takes_the_lower_price_and_declines_what_is_none(sample, ours, theirs, expected):
    places = [{"number": 7, "path": "/price", "kind": "edit_edit", "base": b"1", "theirs": theirs,
               "ours": ours}]
    answer, = resolver.ask(sample.address, places=places)
    assert (answer.number, answer.path) == (7, "/price")
    if expected is None:
        assert answer.WhichOneof("outcome") == "decline"
    else:
        assert answer.value == expected


RULES = {"product": {"rules": [
    {"path": "$.price", "rule": "remote", "resolver": "price", "else": "max"},
    {"path": "$.title", "rule": "ask"}]}}
BASE, THEIRS, OURS = 10, 20, 30
LOWER, ELSE = THEIRS, OURS  # What the sample answers, and what `max` does.
DEADLINE_S = min(patience(1), 4)  # Of a resolver that is meant to answer.
SHORT_DEADLINE_S = patience(0.2)
BREAKER_FAILURES = 2


def milliseconds(seconds):
    return f"{seconds * 1000:.0f}ms"


class Shop:
    """A suite whose prices are decided by a resolver."""

    def __init__(self, suite, client):
        self.suite, self.client = suite, client
        self.products = itertools.count(1)

    async def meet(self, theirs=THEIRS, ours=OURS):
        """The price after two changes of one product have met, and how long the second took."""
        name = f"p{next(self.products)}"
        write = self.client.write
        base = (await write("create", "product", name, data={"price": BASE}))["version_id"]
        await write("update", "product", name, data={"price": theirs}, base_version=base)
        began = time.monotonic()
        answer = await write("update", "product", name, data={"price": ours}, base_version=base)
        took = time.monotonic() - began
        assert answer["status"] == "merged", answer
        return answer.get("data", {"price": ours})["price"], took  # Left out when as sent.

    async def price(self, **values):
        return (await self.meet(**values))[0]

    def places(self):
        """How many places the resolver was asked about, by outcome."""
        return self._process.metric_by("bdcsync_conflict_resolver_places_total", "outcome")

    def breaker(self):
        return self._process.metric("bdcsync_conflict_resolver_breaker_state")

    @property
    def _process(self):
        return self.suite.processes["serve" if self.suite.one_process else "conflict"]


@pytest.fixture
def open_shop(new_suite, tmp_path, user):
    """Starts a suite that asks the resolver at an address."""
    def start(address, **settings):
        rules = tmp_path / "rules.yaml"
        rules.write_text(json.dumps(RULES))
        env = {"RULES_FILE": str(rules), "RESOLVERS": "price=" + address,
               "RESOLVER_DEADLINE": milliseconds(DEADLINE_S),
               "RESOLVER_BREAKER_FAILURES_MAX": str(BREAKER_FAILURES),
               "RESOLVER_BREAKER_WAIT": "50ms", "RESOLVER_BREAKER_WAIT_MAX": "100ms", **settings}
        return new_suite(env={"BDC_SYNC_CONFLICT_" + name: value for name, value in env.items()})

    @contextlib.asynccontextmanager
    async def shop(address, **settings):
        suite = start(address, **settings)
        client = await Client.connect(suite.url, user, device_id="till")
        yield Shop(suite, client)
        await client.close()

    return shop


@pytest.fixture
def own():
    """A resolver inside the test, which takes the lower price until the test says otherwise."""
    made = resolver.TestResolver(lambda request: resolver.everywhere(request, value=b"20"))
    yield made
    made.stop()


def cli(suite, *words, stdin=""):
    """What the command line answers, as JSON."""
    answer = subprocess.run(
        [os.path.join(suite.bin_dir, "bdc-sync"), *words, "--json", "--address",
         f"127.0.0.1:{suite.grpc_port}", "--token", token("root", admin=True)],
        input=stdin, capture_output=True, text=True, timeout=patience(30), check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return json.loads(answer.stdout)


async def eventually(check, seconds=20):
    deadline = time.monotonic() + patience(seconds)
    while not await check():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_the_sample_decides_and_what_it_declines_the_else_decides(open_shop, sample):
    async with open_shop(sample.address) as shop:
        assert await shop.price() == LOWER
        assert await shop.price(theirs=5, ours=-1) == 5
        assert shop.places() == {"answered": 1, "declined": 1}


async def test_without_the_resolver_the_else_decides_until_it_is_back(open_shop, sample):
    async with open_shop(sample.address) as shop:
        assert await shop.price() == LOWER
        sample.stop()
        for _ in range(BREAKER_FAILURES):
            assert await shop.price() == ELSE
        assert shop.places() == {"answered": 1, "unavailable": BREAKER_FAILURES}

        async def asks_nobody():
            assert await shop.price() == ELSE
            return "breaker_open" in shop.places()
        await eventually(asks_nobody)
        sample.start()

        async def decides_again():
            return await shop.price() == LOWER
        await eventually(decides_again)
        assert shop.breaker() == 0


async def test_the_resolver_is_told_the_place_and_who_changed_it(open_shop, own, user):
    async with open_shop(own.address) as shop:
        assert await shop.price() == LOWER
        request, = own.requests
        assert request.resolver == "price"
        meeting, = request.meetings
        assert (meeting.entity_type, meeting.entity_id) == ("product", "p1")
        assert not meeting.with_documents and meeting.ours.document == b""
        assert meeting.ours.user_id == user and meeting.ours.device_id == "till"
        assert meeting.theirs.user_id == user and meeting.theirs.time_ms > 0
        assert meeting.base.version_id and meeting.theirs.version_id
        place, = meeting.places
        assert (place.path, place.kind, place.base, place.theirs, place.ours) == (
            "/price", "edit_edit", b"10", b"20", b"30")


async def test_documents_go_only_where_the_operator_says(open_shop, own):
    async with open_shop(own.address, RESOLVER_DOCUMENTS="price=100") as shop:
        assert await shop.price() == LOWER
        meeting, = own.requests[0].meetings
        assert meeting.with_documents
        assert json.loads(meeting.ours.document) == {"price": OURS}


async def test_a_slow_resolver_costs_its_deadline_until_the_breaker_opens(open_shop, own):
    async with open_shop(own.address, RESOLVER_DEADLINE=milliseconds(SHORT_DEADLINE_S)) as shop:
        quick, go = own.answer, threading.Event()

        def slow(request):
            go.wait(patience(60))
            return quick(request)
        own.answer = slow
        try:
            for _ in range(BREAKER_FAILURES):
                price, took = await shop.meet()
                assert price == ELSE
                assert took >= SHORT_DEADLINE_S * 0.9
            assert shop.places() == {"deadline": BREAKER_FAILURES}
            assert shop.breaker() == 2
            assert await shop.price() == ELSE
        finally:
            own.answer = quick
            go.set()

        async def decides_again():
            return await shop.price() == LOWER
        await eventually(decides_again)
        assert shop.breaker() == 0


@pytest.mark.parametrize("outcome,answer", [
    ("invalid_answer", {"value": b"1", "path": "/stock"}),
    ("invalid_answer", {"value": b"1", "number": 99}),
    ("invalid_answer", {"value": b"one"}),
    ("invalid_answer", {}),
    ("answer_too_large", {"value": b'"' + b"x" * (256 << 10) + b'"'}),
    ("answer_too_large", {"value": b"[" * 65 + b"]" * 65}),
    ("resolver_error", {"error": {}}),
])
async def test_an_answer_that_breaks_the_contract_is_refused(open_shop, own, outcome, answer):
    async with open_shop(own.address) as shop:
        own.answer, good = (lambda request: resolver.everywhere(request, **answer)), own.answer
        assert await shop.price() == ELSE
        assert shop.places() == {outcome: 1}
        own.answer = good
        assert await shop.price() == LOWER


async def test_a_call_that_fails_is_decided_by_the_else(open_shop, own):
    async with open_shop(own.address) as shop:
        def broken(request):
            raise RuntimeError("a bug in the resolver")
        own.answer, good = broken, own.answer
        assert await shop.price() == ELSE
        assert shop.places() == {"call_failed": 1}
        own.answer = good
        assert await shop.price() == LOWER


async def test_a_conflict_is_shown_and_decided_as_the_resolver_says(open_shop, own):
    async with open_shop(own.address) as shop:
        write, request = shop.client.write, shop.client.request
        base = (await write("create", "product", "p", data={"price": BASE, "title": "a"}))
        base = base["version_id"]
        await write("update", "product", "p", data={"price": THEIRS, "title": "b"},
                    base_version=base)
        answer = await write("update", "product", "p", data={"price": OURS, "title": "c"},
                             base_version=base)
        assert answer["status"] == "conflict", answer
        conflict = {"conflict_id": answer["conflict_id"]}
        ours = {"choice": "ours"}
        own.answer, good = (lambda r: resolver.everywhere(r, value=b"25")), own.answer
        shown = await request("conflicts", **conflict, choices=[ours])
        states = shown["conflicts"][0]["states"]
        assert states["preview"]["data"] == {"price": 25, "title": "c"}
        assert states["proposed"]["data"] == {"price": 25, "title": "c"}
        assert "notes" not in states
        own.answer = lambda r: resolver.everywhere(r, decline={})
        states = (await request("conflicts", **conflict))["conflicts"][0]["states"]
        assert states["proposed"]["data"] == {"price": OURS, "title": "c"}
        assert states["notes"] == [{"path": "/price", "note": "remote price: declined"}]
        own.answer = good
        decided = await request("resolve_conflict", **conflict, **ours)
        assert decided["status"] == "resolved", decided
        assert (await shop.client.get("product", "p"))["data"] == {"price": 20, "title": "c"}
        asked = {place.path for r in own.requests for m in r.meetings for place in m.places}
        assert asked == {"/price"}


async def test_a_dry_run_asks_the_resolver_and_says_where_the_else_stands_in(open_shop, own, user):
    space = f"user:{user}"
    async with open_shop(own.address) as shop:
        assert await shop.price() == LOWER
        rules = json.dumps(RULES["product"])
        own.answer = lambda r: resolver.everywhere(r, value=b"25")
        report = cli(shop.suite, "rules", "try", "product", "-", "--space", space, stdin=rules)
        assert (report["records"], report["changed"], report["remote"]) == (1, 1, 1)
        change, = report["changes"]
        assert change["tried"]["rule"] == "remote" and change["tried"]["result"] == 25
        assert "note" not in change
        own.answer = lambda r: resolver.everywhere(r, decline={})
        report = cli(shop.suite, "rules", "try", "product", "-", "--space", space, stdin=rules)
        change, = report["changes"]
        assert (report["stood_in"], change["note"]) == (1, "remote price: declined")
        assert change["tried"]["rule"] == "max"
        assert report["records"] == 1
