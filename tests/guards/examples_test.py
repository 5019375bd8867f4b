"""The messages that the documents show are messages of the protocol: type and fields of each JSON
example of a WebSocket message are those of its protobuf form, which has the same names."""
import json
import re

import pytest
from program import ROOT

PROTOS = [ROOT / f"proto/bdcsync/websocket/v1/{side}_message.proto"
          for side in ("client", "server")]
PAGES = ["README.md", "docs/protocol.md", "docs/conflicts.md"]


def messages(path):
    """The messages of a file by name: {field: type}, in the order of the file."""
    text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
    return {name: {field: kind for kind, field in
                   re.findall(r"([A-Za-z0-9_]+) ([a-z0-9_]+) = [0-9]+;", body)}
            for name, body in re.findall(r"^message (\w+) \{(\}|.*?^\})", text,
                                         re.DOTALL | re.MULTILINE)}


CLIENT, SERVER = (messages(path) for path in PROTOS)
ALL = {**CLIENT, **SERVER}
# In JSON these stand beside the fields of the message.
BESIDE = {"type", "id", "success"}


def kinds_of(example):
    """The protobuf messages that the `type` of an example can be."""
    return [kind for kind in (CLIENT["ClientMessage"].get(example.get("type")),
                              SERVER["ServerMessage"].get(example.get("type"))) if kind in ALL]


def unknown(value, kind, beside=frozenset()):
    """Where a value has members that its message has not."""
    if isinstance(value, list):
        return [name for one in value for name in unknown(one, kind)]
    if not isinstance(value, dict) or kind not in ALL:
        return []
    found = []
    for name, member in value.items():
        if name in ALL[kind]:
            found += [f"{name}.{below}" for below in unknown(member, ALL[kind][name])]
        elif name not in beside:
            found.append(name)
    return found


def examples_in(text):
    """Each JSON object of a page that has a `type` in a block of code. What was left out (`…`
    between members) is left out here, too."""
    decoder = json.JSONDecoder()
    for language, block in re.findall(r"^```(.*?)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if language not in ("", "json"):
            continue
        block = re.sub(r",\s*…", "", re.sub(r"^[<>] ", "", block, flags=re.MULTILINE)).strip()
        while block.startswith("{"):
            example, end = decoder.raw_decode(block)
            block = block[end:].lstrip()
            if "type" in example:
                yield example


EXAMPLES = [(page, example) for page in PAGES
            for example in examples_in((ROOT / page).read_text(encoding="utf-8"))]


def wrong_with(example):
    kinds = kinds_of(example)
    if not kinds:
        return [f"no message has the type {example['type']}"]
    return min((unknown(example, kind, BESIDE) for kind in kinds), key=len)


@pytest.mark.parametrize("page,example", EXAMPLES)
def test_examples_are_messages_of_the_protocol(page, example):
    assert not wrong_with(example), page


def test_every_page_shows_some():
    assert {page for page, _ in EXAMPLES} == set(PAGES)
    assert len(EXAMPLES) >= 15


@pytest.mark.parametrize("example,wrong", [
    ({"type": "get", "id": 1, "entity_type": "note"}, []),
    ({"type": "get", "entity": "note"}, ["entity"]),
    ({"type": "fetch"}, ["no message has the type fetch"]),
    ({"type": "sync_response", "success": False, "error": {"why": "x"}}, ["error.why"]),
    ({"type": "sync_request", "data": {"any": {"thing": 1}}}, []),
])
def test_what_is_wrong_is_found(example, wrong):
    assert wrong_with(example) == wrong
