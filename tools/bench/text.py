"""Texts that several edit at once, through the suite."""

import json
import os

from harness.trace import load_concurrent
from stage import ShareDb, generate, pgbench

ROUNDS = 3
PAIRS = 16  # Sessions at once: what a server can take, where one is bound by its turns.
HOT = dict(connections=20, rate=20, warm_up="1s", duration="4s")


def bench_text(stage, rows):
    """A session of two replayed through the suite, durable, and through ShareDB in memory; a text
    that twenty type into; opening one that a million edits made."""
    recording = os.path.join(stage.folder, "recording.json")
    with open(recording, "w") as file:
        json.dump(load_concurrent(), file)
    sharedb = ShareDb(stage, rich_text=True)
    suite = stage.suite().start()
    serve = stage.suite(one_process=True).start()
    ours, one, theirs, commit, hot, hot_one = [], [], [], [], [], []
    try:
        for _ in range(ROUNDS):
            ours.append(generate("text-replay", suite.url, recording=recording))
            one.append(generate("text-replay", serve.url, recording=recording))
            theirs.append(generate("text-replay", sharedb.url, protocol="sharedb",
                                   recording=recording))
            commit.append(pgbench(stage, 1, 2)[1])
            hot.append(generate("text-hot", suite.url, **HOT)["p50_ms"])
            hot_one.append(generate("text-hot", serve.url, **HOT)["p50_ms"])
        at_once = [generate("text-replay", url, recording=recording, pairs=PAIRS, **options)
                   for url, options in ((suite.url, {}), (serve.url, {}),
                                        (sharedb.url, {"protocol": "sharedb"}))]
        opened = generate("text-open", serve.url, edits=1_000_000)
    finally:
        sharedb.stop()
        suite.kill()
        serve.kill()
    peer = max(answer["edits_per_s"] for answer in theirs)
    for name, answers in (("text_replay", ours), ("text_replay_serve_sqlite", one)):
        rows.add(name, max(answer["edits_per_s"] for answer in answers), "edits/s",
                 "ShareDB in memory", peer, 5)
    for name, answer in zip(("text_replay_16_pairs", "text_replay_16_pairs_serve"),
                            at_once):
        rows.add(name, answer["edits_per_s"], "edits/s", "ShareDB in memory",
                 at_once[-1]["edits_per_s"])
    rows.add("text_hot_above_commit", min(hot) - min(commit), "ms", goal=10, at_least=False)
    rows.add("text_hot_serve_sqlite", min(hot_one), "ms", goal=10, at_least=False)
    rows.add("text_open_1000000_edits", opened["open_ms"], "ms", goal=50, at_least=False)
