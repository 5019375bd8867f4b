"""Every limit of a gateway, at its edge and one beyond, with the metric that tells of it."""

import asyncio
import re

import pytest
import websockets

from harness.client import Client, token

LIMITS = {
    "BDC_SYNC_WS_MAX_MESSAGE_SIZE": "4KiB",
    "BDC_SYNC_LIMITS_JSON_DEPTH": "8",
    "BDC_SYNC_LIMITS_OPERATIONS_PER_S": "1",
    "BDC_SYNC_LIMITS_OPERATIONS_BURST": "5",
    "BDC_SYNC_LIMITS_SESSIONS_PER_USER": "2",
    "BDC_SYNC_LIMITS_SUBSCRIPTIONS_PER_SESSION": "2",
    "BDC_SYNC_LIMITS_LIST_BYTES_MAX": "4KiB",
    "BDC_SYNC_SECURITY_AUTHENTICATE_TIMEOUT": "500ms",
    "BDC_SYNC_SECURITY_ALLOWED_ORIGINS": "https://app.example.org",
}
MESSAGE_BYTES_MAX = 4096
LIST_BYTES_MAX = 4096


@pytest.fixture(scope="module")
def limited(make_suite):
    suite = make_suite(env=LIMITS).start()
    yield suite
    suite.stop()


def metric(suite, name, **labels):
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    pattern = re.escape(name + ("{" + inner + "}" if inner else "")) + r" ([0-9.e+]+)"
    found = re.search("^" + pattern + "$", suite.gateway.get("/metrics")[1], re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def ping_of(size):
    frame = '{"type":"ping","id":1,"x":""}'
    return frame[:-2] + "a" * (size - len(frame)) + '"}'


async def test_message_size(limited, user):
    client = await Client.connect(limited.url, user)
    before = metric(limited, "bdcsync_gateway_closes_total", code="1009")
    await client.send(ping_of(MESSAGE_BYTES_MAX))
    assert (await client.push("pong"))["success"]
    await client.send(ping_of(MESSAGE_BYTES_MAX + 1))
    assert await client.closed() == 1009
    assert metric(limited, "bdcsync_gateway_closes_total", code="1009") == before + 1


async def test_json_depth(limited, user):
    client = await Client.connect(limited.url, user)
    before = metric(limited, "bdcsync_gateway_errors_total", code="too_deep")
    await client.send('{"type":"ping","x":' + "[" * 7 + "]" * 7 + "}")
    assert (await client.push("pong"))["success"]
    await client.send('{"type":"ping","x":' + "[" * 8 + "]" * 8 + "}")
    assert (await client.push("error"))["error"]["code"] == "too_deep"
    assert metric(limited, "bdcsync_gateway_errors_total", code="too_deep") == before + 1
    await client.close()


async def test_operations_per_second_of_a_device(limited, user):
    client = await Client.connect(limited.url, user, device_id="a")
    other = await Client.connect(limited.url, user, device_id="b")
    before = metric(limited, "bdcsync_gateway_rate_limited_total")
    answers = await asyncio.gather(*[client.write("update", "n", f"e{i}", data=i)
                                     for i in range(7)])
    refused = [answer for answer in answers if not answer["success"]]
    assert len(answers) - len(refused) in (5, 6)  # One more may come in while they are sent.
    for answer in refused:
        assert answer["error"]["code"] == "rate_limited"
        assert answer["error"]["retryable"] and answer["error"]["retry_after_ms"] > 0
    assert metric(limited, "bdcsync_gateway_rate_limited_total") == before + len(refused)
    assert (await other.write("update", "n", "x", data=1))["success"], "another device's bucket"
    await client.close()
    await other.close()


async def test_sessions_of_a_user(limited, user):
    first = await Client.connect(limited.url, user, device_id="1")
    second = await Client.connect(limited.url, user, device_id="2")
    before = metric(limited, "bdcsync_gateway_errors_total", code="quota_exceeded")
    third = await Client.open(limited.url)
    answer = await third.request("authenticate", token=token(user), device_id="3")
    assert not answer["success"] and answer["error"]["code"] == "quota_exceeded"
    assert metric(limited, "bdcsync_gateway_errors_total", code="quota_exceeded") == before + 1
    for client in (first, second, third):
        await client.close()


async def test_subscriptions_of_a_session(limited, user):
    client = await Client.connect(limited.url, user)
    before = metric(limited, "bdcsync_gateway_errors_total", code="quota_exceeded")
    await client.subscribe()
    second = await client.subscribe()
    answer = await client.request("subscribe", mode="changes", payload="data")
    assert not answer["success"] and answer["error"]["code"] == "quota_exceeded"
    assert metric(limited, "bdcsync_gateway_errors_total", code="quota_exceeded") == before + 1
    await client.request("unsubscribe", subscription_id=second["subscription_id"])
    await client.subscribe()
    await client.close()


async def test_bytes_of_a_list(limited, user):
    client = await Client.connect(limited.url, user)
    before = metric(limited, "bdcsync_gateway_lists_cut_total", cause="bytes")
    half = LIST_BYTES_MAX // 2
    for entity, size in (("a", half), ("b", half)):
        written = await client.write("create", "n", entity, data="x" * (size - len('""')))
        assert written["success"], written
    answer = await client.request("list")
    assert [e["entity_id"] for e in answer["entities"]] == ["a", "b"]
    assert "next_page_token" not in answer
    assert metric(limited, "bdcsync_gateway_lists_cut_total", cause="bytes") == before
    await client.write("update", "n", "b", data="x" * (half + 1 - len('""')))
    first = await client.request("list")
    assert [e["entity_id"] for e in first["entities"]] == ["a"]
    second = await client.request("list", page_token=first["next_page_token"])
    assert [e["entity_id"] for e in second["entities"]] == ["b"]
    assert "next_page_token" not in second
    assert metric(limited, "bdcsync_gateway_lists_cut_total", cause="bytes") == before + 1
    await client.close()


async def test_time_without_authentication(limited):
    before = metric(limited, "bdcsync_gateway_closes_total", code="4401")
    client = await Client.open(limited.url)
    assert await client.closed() == 4401
    assert metric(limited, "bdcsync_gateway_closes_total", code="4401") == before + 1


async def test_origin(limited, user):
    before = metric(limited, "bdcsync_gateway_handshakes_refused_total", reason="origin")
    with pytest.raises(websockets.exceptions.InvalidStatusCode) as refused:
        await Client.open(limited.url, origin="https://evil.example.org")
    assert refused.value.status_code == 403
    after = metric(limited, "bdcsync_gateway_handshakes_refused_total", reason="origin")
    assert after == before + 1
    for options in ({"origin": "https://app.example.org"}, {}):
        client = await Client.connect(limited.url, user, **options)
        await client.close()
