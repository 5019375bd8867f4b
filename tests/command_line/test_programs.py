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


@pytest.mark.parametrize("words", [
    ["delta"], ["merge", "-", "one.json", "one.json"], ["rules", "check", "-"]], ids=" ".join)
def test_input_that_cannot_be_read_is_not_taken_for_its_end(bin_dir, tmp_path, words):
    (tmp_path / "one.json").write_text("1", encoding="utf-8")
    folder = os.open(tmp_path, os.O_RDONLY)
    answer = subprocess.run([os.path.join(bin_dir, "bdc-sync"), *words], cwd=tmp_path, text=True,
                            stdin=folder, capture_output=True, timeout=30, check=False)
    os.close(folder)
    assert answer.returncode == 2 and answer.stdout == ""
    assert "cannot read standard input" in answer.stderr


def test_versions_are_told_by_every_program(run):
    version = json.loads(run("bdc-sync", "version", "--json").stdout)["version"]
    assert run("bdc-sync", "--version").stdout == f"bdc-sync {version}\n"
    assert run("bdc-sync", "serve", "--version").stdout == f"bdc-sync serve {version}\n"
    for service in SERVICES:
        answer = run(f"bdc-sync-{service}", "--version")
        assert (answer.stdout, answer.returncode) == (f"bdc-sync-{service} {version}\n", 0)


def test_a_printed_configuration_is_one_but_for_its_secrets(run, tmp_path):
    printed = tmp_path / "printed.yaml"
    arguments = ["bdc-sync", "serve", f"--config={printed}", "--check-config"]
    printed.write_text(run("bdc-sync", "serve", "--print-config").stdout, encoding="utf-8")
    answer = run(*arguments)
    assert (answer.returncode, answer.stderr) == (0, "")
    # What stands for a secret is known to everybody.
    printed.write_text(run("bdc-sync", "serve", "--print-config", env=SECRET).stdout,
                       encoding="utf-8")
    answer = run(*arguments)
    assert answer.returncode == 2 and "security.jwt_secret: the value is not" in answer.stderr


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


@pytest.mark.parametrize("service, variable, value, complaint", [
    ("gateway", "BUS_URL", "redis://:hidden@host:port", "bus.url: the port is not a number"),
    ("version", "BUS_URL", "kafka://host", "bus.url: the scheme is not redis://"),
    ("event-store", "STORAGE_URL", "mysql://u:hidden@h/d", "storage.url begins with"),
    ("event-store", "STORAGE_URL", "postgresql://u:hidden@h:99999/d", "the port is no number"),
    ("event-store", "STORAGE_LOG_DSNS", "0-3=postgresql://h/d,5=postgresql://h/e", "log 4 is in"),
    ("conflict", "STORAGE_URL", "mysql://u:hidden@h/d", "storage.url must be sqlite:"),
    ("device-sync", "STORAGE_URL", "postgresql://u:hidden@h:99999/d", "the port is no number"),
    ("gateway", "SERVICES_VERSION", "version", "'version' is no address: write HOST:PORT"),
    ("version", "SERVICES_CONFLICT", "a:1,http://b:2", "'http://b:2' is no address"),
], ids=str)
def test_a_check_finds_what_would_end_the_start(run, service, variable, value, complaint):
    answer = run(f"bdc-sync-{service}", "--check-config",
                 env={**SECRET, "BDC_SYNC_" + variable: value})
    assert answer.returncode == 2 and complaint in answer.stderr, answer
    assert "hidden" not in answer.stderr


@pytest.mark.parametrize("url", [
    "postgresql://u:p@h/d?sslmode=verify-full&sslrootcert=/of/the/container.crt", "sqlite:"])
def test_a_check_looks_at_no_file(run, url):
    answer = run("bdc-sync-event-store", "--check-config", env={"BDC_SYNC_STORAGE_URL": url})
    assert answer.returncode == 0, answer
