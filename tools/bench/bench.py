"""./dev bench [NAME…] [--json FILE]: measures the suite beside its baselines in one run.

Ratios are what counts: a row compares two figures of the same minutes on the same machine, taken in
turns, best of the rounds of each side.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import stage as stages
from merging import bench_merge
from rich_text import RichText
from text import bench_text
from stage import BIN, ShareDb, Stage, generate, pgbench

ROUNDS = 3
WRITE = dict(connections=32, in_flight=16, spaces=100, bytes=256, warm_up="1s", duration="4s")
ONE = dict(connections=1, in_flight=1, spaces=100, bytes=256, warm_up="500ms", duration="3s")
PATCH = dict(ONE, entities=1000)


class Rows:
    """What was measured; `goal` bounds the ratio, or the value where there is no baseline."""

    def __init__(self):
        self.rows = []

    def add(self, name, value, unit, baseline_name=None, baseline_value=None, goal=None,
            at_least=True):
        ratio = value / baseline_value if baseline_value else None
        measured = ratio if ratio is not None else value
        met = None
        if goal is not None:
            met = measured >= goal if at_least else measured <= goal
        self.rows.append({
            "name": name, "value": round(value, 4), "unit": unit, "baseline_name": baseline_name,
            "baseline_value": None if baseline_value is None else round(baseline_value, 4),
            "ratio": None if ratio is None else round(ratio, 3),
            "goal": goal, "met": met})
        self._print(self.rows[-1], at_least)

    @staticmethod
    def _print(row, at_least):
        base = "" if row["baseline_name"] is None else (
            f"  vs {row['baseline_name']} {row['baseline_value']:,.3f}  ×{row['ratio']:.2f}")
        goal = "" if row["goal"] is None else (
            f"  goal {'≥' if at_least else '≤'} {row['goal']}: "
            f"{'met' if row['met'] else 'NOT MET'}")
        print(f"{row['name']:<34} {row['value']:>14,.3f} {row['unit']:<12}{base}{goal}",
              flush=True)


def bench_throughput(stage, rows):
    """Durable acknowledged operations per second and their cost, beside pgbench and ShareDB."""
    suite = stage.suite().start()
    serve = stage.suite(one_process=True).start()
    sharedb = ShareDb(stage)
    ours, one, theirs, plain, cost, their_cost = [], [], [], [], [], []
    try:
        for _ in range(ROUNDS):
            plain.append(pgbench(stage, 32, 4)[0])
            rate, seconds = costed(stage, lambda: stage.suite_pids(suite) + stage.postgres_pids(),
                                   lambda: generate("write", suite.url, **WRITE))
            ours.append(rate)
            cost.append(seconds)
            rate, seconds = costed(
                stage, lambda: [sharedb.popen.pid] + stage.postgres_pids(),
                lambda: generate("write", sharedb.url, protocol="sharedb", **WRITE))
            theirs.append(rate)
            their_cost.append(seconds)
            one.append(generate("write", serve.url, **WRITE)["operations_per_s"])
    finally:
        sharedb.stop()
        suite.kill()
        serve.kill()
    rows.add("throughput", max(ours), "op/s", "pgbench 32 clients", max(plain), 1.5)
    rows.add("throughput_vs_sharedb", max(ours), "op/s", "ShareDB + PostgreSQL", max(theirs), 10)
    rows.add("cpu_per_1000", min(cost), "s", "ShareDB + PostgreSQL", min(their_cost), 1.0, False)
    rows.add("throughput_serve_sqlite", max(one), "op/s", "suite on PostgreSQL", max(ours), 1.0)


def costed(stage, pids, load):
    """Rate of a load and the processor seconds per 1,000 operations of the processes it used."""
    watched = pids()
    before = stage.cpu_seconds(watched)
    started = time.monotonic()
    answer = load()
    wall = time.monotonic() - started
    used = stage.cpu_seconds(pids()) - before
    rate = answer["operations_per_s"]
    all_operations = rate * max(wall - 0.3, answer["seconds"])
    return rate, used / all_operations * 1000


def bench_latency(stage, rows):
    """One client, one in flight: creates, and patches of entities that it has created before."""
    loads = {"": ONE, "patch_": PATCH}
    suite = stage.suite().start()
    merged = stage.suite(one_process=True, postgres=True).start()
    serve = stage.suite(one_process=True).start()
    sharedb = ShareDb(stage)
    peers = {"suite": suite, "merged": merged, "serve": serve, "sharedb": sharedb}
    commit, answers = [], {}
    try:
        for _ in range(ROUNDS):
            commit.append(pgbench(stage, 1, 2)[1])
            for name, peer in peers.items():
                protocol = {"protocol": "sharedb"} if peer is sharedb else {}
                for load, options in loads.items():
                    answers.setdefault((name, load), []).append(
                        generate("write", peer.url, **protocol, **options))
    finally:
        sharedb.stop()
        for each in (suite, merged, serve):
            each.kill()

    def best(peer, load, figure):
        return min(answer[figure] for answer in answers[peer, load])

    rows.add("latency_above_commit", best("suite", "", "p50_ms") - min(commit), "ms", goal=0.6,
             at_least=False)
    for load in loads:
        for figure, goal in (("p50", 1.0), ("p99", 0.5)):
            theirs = best("sharedb", load, f"{figure}_ms")
            rows.add(f"latency_{load}{figure}", best("suite", load, f"{figure}_ms"), "ms",
                     "ShareDB + PostgreSQL", theirs, None if load else goal, False)
            rows.add(f"latency_one_process_{load}{figure}", best("merged", load, f"{figure}_ms"),
                     "ms", "ShareDB + PostgreSQL", theirs)
    rows.add("latency_serve_sqlite_p50", best("serve", "", "p50_ms"), "ms", goal=0.4,
             at_least=False)


def bench_fanout(stage, rows):
    """One writer to 500 subscribers of one space, durable, every stream checked."""
    suite = stage.suite().start()
    common = dict(connections=500, bytes=256, warm_up="1s", duration="4s")
    try:
        full = [generate("fanout", suite.url, in_flight=256, **common) for _ in range(ROUNDS)]
        single = [generate("fanout", suite.url, in_flight=1, **common) for _ in range(ROUNDS)]
        paced = [generate("fanout", suite.url, rate=100, **common) for _ in range(ROUNDS)]
    finally:
        suite.kill()
    rows.add("fanout_full_rate", max(a["deliveries_per_s"] for a in full), "deliveries/s",
             goal=1_000_000)
    rows.add("fanout_one_outstanding", max(a["deliveries_per_s"] for a in single), "deliveries/s",
             goal=130_000)
    rows.add("fanout_100_per_s_p50", min(a["p50_ms"] for a in paced), "ms", goal=5.0,
             at_least=False)


def bench_memory(stage, rows):
    """Resident memory of the gateway per idle authenticated connection with one subscription."""
    suite = stage.suite().start()
    count = 10_000
    try:
        before = resident_kib(suite.gateway.popen.pid)
        holder = subprocess.Popen(
            [os.path.join(BIN, "bdc-sync"), "bench", "idle", f"--url={suite.url}",
             f"--token={stages.ADMIN}", f"--connections={count}", "--spaces=100"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if holder.stdout.readline().strip() != "ready":
            raise RuntimeError("the idle connections did not come up")
        time.sleep(1)
        after = resident_kib(suite.gateway.popen.pid)
        holder.stdin.close()
        holder.wait()
    finally:
        suite.kill()
    rows.add("memory_per_idle_connection", (after - before) / count, "KiB", goal=8.0,
             at_least=False)


def bench_reconnect(stage, rows):
    """The gateway of 10,000 subscribers is killed and started again: until all are back."""
    count = 10_000
    # They are devices of one user.
    suite = stage.suite(env={"BDC_SYNC_DEVICE_SYNC_DEVICES_PER_USER_MAX": str(count)}).start()
    try:
        clients = subprocess.Popen(
            [os.path.join(BIN, "bdc-sync"), "bench", "reconnect", f"--url={suite.url}",
             f"--token={stages.ADMIN}", f"--connections={count}", "--spaces=100"],
            stdout=subprocess.PIPE, text=True)
        if clients.stdout.readline().strip() != "ready":
            raise RuntimeError("the clients did not come up")
        suite.gateway.kill()
        started = time.monotonic()
        suite.gateway.start(wait=False)
        answer = clients.communicate(timeout=100)[0]
        seconds = time.monotonic() - started
        if clients.returncode != 0:
            raise RuntimeError("the clients did not all come back")
        print(f"  {answer.strip()}", flush=True)
        calls = suite.gateway.metric("bdcsync_gateway_registration_batch_items_count")
        print(f"  registered by {calls:.0f} calls", flush=True)
        for metric in ("device_reports_dropped_total", "device_report_failures_total"):
            if suite.gateway.metric(f"bdcsync_gateway_{metric}") > 0:
                raise RuntimeError(f"some were not registered: {metric}")
    finally:
        suite.kill()
    rows.add("reconnect_10000", seconds, "s")


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def bench_start(stage, rows):
    """`bdc-sync serve` on SQLite from its start to the first acknowledged write."""
    from harness.client import Client

    async def first_write(suite):
        while True:
            try:
                client = await Client.connect(suite.url, "starter", open_timeout=1)
                break
            except OSError:
                await asyncio.sleep(0.002)
        answer = await client.write("create", "n", "1", data={})
        assert answer["success"], answer
        elapsed = time.monotonic() - started
        await client.close()
        return elapsed

    times = []
    for _ in range(ROUNDS):
        suite = stage.suite(one_process=True)
        started = time.monotonic()
        suite.gateway.start(wait=False)
        times.append(asyncio.run(first_write(suite)) * 1000)
        suite.kill()
    rows.add("start_to_first_write", min(times), "ms", goal=300, at_least=False)


def bench_event_store(stage, rows):
    """event-store alone over gRPC in batches of 512, beside a bare INSERT … SELECT unnest."""
    suite = stage.suite()
    process = suite.processes["event-store"].start()
    address = "127.0.0.1:" + process.env["BDC_SYNC_GRPC_PORT"]
    program = os.path.join(BIN, "bdc-sync-event-store-bench")
    ours, bare = [], []
    try:
        for _ in range(ROUNDS):
            answer = json.loads(subprocess.run(
                [program, f"--address={address}",
                 f"--postgres={process.env['BDC_SYNC_STORAGE_URL']}"],
                capture_output=True, text=True, check=True, timeout=120).stdout)
            ours.append(answer["events_per_s"])
            bare.append(answer["baseline_rows_per_s"])
    finally:
        suite.kill()
    rows.add("event_store_append_512", max(ours), "events/s", "bare batched insert", max(bare), 0.6)


def bench_resolve(stage, rows):
    """conflict alone over gRPC in batches of 64 documents of 1 KiB, beside the merge itself."""
    suite = stage.suite()
    process = suite.processes["conflict"].start()
    program = os.path.join(BIN, "bdc-sync-conflict-bench")
    address = "127.0.0.1:" + process.env["BDC_SYNC_GRPC_PORT"]
    answers = []
    try:
        for _ in range(ROUNDS):
            answers.append(json.loads(subprocess.run(
                [program, f"--address={address}", "--seconds=2"],
                capture_output=True, text=True, check=True, timeout=120).stdout))
    finally:
        suite.kill()
    resolve = min(answer["resolve_us"] for answer in answers)
    merge = min(answer["merge_us"] for answer in answers)
    rows.add("resolve_conflict", resolve, "us", "read, merge, write", merge)
    rows.add("resolve_beyond_merge", resolve - merge, "us", goal=20, at_least=False)


def bench_ot(stage, rows):
    """libs/ot alone: replay of 260,000 single edits, transforms of two, two long branches."""
    bench = RichText(stage.folder)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(bench.ours())
        theirs.append(bench.theirs())
    for name, key, unit, goal in (("ot_replay", "replay_edits_per_s", "edits/s", 2_000_000),
                                  ("ot_transform", "transforms_per_s", "transforms/s", 10_000_000)):
        best = max(answer[key] for answer in ours)
        rows.add(name, best, unit, goal=goal)
        rows.add(f"{name}_vs_npm", best, unit, "quill-delta, rich-text",
                 max(answer[key] for answer in theirs), 20)
    rows.add("ot_two_branches_of_10000", min(answer["long_divergence_ms"] for answer in ours), "ms",
             goal=1000, at_least=False)


BENCHES = {
    "throughput": bench_throughput, "latency": bench_latency, "fanout": bench_fanout,
    "memory": bench_memory, "reconnect": bench_reconnect, "start": bench_start,
    "event-store": bench_event_store, "merge": bench_merge, "ot": bench_ot,
    "resolve": bench_resolve, "text": bench_text,
}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--json", metavar="FILE", help="write the rows as a JSON array")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    folder = tempfile.mkdtemp(prefix="bdc-sync-bench-")
    rows, failed = Rows(), []
    stage = Stage(folder)
    try:
        for name in options.names or BENCHES:
            print(f"— {name}", flush=True)
            try:
                BENCHES[name](stage, rows)
            except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                failed.append(name)
                print(f"{name}: {error}", file=sys.stderr)
    finally:
        stage.close()
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows.rows, file, indent=2)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
