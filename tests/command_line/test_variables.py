"""The variables that `bdc-sync` takes its options from stop no service from starting."""

import os
import re
import subprocess

import pytest

SERVICES = ["event-store", "conflict", "device-sync", "version", "gateway"]
PROGRAMS = [["bdc-sync", "serve"], *([f"bdc-sync-{service}"] for service in SERVICES)]


def variables_of_commands(bin_dir):
    """Those that help names, of every command."""
    program = os.path.join(bin_dir, "bdc-sync")

    def text(*words):
        return subprocess.run([program, *words], capture_output=True, text=True, check=True,
                              timeout=30).stdout

    commands = re.findall(r"^  ([a-z]+) ", text("help").split("Options of every")[0], re.MULTILINE)
    named = {name for command in {*commands} - {"serve", "bench"}
             for name in re.findall(r"\[(BDC_SYNC_[A-Z_]+)\]$", text("help", command),
                                    re.MULTILINE)}
    assert {"BDC_SYNC_TOKEN", "BDC_SYNC_ADDRESS", "BDC_SYNC_SPACE"} <= named
    return named


@pytest.mark.parametrize("program", PROGRAMS, ids=" ".join)
def test_exported_options_of_commands_do_not_stop_a_service(program, bin_dir, tmp_path):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BDC_SYNC_")}
    exported = {name: str(tmp_path) for name in variables_of_commands(bin_dir)}
    answer = subprocess.run([os.path.join(bin_dir, program[0]), *program[1:], "--check-config"],
                            env={**clean, **exported, "BDC_SYNC_JWT_SECRET": "s" * 32},
                            capture_output=True, text=True, timeout=30)
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
