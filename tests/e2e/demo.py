"""./dev demo: two clients type one recorded session into one document; one of them keeps losing its
network. Both must end with the recorded text, byte for byte."""

import asyncio
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from harness.replica import Replica  # noqa: E402
from harness.suite import Suite  # noqa: E402
from harness.trace import Lines, load  # noqa: E402

TURN = 50
DROPS = 10


async def demo(suite, trace):
    steady, shaky = Replica(suite.url, "demo", "steady"), Replica(suite.url, "demo", "shaky")
    await steady.connect()
    await steady.client.write("create", *steady.entity, data={"lines": Lines(trace.start).lines})
    await shaky.connect()
    text = Lines(trace.start)
    patches = [text.edit(*edit) for edit in trace.edits]
    turns = [patches[i:i + TURN] for i in range(0, len(patches), TURN)]
    drops = set(random.sample(range(1, len(turns), 2), min(DROPS, len(turns) // 2)))
    started = time.monotonic()
    for number, turn in enumerate(turns):
        if number in drops:
            print(f"  turn {number:>3}: the shaky client loses its network with writes in flight")
            await shaky.type(turn, drop_at=[random.randrange(len(turn))])
        else:
            await (shaky if number % 2 else steady).type(turn)
        if number % 50 == 0:
            print(f"  turn {number:>3} of {len(turns)}: revision {steady.revision}", flush=True)
    equal = True
    for replica in (steady, shaky):
        await replica.caught_up_to(1 + len(patches))
        same = "\n".join(replica.lines) == trace.end
        equal = equal and same
        digest = hashlib.sha256("\n".join(replica.lines).encode()).hexdigest()[:16]
        print(f"{replica.name:>7}: {replica.revision - 1} edits, {replica.drops} reconnects, "
              f"sha256 {digest}… {'equals the recording' if same else 'DIFFERS'}")
    print(f"{len(patches)} edits in {time.monotonic() - started:.1f} s")
    await steady.close()
    await shaky.close()
    return equal


def main():
    trace = load()
    print(f"Replaying {trace.origin}: {len(trace.edits)} edits, "
          f"{len(trace.end)} characters at the end")
    folder = tempfile.mkdtemp(prefix="bdc-sync-demo-")
    suite = Suite(folder, os.path.join(ROOT, "build", "release", "bin"), True,
                  env={"BDC_SYNC_LIMITS_OPERATIONS_PER_S": "1000000"})
    try:
        suite.start()
        equal = asyncio.run(demo(suite, trace))
        suite.stop()
    finally:
        suite.kill()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
