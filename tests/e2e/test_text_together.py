"""Texts that several edit at once, each with one operation in flight and the rest composed:
whatever happens to the connections, all end with one text."""

import asyncio
import random

from harness import text_ot as ot
from harness.client import Client
from harness.text_client import TextClient

ALPHABET = ["a", "b", " ", "\r\n", "\0", "é", "é", "\U0001f600", "\U0001f468‍\U0001f469",
            "\U0001f1e9\U0001f1ea"]
FORMATS = [{}, {}, {}, {"bold": True}, {"color": "red"}, {"color": "blue"}]


async def text_of(suite, user, value):
    """An entity with a text, and how text clients find it."""
    space = "team-" + user
    client = await Client.connect(suite.url, user, spaces={space: "write"})
    created = await client.write("create", "note", "n", space=space, data={"text": value})
    assert created["success"], created
    return client, (space, ("note", "n"))


async def text_clients(suite, user, where, count, urls=None):
    clients = []
    urls = urls or [suite.url]
    for i in range(count):
        clients.append(TextClient(urls[i % len(urls)], f"{user}-{i}", *where))
        await clients[-1].connect()
    for client in clients:
        await client.until(lambda client=client: client.version is not None)
    return clients


def random_ops(rng, content, rich):
    """Operations on a text that cut no character."""
    places = [i for i in range(len(content) + 1)
              if i == 0 or not (isinstance(content[i - 1][0], str)
                                and "\ud800" <= content[i - 1][0] <= "\udbff")]
    begin = rng.choice(places)
    end = rng.choice([place for place in places if begin <= place <= begin + 6])
    out = ot.Ops()
    out.retain(begin, {})
    kind = rng.random()
    if kind < 0.6 or begin == end:
        formats = rng.choice(FORMATS) if rich else {}
        out.insert(ot.units("".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, 3)))),
                   formats)
    if kind > 0.5:
        if rich and rng.random() < 0.5:
            out.retain(end - begin, rng.choice([{"bold": None}, {"color": "red"}, {"bold": True}]))
        else:
            out.delete(end - begin)
    return out.ops()


async def settle(clients, revision=0):
    """Waits until all have everything of theirs, and at least what `revision` is of others'."""
    for client in clients:
        await client.until(lambda client=client: client.settled)
    newest = max([revision] + [int(client.version.split("-")[0]) for client in clients])
    for client in clients:
        await client.until(lambda client=client: int(client.version.split("-")[0]) == newest)


async def type_at_random(rng, client, edits, rich, drops):
    """Types, while the connection breaks now and then at any point of an exchange."""
    breaks = set(rng.sample(range(1, edits), drops))
    for number in range(edits):
        if number in breaks:
            client.drop()
            for _ in range(rng.randint(0, 3)):  # Offline, what is typed waits.
                client.keep(random_ops(rng, client.view(), rich), apart=rng.random() < 0.3)
            await client.connect()
        await client.type(random_ops(rng, client.view(), rich), apart=rng.random() < 0.3)
        if rng.random() < 0.5:
            await asyncio.sleep(rng.random() * 0.003)  # People pause; the network goes on.


async def converge(suite, user, value, seed, urls=None, count=4, edits=60, others=False):
    rng = random.Random(seed)
    print("seed:", seed)
    reader, where = await text_of(suite, user, value)
    clients = await text_clients(suite, user, where, count, urls)
    rich = isinstance(value, list)
    work = [type_at_random(random.Random(rng.random()), client, edits, rich, drops=3)
            for client in clients]
    if others:
        work.append(patch_and_replace(reader, where, edits // 4, rng))
    await asyncio.gather(*work)
    head = (await reader.get("note", "n", space=where[0]))["version_id"]
    await settle(clients, int(head.split("-")[0]))
    held = (await reader.get("note", "n", space=where[0]))["data"]["text"]
    for client in clients:
        assert client.view() == ot.document(held)
    for client in clients + [reader]:
        await client.close()
    return clients


async def patch_and_replace(client, where, count, rng):
    """Changes of other kinds beside the text, and of the text."""
    for number in range(count):
        if number % 3 == 2:
            text = (await client.get("note", "n", space=where[0]))["data"]["text"]
            answer = await client.write("patch", "note", "n", space=where[0],
                                        patch={"text": text + "\nreplaced"})
        else:
            answer = await client.write("patch", "note", "n", space=where[0],
                                        patch={"n": rng.random()})
        assert answer["success"], answer
        await asyncio.sleep(0.002)


async def test_clients_that_lose_their_connections_converge(suite, user):
    await converge(suite, user, "start", random.randrange(1 << 30))


async def test_rich_texts_converge(suite, user):
    await converge(suite, user, [{"insert": "start"}], random.randrange(1 << 30))


async def test_they_converge_though_others_replace_the_text(suite, user):
    await converge(suite, user, "start", random.randrange(1 << 30), others=True)


async def test_clients_of_two_gateways_converge(way, make_suite, user):
    suite = make_suite()
    urls = [suite.url] if way.startswith("serve") else [suite.url, suite.add_gateway()]
    suite.start()
    await converge(suite, user, "start", random.randrange(1 << 30), urls=urls)
    suite.stop()


async def test_a_base_beyond_the_limit_converges_too(make_suite, user):
    suite = make_suite(env={"BDC_SYNC_VERSION_TEXT_DISTANCE_MAX": "2"}).start()
    clients = await converge(suite, user, "start", random.randrange(1 << 30), count=6)
    assert sum(client.events for client in clients) > 0
    suite.stop()


async def test_one_takes_back_what_is_its_own(suite, user):
    reader, where = await text_of(suite, user, "one two three")
    a, b = await text_clients(suite, user, where, 2)
    removed = [{"retain": 4}, {"delete": 4}]
    inverse = ot.invert(removed, a.view())
    await a.type(removed)
    await settle([a, b])
    later = [{"insert": "zero "}, {"retain": 9}, {"insert": "!"}]
    await b.type(later)
    await settle([a, b])
    await a.type(ot.transform(later, inverse, True))
    await settle([a, b])
    assert a.text() == b.text() == "zero one two three!"
    for client in (a, b, reader):
        await client.close()


async def test_nobody_starves_on_a_hot_text_and_each_keeps_its_order(suite, user):
    reader, where = await text_of(suite, user, "")
    space = where[0]
    writers, count = 8, 60

    async def flood(name):
        client = await Client.connect(suite.url, user + name, spaces={space: "write"})
        answers = await asyncio.gather(*[
            client.write("text", "note", "n", space=space, op_id=f"{user}-{name}-{i:03}",
                         text={"path": "/text", "ops": [{"insert": name}]}) for i in range(count)])
        await client.close()
        assert all(answer["status"] == "applied" for answer in answers)
        return [answer["revision"] for answer in answers]

    revisions = await asyncio.gather(*[flood(chr(ord("a") + i)) for i in range(writers)])
    for own in revisions:
        assert own == sorted(own)
    assert sorted(sum(revisions, [])) == list(range(2, 2 + writers * count))
    text = (await reader.get("note", "n", space=space))["data"]["text"]
    assert sorted(text) == sorted("".join(chr(ord("a") + i) * count for i in range(writers)))
    await reader.close()
