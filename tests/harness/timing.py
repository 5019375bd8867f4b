"""How long is too long. The presets asan and tsan, whose programs are slow, stretch every wait."""

import os

SCALE = float(os.environ.get("BDC_SYNC_TEST_TIME_SCALE", "1"))


def patience(seconds):
    """What a wait that takes at most `seconds` with a release build may take here."""
    return seconds * SCALE
