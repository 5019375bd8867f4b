"""Fixtures of all tests that drive the built programs from outside.

`--way` picks how the suite runs: serve-sqlite, serve-postgres, suite-postgres or suite-sqlite. A
test takes `suite` (started once a run, shared) or `new_suite` (its own, to kill and restart).
"""

import asyncio
import inspect
import os
import shutil
import tempfile
import uuid

import pytest

from harness import reaper
from harness.servers import Postgres, Redis
from harness.suite import Suite
from harness.timing import patience

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Generous, so that limits are met only where a test sets its own.
ROOMY = {
    "BDC_SYNC_LIMITS_OPERATIONS_PER_S": "1000000",
    "BDC_SYNC_LIMITS_SESSIONS_PER_USER": "10000",
    "BDC_SYNC_LIMITS_OPERATIONS_BURST": "1000000",
}


def pytest_addoption(parser):
    parser.addoption("--way", default="serve-sqlite",
                     choices=["serve-sqlite", "serve-postgres", "suite-postgres", "suite-sqlite"])
    parser.addoption("--bin", default=os.environ.get(
        "BDC_SYNC_TEST_BIN", os.path.join(REPOSITORY, "build", "release", "bin")))


def pytest_pyfunc_call(pyfuncitem):
    """Runs coroutine tests, each in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), patience(240)))
    return True


@pytest.fixture(scope="session")
def folder():
    path = tempfile.mkdtemp(prefix="bdc-sync-test-")
    os.chmod(path, 0o755)
    with reaper.watch(path):
        yield path
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def way(request):
    return request.config.getoption("--way")


@pytest.fixture(scope="session")
def bin_dir(request):
    return os.path.abspath(request.config.getoption("--bin"))


@pytest.fixture(scope="session")
def postgres(folder):
    server = Postgres(os.path.join(folder, "postgres")).create().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis(folder):
    server = Redis(os.path.join(folder, "redis")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def make_suite(request, way, bin_dir, folder):
    """Makes a suite that is not started, on a database and in a folder of its own."""
    made = []

    def make(env=None, postgres_server=None, redis_server=None):
        name = uuid.uuid4().hex[:8]
        one_process = way.startswith("serve")
        storage = bus = None
        if way.endswith("postgres"):
            server = postgres_server or request.getfixturevalue("postgres")
            storage = server.create_database("suite_" + name)
        if not one_process:
            bus = (redis_server or request.getfixturevalue("redis")).url()
        path = os.path.join(folder, "suite-" + name)
        os.makedirs(path)
        suite = Suite(path, bin_dir, one_process, storage, bus, {**ROOMY, **(env or {})})
        made.append(suite)
        return suite

    yield make
    for suite in made:
        suite.kill()
        suite.check_reports()


@pytest.fixture(scope="session")
def suite(make_suite):
    suite = make_suite().start()
    yield suite
    suite.stop()


@pytest.fixture
def new_suite(make_suite):
    """A started suite that the test may break; what runs at the end must stop cleanly."""
    started = []

    def start(**options):
        started.append(make_suite(**options))
        return started[-1].start()

    yield start
    for suite in started:
        suite.stop()


@pytest.fixture
def user():
    """A user nobody else has: its own space is empty."""
    return "u-" + uuid.uuid4().hex[:12]
