"""A run of the tests that is killed leaves neither processes nor its folder behind."""

import os
import signal
import subprocess
import sys
import time

from harness.reaper import is_of_run

RUN = """
import subprocess, sys, time
from harness import reaper
held = reaper.watch(sys.argv[1])
marked = subprocess.Popen(["sleep", "600"], start_new_session=True)
inside = subprocess.Popen(["sleep", "600"], start_new_session=True, env={}, cwd=sys.argv[1] + "/in")
print(marked.pid, inside.pid, flush=True)
time.sleep(600)
"""
PATIENCE_S = 20


def until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what


def test_what_a_killed_run_has_started_ends_and_its_folder_goes(tmp_path):
    folder = tmp_path / "run"
    (folder / "in").mkdir(parents=True)
    run = subprocess.Popen([sys.executable, "-c", RUN, str(folder)], stdout=subprocess.PIPE,
                           text=True, cwd=os.path.dirname(os.path.dirname(__file__)))
    children = [int(pid) for pid in run.stdout.readline().split()]

    def left():
        return [is_of_run(pid, str(folder)) for pid in children]

    until(lambda: all(left()), "a child never got its environment")
    run.send_signal(signal.SIGKILL)
    run.wait()
    until(lambda: not any(left()) and not folder.exists(), "something is left")
