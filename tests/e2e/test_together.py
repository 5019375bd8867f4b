"""protocol.md, "Together": presence and broadcast."""

import pytest

from harness.client import Client
from harness.slow_proxy import SlowProxy

LIVE_BYTES_MAX = 16 << 10
SPACES_MAX = 32


def told_of(client):
    return [message for message in client.pushes if message["type"] in ("presence", "broadcast")]


async def refusal(client, **message):
    """Why a presence, which has no other answer, was refused."""
    return (await client.request("presence", **message))["error"]["code"]


async def pair(suite, user):
    space = "team-" + user
    spaces = {space: "write"}
    a = await Client.connect(suite.url, user + "-a", device_id="da", spaces=spaces)
    b = await Client.connect(suite.url, user + "-b", device_id="db", spaces=spaces)
    for client in (a, b):
        await client.subscribe(space=space)
        await client.push("changes", where=lambda m: m["caught_up"])
    return space, a, b


async def test_presence_is_told_and_ends_with_the_session(suite, user):
    space, a, b = await pair(suite, user)
    await a.send({"type": "presence", "space": space, "state": {"cursor": 5}})
    told = await b.push("presence")
    assert told["space"] == space and told["state"] == {"cursor": 5}
    assert told["user_id"] == user + "-a" and told["device_id"] == "da"
    await a.close()
    gone = await b.push("presence")
    assert gone["state"] is None and gone["device_id"] == "da"
    await b.close()


async def test_a_newcomer_learns_who_is_there(suite, user):
    space, a, b = await pair(suite, user)
    await a.send({"type": "presence", "space": space, "state": {"here": True}})
    await b.push("presence")
    c = await Client.connect(suite.url, user + "-c", spaces={space: "read"})
    await c.subscribe(space=space)
    told = await c.push("presence")
    assert told["state"] == {"here": True} and told["device_id"] == "da"
    for client in (a, b, c):
        await client.close()


async def test_who_is_present_is_told_of_the_others_without_a_subscription(suite, user):
    space = "team-" + user
    a = await Client.connect(suite.url, user, device_id="da", spaces={space: "write"})
    b = await Client.connect(suite.url, user, device_id="db", spaces={space: "write"})
    await a.send({"type": "presence", "space": space, "state": {"n": 1}})
    await b.send({"type": "presence", "space": space, "state": {"n": 2}})
    assert (await a.push("presence", where=lambda m: m["device_id"] == "db"))["state"] == {"n": 2}
    assert (await b.push("presence", where=lambda m: m["device_id"] == "da"))["state"] == {"n": 1}
    await a.request("broadcast", space=space, topic="t", payload=1)
    assert (await b.push("broadcast"))["payload"] == 1
    await b.send({"type": "presence", "space": space, "state": None})
    assert (await a.push("presence", where=lambda m: m["device_id"] == "db"))["state"] is None
    await a.request("broadcast", space=space, topic="t", payload=2)
    await b.request("ping")
    assert not [m for m in b.pushes if m["type"] == "broadcast"]
    await a.close()
    await b.close()


async def test_broadcast_reaches_the_others_only(suite, user):
    space, a, b = await pair(suite, user)
    answer = await a.request("broadcast", space=space, topic="hello", payload={"x": 1})
    assert answer["type"] == "broadcast_sent" and answer["success"]
    told = await b.push("broadcast")
    assert told["topic"] == "hello" and told["payload"] == {"x": 1}
    assert told["user_id"] == user + "-a" and told["device_id"] == "da" and told["space"] == space
    await a.request("ping")
    assert not [m for m in a.pushes if m["type"] == "broadcast"]
    refused = await a.request("broadcast", space="elsewhere", topic="t", payload=1)
    assert refused["success"] is False and refused["error"]["code"] in ("forbidden", "not_found")
    await a.close()
    await b.close()


