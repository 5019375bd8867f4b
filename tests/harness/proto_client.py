"""The client of client.py in the subprotocol bdc-sync.v1.proto: the same requests and pushes as
dictionaries, on the wire as binary protobuf. The messages are generated from the contract when the
tests run."""

import functools
import importlib
import json
import os
import subprocess
import sys
import tempfile
import types

from .client import Client

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUBPROTOCOL = "bdc-sync.v1.proto"
PACKAGE = "bdcsync/websocket/v1/"


@functools.lru_cache(maxsize=None)
def messages():
    """The classes ClientMessage and ServerMessage."""
    with tempfile.TemporaryDirectory(prefix="bdc-sync-proto-") as folder:
        names = ("client_message", "server_message")
        subprocess.run(
            ["protoc", "-I" + os.path.join(REPOSITORY, "proto"), "--python_out=" + folder,
             *[f"{PACKAGE}{name}.proto" for name in names]], check=True)
        sys.path.insert(0, folder)
        try:
            client, server = [importlib.import_module(PACKAGE.replace("/", ".") + name + "_pb2")
                              for name in names]
        finally:
            sys.path.remove(folder)
    return types.SimpleNamespace(ClientMessage=client.ClientMessage,
                                 ServerMessage=server.ServerMessage)


def fill(message, fields):
    """Sets the fields of a message from a dictionary as JSON has it."""
    for name, value in fields.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.type == field.TYPE_BYTES:
            setattr(message, name, json.dumps(value).encode())
        elif field.label == field.LABEL_REPEATED:
            for element in value:
                if field.type == field.TYPE_MESSAGE:
                    fill(getattr(message, name).add(), element)
                else:
                    getattr(message, name).append(element)
        elif field.type == field.TYPE_MESSAGE:
            getattr(message, name).SetInParent()
            fill(getattr(message, name), value)
        else:
            setattr(message, name, value)


def read(message):
    """A message as the dictionary that JSON would give, with false, 0 and empty where unset."""
    fields = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.label == field.LABEL_REPEATED:
            fields[field.name] = [read(v) if field.type == field.TYPE_MESSAGE else v for v in value]
        elif field.has_presence and not message.HasField(field.name):
            continue
        elif field.type == field.TYPE_MESSAGE:
            fields[field.name] = read(value)
        elif field.type == field.TYPE_BYTES:
            fields[field.name] = json.loads(value)
        else:
            fields[field.name] = value
    return fields


class ProtoClient(Client):
    @classmethod
    async def open(cls, url, **options):
        options.setdefault("subprotocols", [SUBPROTOCOL])
        return await super().open(url, **options)

    def decode(self, frame):
        assert isinstance(frame, bytes), "a text frame"
        message = messages().ServerMessage.FromString(frame)
        kind = message.WhichOneof("message")
        fields = {"type": kind, **read(getattr(message, kind))}
        if message.HasField("id"):
            fields["id"] = int(message.id) if message.id.isdigit() else message.id
        if message.HasField("success"):
            fields["success"] = message.success
        return fields

    def encode(self, fields):
        fields = dict(fields)
        message = messages().ClientMessage()
        kind = fields.pop("type")
        if "id" in fields:
            message.id = str(fields.pop("id"))
        inner = getattr(message, kind)
        inner.SetInParent()
        fill(inner, fields)
        return message.SerializeToString()
