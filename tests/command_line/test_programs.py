"""What every program says of itself, and that none takes lost output for success."""

import json
import os
import subprocess

import pytest

SERVICES = ["event-store", "conflict", "device-sync", "version", "gateway"]
SECRET = {"BDC_SYNC_JWT_SECRET": "s" * 32}


@pytest.fixture(name="run")
def _run(bin_dir, tmp_path):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BDC_SYNC_")}

    def run(program, *words, env=None, text="", stdout=subprocess.PIPE):
        return subprocess.run([os.path.join(bin_dir, program), *words], cwd=tmp_path, text=True,
                              env={**clean, **(env or {})}, input=text, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=30)
    return run


@pytest.fixture(name="full_disk")
def _full_disk():
    with open("/dev/full", "w", encoding="utf-8") as disk:
        yield disk


@pytest.mark.parametrize("words", [
    ["delta"], ["token"], ["help"], ["version"],
    ["bench", "--help"], ["serve", "--help"], ["serve", "--print-config"]], ids=" ".join)
def test_lost_output_is_no_success(run, full_disk, words):
    answer = run("bdc-sync", *words, env=SECRET, text='{"op": "compose", "a": [], "b": []}\n',
                 stdout=full_disk)
    assert answer.returncode in (1, 2)
    assert "standard output could not be written" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_lost_merge_is_no_clean_merge(run, full_disk, tmp_path):
    (tmp_path / "one.json").write_text("1", encoding="utf-8")
    answer = run("bdc-sync", "merge", *["one.json"] * 3, stdout=full_disk)
    assert answer.returncode == 2 and "standard output could not be written" in answer.stderr


def test_versions_are_told_by_every_program(run):
    version = json.loads(run("bdc-sync", "version", "--json").stdout)["version"]
    assert run("bdc-sync", "--version").stdout == f"bdc-sync {version}\n"
    assert run("bdc-sync", "serve", "--version").stdout == f"bdc-sync serve {version}\n"
    for service in SERVICES:
        answer = run(f"bdc-sync-{service}", "--version")
        assert (answer.stdout, answer.returncode) == (f"bdc-sync-{service} {version}\n", 0)


@pytest.mark.parametrize("name", ["bench", "serve"])
def test_help_of_processes_is_their_own(run, name):
    answer = run("bdc-sync", "help", name)
    assert answer.returncode == 0 and f"bdc-sync {name} " in answer.stdout.splitlines()[0]
    assert run("bdc-sync", name, "--help").stdout == answer.stdout


def test_a_gateway_without_keys_is_no_good_configuration(run):
    answer = run("bdc-sync-gateway", "--check-config")
    assert answer.returncode == 2 and "tokens cannot be checked" in answer.stderr
    assert "good" not in answer.stdout
    assert run("bdc-sync-gateway", "--check-config", env=SECRET).stderr == ""
    weak = run("bdc-sync-gateway", "--check-config", env={"BDC_SYNC_JWT_SECRET": "short"})
    assert weak.returncode == 0 and "warning: security.jwt_secret is shorter" in weak.stderr


def test_a_check_of_serve_needs_no_secret_and_makes_none(run, tmp_path):
    answer = run("bdc-sync", "serve", "--check-config")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_nobody_asks_whether_it_was_applied_when_nobody_was_reached(run):
    answer = run("bdc-sync", "put", "note/n", "1", "--address", "127.0.0.1:1")
    assert answer.returncode == 3
    assert "is a server running at 127.0.0.1:1?" in answer.stderr
    assert "nobody knows" not in answer.stderr
