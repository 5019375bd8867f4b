"""Ends and removes what a run of the tests left behind, also when the run was killed itself.

`watch` starts this file as a program outside the run's session and family. It waits until the run
lets go of its standard input, then kills every process whose environment names the run's folder
or that works in it, and removes the folder.
"""

import os
import shutil
import signal
import subprocess
import sys

MARK = "BDC_SYNC_TEST_RUN"


def watch(folder):
    """To be called before anything is started in `folder`; closing what it returns is the end."""
    os.environ[MARK] = folder
    # setsid --fork: its parent is init, so that who kills the run's descendants does not find it.
    starter = subprocess.Popen(
        ["setsid", "--fork", sys.executable, os.path.abspath(__file__), folder],
        stdin=subprocess.PIPE, start_new_session=True)
    starter.wait()
    return starter.stdin


def is_of_run(pid, folder):
    try:
        if os.readlink(f"/proc/{pid}/cwd").startswith(folder + "/"):
            return True  # As Redis, which writes its title over its environment.
        with open(f"/proc/{pid}/environ", "rb") as environment:
            return f"{MARK}={folder}".encode() in environment.read().split(b"\0")
    except OSError:
        return False


def kill_all(folder):
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        if pid != os.getpid() and is_of_run(pid, folder):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


if __name__ == "__main__":
    sys.stdin.buffer.read()
    kill_all(sys.argv[1])
    shutil.rmtree(sys.argv[1], ignore_errors=True)
