"""One environment serves every program: each takes all keys of the suite and refuses all others."""
import os
import pathlib
import subprocess

import pytest

from print_surface import SERVICES

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ["BDC_SYNC_TEST_BIN"])
PROGRAMS = [[str(BIN / f"bdc-sync-{service}")] for service in SERVICES]
PROGRAMS.append([str(BIN / "bdc-sync"), "serve"])
WHERE_DEFAULT_IS_NONE = {"text": "x", "list": "x", "mapping": "a=b"}
OF_A_FORM = {"storage.log_dsns": "0=postgresql://host/database"}


def every_key():
    """Variable → a value that its owner allows, from the golden list."""
    environment = {}
    for line in (ROOT / "tests/golden/config_keys.txt").read_text(encoding="utf-8").splitlines():
        name, _, rest = line.partition(": ")
        kind, default, *others = rest.split(", ")
        value = default.removeprefix("default ")
        variable = next(part for part in others if part.startswith("BDC_SYNC_"))
        if value == "none":
            value = OF_A_FORM.get(name, WHERE_DEFAULT_IS_NONE[kind])
        environment[variable] = value
    return environment


def check(program, environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BDC_SYNC_")}
    return subprocess.run([*program, "--check-config"], env={**clean, **environment},
                          capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: pathlib.Path(program[0]).name)
def test_all_keys_of_the_suite_are_taken(program):
    answer = check(program, every_key())
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: pathlib.Path(program[0]).name)
def test_a_misspelt_key_is_refused_with_a_suggestion(program):
    answer = check(program, {"BDC_SYNC_CONFLICT_DECISION_MAX": "1"})
    assert answer.returncode == 2
    assert "did you mean BDC_SYNC_CONFLICT_DECISIONS_MAX?" in answer.stderr
