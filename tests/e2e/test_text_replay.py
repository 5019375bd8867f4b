"""A real session of two who typed at once, typed again by two clients, each seeing of the other
what that person had seen when it typed."""

import json
import os

from harness.trace import load_concurrent


def test_both_clients_end_with_the_recorded_text(suite, user):
    edits_max = int(os.environ.get("BDC_SYNC_TEST_REPLAY_EDITS", "0")) or None
    recording = load_concurrent(edits_max=edits_max)
    print("recording:", recording["origin"], "edits:", len(recording["edits"]))
    path = os.path.join(suite.folder, "recording.json")
    with open(path, "w") as file:
        json.dump(recording, file)
    answer = json.loads(suite.bench("text-replay", user=user, recording=path))
    assert answer["edits"] == len(recording["edits"])
    assert answer["operations"] > 1