@pytest.fixture
def slow_bus(way, request, new_suite):
    """Starts a suite whose bus lets subscribers in after 0.2 s."""
    if not way.startswith("suite"):
        pytest.skip("in one process the bus lets subscribers in at once")
    proxy = SlowProxy(request.getfixturevalue("redis").port, b"SUBSCRIBE", 0.2)
    suites = []

    def start(**env):
        env = {"BDC_SYNC_" + name: value for name, value in env.items()}
        suites.append(new_suite(
            env={"BDC_SYNC_BUS_URL": f"redis://127.0.0.1:{proxy.port}", **env}))
        return suites[-1]
    yield start
    for suite in suites:
        suite.stop()
    proxy.close()


UNCONFIRMED = "bdcsync_gateway_live_ready_unconfirmed_total"


async def test_whoever_is_answered_subscribed_hears_every_broadcast(slow_bus, user):
    suite = slow_bus(LIVE_READY_WAIT_MAX="30s")
    for i in range(3):
        space, a, b = await pair(suite, f"{user}-{i}")
        assert (await a.request("broadcast", space=space, topic="t", payload=i))["success"]
        assert (await b.push("broadcast"))["payload"] == i
        await a.close()
        await b.close()
    assert suite.processes["gateway"].metric(UNCONFIRMED) == 0


async def test_a_bus_that_lets_nobody_in_delays_no_subscription_for_long(slow_bus, user):
    suite = slow_bus(LIVE_READY_WAIT_MAX="0s")
    _, a, b = await pair(suite, user)
    assert suite.processes["gateway"].metric(UNCONFIRMED) >= 1
    await a.close()
    await b.close()


async def test_who_neither_subscribes_nor_is_present_is_told_nothing(suite, user):
    space, a, b = await pair(suite, user)
    bystander = await Client.connect(suite.url, user + "-c", spaces={space: "write"})
    await bystander.subscribe()  # To a space of its own.
    await a.send({"type": "presence", "space": space, "state": {"n": 1}})
    await a.request("broadcast", space=space, topic="t", payload=1)
    for kind in ("presence", "broadcast"):
        await b.push(kind)
    # Who may broadcast need be neither.
    assert (await bystander.request("broadcast", space=space, topic="t", payload=2))["success"]
    assert (await b.push("broadcast"))["payload"] == 2
    assert not told_of(bystander)
    for client in (a, b, bystander):
        await client.close()


async def test_a_state_is_told_to_its_own_session_too_and_a_broadcast_is_not(suite, user):
    space, a, b = await pair(suite, user)
    await a.send({"type": "presence", "space": space, "state": {"n": 1}})
    told = await a.push("presence")
    assert told["device_id"] == "da" and told["state"] == {"n": 1}
    # Another session of the same user is one of the others.
    twin = await Client.connect(suite.url, user + "-a", device_id="dc", spaces={space: "write"})
    await twin.subscribe(space=space)
    assert (await twin.push("presence"))["device_id"] == "da"
    await a.request("broadcast", space=space, topic="t", payload=1)
    assert (await twin.push("broadcast"))["payload"] == 1
    await a.request("ping")
    assert not told_of(a)
    for client in (a, b, twin):
        await client.close()


async def test_a_broadcast_is_not_kept_for_those_who_come_later(suite, user):
    space, a, b = await pair(suite, user)
    await a.request("broadcast", space=space, topic="t", payload=1)
    await b.push("broadcast")
    c = await Client.connect(suite.url, user + "-c", spaces={space: "read"})
    await c.subscribe(space=space)
    await c.push("changes", where=lambda m: m["caught_up"])
    await a.request("broadcast", space=space, topic="t", payload=2)
    assert (await c.push("broadcast"))["payload"] == 2
    assert not told_of(c)
    for client in (a, b, c):
        await client.close()


async def test_who_unsubscribes_is_told_no_more_unless_he_is_present(suite, user):
    space, a, b = await pair(suite, user)
    c = await Client.connect(suite.url, user + "-c", device_id="dc", spaces={space: "write"})
    subscription = (await c.subscribe(space=space))["subscription_id"]
    await c.send({"type": "presence", "space": space, "state": {"n": 3}})
    await c.push("presence")
    await c.request("unsubscribe", subscription_id=subscription)
    await a.request("broadcast", space=space, topic="t", payload=1)
    assert (await c.push("broadcast"))["payload"] == 1
    await c.send({"type": "presence", "space": space, "state": None})
    await c.request("ping")
    await a.request("broadcast", space=space, topic="t", payload=2)
    await b.push("broadcast", where=lambda m: m["payload"] == 2)
    await c.request("ping")
    assert not told_of(c)
    for client in (a, b, c):
        await client.close()


