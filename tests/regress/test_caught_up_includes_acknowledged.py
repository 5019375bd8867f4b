"""Found by the e2e tests on five processes: a subscription was told `caught_up` at what the bus had
brought to its gateway, before a write that had been acknowledged to somebody else. A reader that
asks after an acknowledgement must find the write before it is told that it is caught up.
"""

from harness.client import Client

ROUNDS = 40


async def test_what_was_acknowledged_before_a_subscription_comes_before_caught_up(suite, user):
    writer = await Client.connect(suite.url, user)
    reader = await Client.connect(suite.url, user)
    await reader.subscribe()
    _, message = await reader.events_until(lambda e, m: m["caught_up"])
    cursor = message["cursor"]
    for i in range(ROUNDS):
        await writer.write("update", "n", f"e{i}", data={"i": i})
        subscription = (await reader.subscribe(cursor=cursor))["subscription_id"]
        events, message = await reader.events_until(lambda e, m: m["caught_up"], subscription)
        assert [event["data"]["i"] for event in events] == [i]
        cursor = message["cursor"]
        await reader.request("unsubscribe", subscription_id=subscription)
    await writer.close()
    await reader.close()
