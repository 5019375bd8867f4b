"""Asks the real programs whether they would start with a configuration (`--check-config`)."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ["event-store", "conflict", "device-sync", "version", "gateway"]


def check_config(service, environment, config="", folder=None):
    """Fails the test when bdc-sync-`service` refuses these variables and this YAML text."""
    programs = os.environ.get("BDC_SYNC_TEST_BIN")
    if not programs:
        pytest.skip("the services are not part of this build (BDC_SYNC_TEST_BIN is not set)")
    arguments = [f"{programs}/bdc-sync-{service}", "--check-config"]
    if config:
        path = pathlib.Path(folder) / f"{service}.yaml"
        path.write_text(config, encoding="utf-8")
        arguments.append(f"--config={path}")
    result = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=30,
                            check=False)
    assert result.returncode == 0, f"{service}: {result.stdout}{result.stderr}"