async def test_who_may_only_read_is_present_and_told_and_may_not_broadcast(suite, user):
    space, a, b = await pair(suite, user)
    reader = await Client.connect(suite.url, user + "-r", device_id="dr", spaces={space: "read"})
    await reader.send({"type": "presence", "space": space, "state": {"reads": True}})
    assert (await b.push("presence"))["device_id"] == "dr"
    await a.request("broadcast", space=space, topic="t", payload=1)
    assert (await reader.push("broadcast"))["payload"] == 1
    refused = await reader.request("broadcast", space=space, topic="t", payload=2)
    assert refused["type"] == "error" and refused["error"]["code"] == "forbidden"
    outsider = await Client.connect(suite.url, user + "-o")
    assert await refusal(outsider, space=space, state={}) == "forbidden"
    for client in (a, b, reader, outsider):
        await client.close()


@pytest.mark.parametrize("state", [5, "here", [1], True])
async def test_a_state_is_an_object(suite, user, state):
    client = await Client.connect(suite.url, user)
    assert await refusal(client, state=state) == "invalid_argument"
    await client.close()


async def test_states_and_payloads_have_at_most_16_kib(suite, user):
    a, b = [await Client.connect(suite.url, user, device_id=name) for name in "ab"]
    await b.subscribe()
    await b.push("changes", where=lambda m: m["caught_up"])
    largest = {"s": "x" * (LIVE_BYTES_MAX - len('{"s":""}'))}
    await a.send({"type": "presence", "state": largest})
    assert (await b.push("presence"))["state"] == largest
    assert await refusal(a, state={"s": largest["s"] + "x"}) == "too_large"
    payload = "x" * (LIVE_BYTES_MAX - 2)
    assert (await a.request("broadcast", topic="t", payload=payload))["success"]
    assert (await b.push("broadcast"))["payload"] == payload
    refused = await a.request("broadcast", topic="t", payload=payload + "x")
    assert refused["error"]["code"] == "too_large"
    await a.request("ping")
    await b.request("ping")
    assert not told_of(b)
    for client in (a, b):
        await client.close()


async def test_a_session_is_present_in_at_most_32_spaces(suite, user):
    spaces = [f"team-{user}-{i}" for i in range(SPACES_MAX + 1)]
    client = await Client.connect(suite.url, user, spaces={space: "read" for space in spaces})
    for space in spaces[:SPACES_MAX]:
        await client.send({"type": "presence", "space": space, "state": {"n": 1}})
        await client.push("presence")
    assert await refusal(client, space=spaces[-1], state={"n": 1}) == "quota_exceeded"
    # One more state in a space where it is, and a place that became free, are no more.
    await client.send({"type": "presence", "space": spaces[0], "state": {"n": 2}})
    assert (await client.push("presence"))["state"] == {"n": 2}
    await client.send({"type": "presence", "space": spaces[0], "state": None})
    await client.send({"type": "presence", "space": spaces[-1], "state": {"n": 3}})
    assert (await client.push("presence"))["space"] == spaces[-1]
    await client.close()


async def test_suites_with_prefixes_of_their_own_share_a_redis(way, new_suite, user):
    """Without a prefix each would hear the other's: channels are named after spaces alone."""
    if not way.startswith("suite"):
        pytest.skip("one process has a bus of its own")
    one, two = [new_suite(env={"BDC_SYNC_BUS_CHANNEL_PREFIX": prefix}) for prefix in ("1:", "2:")]
    space, a, b = await pair(one, user)
    _, c, d = await pair(two, user)
    for name, sender, hearer in (("one", a, b), ("two", c, d)):
        sent = await sender.request("broadcast", space=space, topic="t", payload=name)
        assert sent["success"]
        assert (await hearer.push("broadcast"))["payload"] == name
    assert [message["payload"] for message in told_of(c) + told_of(d)] == []
    for client in (a, b, c, d):
        await client.close()
