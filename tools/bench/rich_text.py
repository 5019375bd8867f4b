"""libs/ot beside the npm packages quill-delta and rich-text, on one trace of single edits."""

import json
import os
import random
import subprocess

import peers
from stage import BIN, ROOT

EDITS = 260_000
PEERS = os.path.join(ROOT, "tools", "bench", "quill-delta")


def trace(count, seed=7):
    """Edits (position, deleted, inserted) of one character each, as of somebody who types: runs at
    a cursor that jumps now and then, a quarter of them with the backspace key."""
    rng = random.Random(seed)
    length, cursor, edits = 0, 0, []
    while len(edits) < count:
        if rng.random() < 0.04:
            cursor = rng.randint(0, length)
        deletes = rng.random() < 0.25
        for _ in range(min(rng.randint(1, 30), count - len(edits))):
            if not deletes:
                edits.append((cursor, 0, rng.choice("etaoin shrdlu\n")))
                cursor, length = cursor + 1, length + 1
            elif cursor > 0:
                cursor, length = cursor - 1, length - 1
                edits.append((cursor, 1, ""))
    return edits


class RichText:
    """Both sides on the same trace; each call measures once more."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "text-trace.json")
        with open(self.path, "w") as file:
            json.dump(trace(EDITS), file)
        peers.install(PEERS)

    def ours(self):
        return _json([os.path.join(BIN, "bdc-sync-ot-bench"), self.path])

    def theirs(self):
        """The better of the two packages at each task."""
        answer = _json(["node", os.path.join(PEERS, "bench.js"), self.path])
        return {
            "replay_edits_per_s": max(answer["quill_replay"]["edits_per_s"],
                                      answer["rich_text_replay"]["edits_per_s"]),
            "transforms_per_s": max(answer["quill_transforms_per_s"],
                                    answer["rich_text_transforms_per_s"]),
        }


def _json(argv):
    return json.loads(subprocess.run(argv, capture_output=True, text=True, check=True,
                                     timeout=120).stdout)
