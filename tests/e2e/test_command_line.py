"""The command line against a server: what only both together can show."""

import time
import uuid

import pytest


def uuid7():
    digits = f"{time.time_ns() // 1_000_000:012x}7{uuid.uuid4().hex[13:]}"
    return str(uuid.UUID(digits))


@pytest.mark.parametrize("make", [uuid7, lambda: str(uuid.uuid4())], ids=["version 7", "version 4"])
def test_a_command_repeated_with_its_op_id_is_applied_once(suite, make):
    entity = f"note/{uuid.uuid4()}"
    suite.command("put", entity, '{"n": 1}')
    words = ("patch", entity, '{"z": 1}', "--op-id", make())
    assert suite.command(*words).startswith("applied")
    assert suite.command(*words).startswith("duplicate")


def test_what_is_not_there_is_no_server_that_is_not_there(suite):
    with pytest.raises(RuntimeError) as failure:
        suite.command("get", f"note/{uuid.uuid4()}")
    assert "`bdc-sync list` shows" in str(failure.value)
    assert "is a server running" not in str(failure.value)
