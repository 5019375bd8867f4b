"""Remote resolvers: the sample of docs/resolvers as a program of its own, and one inside the test
that answers as the test says. Their stubs are generated from the contract when the tests run."""

import concurrent.futures
import functools
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import types

import grpc

from .ports import free_ports
from .timing import patience

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLE = os.path.join(REPOSITORY, "docs", "resolvers", "price_resolver.py")
PROTO = "bdcsync/resolver/v1/resolver.proto"


def generate(folder):
    """As docs/resolvers/README.md says it."""
    subprocess.run(
        ["protoc", "-I" + os.path.join(REPOSITORY, "proto"), "--python_out=" + folder,
         "--grpc_out=" + folder, "--plugin=protoc-gen-grpc=" + shutil.which("grpc_python_plugin"),
         PROTO], check=True)


@functools.lru_cache(maxsize=None)
def stubs():
    """The generated messages and stubs."""
    with tempfile.TemporaryDirectory(prefix="bdc-sync-resolver-") as folder:
        generate(folder)
        sys.path.insert(0, folder)
        try:
            name = PROTO.removesuffix(".proto").replace("/", ".")
            return types.SimpleNamespace(messages=importlib.import_module(name + "_pb2"),
                                         services=importlib.import_module(name + "_pb2_grpc"))
        finally:
            sys.path.remove(folder)


def ask(address, **fields):
    """What the resolver at `address` answers to a request of one meeting with these fields."""
    with grpc.insecure_channel(address) as channel:
        stub = stubs().services.ConflictResolverServiceStub(channel)
        request = stubs().messages.ResolveRequest(resolver="test", meetings=[fields])
        return stub.Resolve(request, timeout=patience(10), wait_for_ready=True).answers


class SampleResolver:
    """docs/resolvers/price_resolver.py, on one port for all its life."""

    def __init__(self, folder):
        self.stubs = os.path.join(folder, "stubs")
        os.makedirs(self.stubs)
        generate(self.stubs)
        self.log_path = os.path.join(folder, "resolver.log")
        self.address = f"127.0.0.1:{free_ports(1)[0]}"
        self.popen = None

    def start(self):
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, SAMPLE, self.address], stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": self.stubs})
        ask(self.address)  # It serves.
        return self

    def stop(self, status=0):
        if self.popen is None:
            return
        self.popen.send_signal(signal.SIGTERM)
        ended = self.popen.wait(timeout=patience(10))
        self.popen = None
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            assert ended == status, log.read()


class TestResolver:
    """Answers every call by `answer(request)`, which the test sets; keeps the requests."""

    __test__ = False

    def __init__(self, answer=None):
        self.answer = answer
        self.requests = []
        outer = self

        class Servicer(stubs().services.ConflictResolverServiceServicer):
            def Resolve(self, request, context):
                outer.requests.append(request)
                return outer.answer(request)

        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        stubs().services.add_ConflictResolverServiceServicer_to_server(Servicer(), self.server)
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def stop(self):
        self.server.stop(grace=None).wait()


def everywhere(request, **outcome):
    """The same outcome for each place: value=b"1", path="/other", …"""
    answer = stubs().messages.Answer
    return stubs().messages.ResolveResponse(answers=[
        answer(**{"number": place.number, "path": place.path, **outcome})
        for meeting in request.meetings for place in meeting.places])
