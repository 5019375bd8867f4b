"""libs/merge beside node-diff3: documents, edits, and the rows of ./dev bench merge."""

import copy
import json
import os
import random
import subprocess

import peers
from stage import BIN, ROOT

ROUNDS = 3
SIZES = (1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20)
PEER = os.path.join(ROOT, "tools", "bench", "merge")


def document(size, rng):
    """A document of about `size` bytes: settings, and a list of records as applications have."""
    items = []
    made = {"title": "An inventory", "settings": {"theme": "dark", "columns": [1, 2, 3]},
            "items": items}
    length = len(json.dumps(made, separators=(",", ":")))
    while length < size:
        item = {"id": len(items), "name": f"item {rng.randrange(10**6)}",
                "count": rng.randrange(1000), "price": rng.randrange(10**5) / 100,
                "tags": rng.sample(["new", "old", "red", "blue", "large"], 2),
                "note": " ".join(rng.choice(["some", "words", "about", "it"]) for _ in range(8))}
        items.append(item)
        length += len(json.dumps(item, separators=(",", ":"))) + 1
    return made


def edited(base, name, parity, rng):
    """`base` with 1 % of its records changed; sides of other `parity` do not meet."""
    side = copy.deepcopy(base)
    own = [i for i in range(parity, len(base["items"]), 4)]
    for i in rng.sample(own, max(1, len(base["items"]) // 100)):
        side["items"][i]["note"] = f"changed by {name}"
    return side


def write_versions(folder, size):
    rng = random.Random(size)
    base = document(size, rng)
    paths = []
    for name, value in (("base", base), ("theirs", edited(base, "theirs", 0, rng)),
                        ("ours", edited(base, "ours", 2, rng))):
        path = os.path.join(folder, f"{name}-{size}.json")
        with open(path, "w") as file:
            json.dump(value, file, separators=(",", ":"))
        paths.append(path)
    return paths


def measured(argv):
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    if answer.returncode != 0:
        raise RuntimeError(f"{argv[0]}: {answer.stderr.strip()}")
    return json.loads(answer.stdout)


def ours(paths, *key):
    return measured([os.path.join(BIN, "bdc-sync-merge-bench"), *paths, *key])


def theirs(layout, paths):
    peers.install(PEER)
    return measured(["node", os.path.join(PEER, "diff3.mjs"), layout, *paths])


def bench_merge(stage, rows):
    """Three-way merge: 1 % changed on each side; from 1 KiB to 10 MiB."""
    folder = os.path.join(stage.folder, "merge")
    os.makedirs(folder, exist_ok=True)
    paths = {size: write_versions(folder, size) for size in SIZES}
    for key, name in (((), "merge_growth"), (("id",), "merge_growth_keyed")):
        per_byte = {}
        for size in SIZES:
            answer = ours(paths[size], *key)
            per_byte[size] = answer["merge_us"] * 1000 / answer["bytes"]
            print(f"  {answer['bytes']:>10,} bytes  {answer['merge_us']:>12,.1f} us  "
                  f"{per_byte[size]:.3f} ns a byte", flush=True)
        rows.add(name, per_byte[SIZES[-1]], "ns/byte", "1 KiB", per_byte[SIZES[0]], 3, False)
    hundred = paths[100 << 10]
    plain, keyed, records = [], [], []
    for _ in range(ROUNDS):
        plain.append(ours(hundred))
        keyed.append(ours(hundred, "id"))
        records.append(theirs("records", hundred))
    members = [theirs("members", hundred)]  # Takes many seconds.

    def rate(answers, what="merge_us"):
        return 1e6 / min(answer[what] for answer in answers)

    rows.add("merge_100k", rate(plain), "merges/s", "node-diff3 on lines", rate(members), 20)
    rows.add("merge_100k_keyed", rate(keyed), "merges/s", "node-diff3 on lines", rate(members), 20)
    rows.add("merge_100k_by_records", rate(plain), "merges/s", "node-diff3 on records",
             rate(records))
    rows.add("merge_100k_text_to_text", rate(plain, "whole_us"), "merges/s",
             "node-diff3 on records, JSON", rate(records, "whole_us"))
