"""What a backend finds on the gRPC ports: health and reflection by name, and nothing without a
token. Plain gRPC with bytes, no stubs of ours."""

import grpc
import pytest

from harness.client import token

CLIENTS = ["bdcsync.sync.v1.SyncService", "bdcsync.sync.v1.ConflictDeskService",
           "bdcsync.admin.v1.AdminService"]
INNER = {
    "event-store": "bdcsync.event_store.v1.EventStoreService",
    "version": "bdcsync.version.v1.VersionService",
    "conflict": "bdcsync.conflict.v1.ConflictService",
    "device-sync": "bdcsync.device_sync.v1.DeviceSyncService",
}
SERVING = b"\x08\x01"


def text_field(number, text):
    return bytes([number << 3 | 2, len(text)]) + text.encode()


class Port:
    def __init__(self, process):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{process.env['BDC_SYNC_GRPC_PORT']}")

    def call(self, method, request=b"", bearer=None):
        metadata = [("authorization", f"Bearer {bearer}")] if bearer else []
        try:
            return self.channel.unary_unary(method)(request, timeout=20, metadata=metadata)
        except grpc.RpcError as error:
            return error.code()

    def health(self, service):
        return self.call("/grpc.health.v1.Health/Check", text_field(1, service))

    def services(self):
        """What reflection lists, as text."""
        ask = self.channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        return b"".join(ask(iter([text_field(7, "")]), timeout=20)).decode("latin-1")


def test_health_and_reflection_know_each_service_by_name(suite):
    ports = {"gateway": Port(suite.gateway)}
    for service in CLIENTS:
        assert ports["gateway"].health(service) == SERVING
        assert service in ports["gateway"].services()
    if not suite.one_process:
        for name, service in INNER.items():
            port = Port(suite.processes[name])
            assert port.health(service) == SERVING and service in port.services()
    assert ports["gateway"].health("") == SERVING
    assert ports["gateway"].health("no.such.Service") == grpc.StatusCode.NOT_FOUND


def test_of_a_batch_all_that_was_sent_counts(suite):
    """Also what is malformed, as on the WebSocket."""
    empty_operation = b"\x0a\x00"
    bearer = token("batcher")
    port = Port(suite.gateway)
    method = "/bdcsync.sync.v1.SyncService/ProcessSyncBatch"
    answer = port.call(method, empty_operation * 1000, bearer=bearer)
    assert isinstance(answer, bytes) and answer.count(b"invalid_argument") == 1000
    answer = port.call(method, empty_operation * 1001, bearer=bearer)
    assert answer == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("bearer", [None, "no token", "user", "admin"])
def test_nobody_passes_by_the_gateway(suite, bearer):
    """The other services trust whoever calls them: on the port for clients they are not there."""
    tokens = {"user": token("mallory"), "admin": token("root", admin=True)}
    port = Port(suite.gateway)
    for service, method in ((INNER["event-store"], "ReadSpace"), (INNER["event-store"], "Append"),
                            (INNER["version"], "GetEntities"), (INNER["version"], "Commit"),
                            (INNER["conflict"], "PutRuleSet"),
                            (INNER["device-sync"], "RevokeDevice")):
        answer = port.call(f"/{service}/{method}", bearer=tokens.get(bearer, bearer))
        assert answer == grpc.StatusCode.UNIMPLEMENTED, (service, method)
    if bearer in tokens:
        return
    for service, method in ((CLIENTS[0], "ProcessSync"), (CLIENTS[0], "ListEntities"),
                            (CLIENTS[1], "ListConflicts"), (CLIENTS[2], "ListParked")):
        answer = port.call(f"/{service}/{method}", bearer=bearer)
        assert answer == grpc.StatusCode.UNAUTHENTICATED, (service, method)
