"""Real editing sessions as JSON Patches on a document {"lines": [...]}.

Traces come from ../shared/data beside the checkout; where that folder is not there, a generated
session of the same shape takes its place, and `Trace.origin` says so.
"""

import gzip
import json
import os
import random

from . import text_ot as ot

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.path.join(HERE, "..", "..", "..", "shared", "data")


class Trace:
    def __init__(self, origin, start, end, edits):
        self.origin, self.start, self.end, self.edits = origin, start, end, edits


def load(name="sveltecomponent.json.gz", edits_max=None):
    """Edits are (position, deleted, inserted) in code points."""
    path = os.path.join(SHARED, name)
    if not os.path.exists(path):
        return _generated(edits_max or 3000)
    with gzip.open(path) as file:
        recorded = json.load(file)
    edits = [tuple(patch) for txn in recorded["txns"] for patch in txn["patches"]]
    if edits_max is None or edits_max >= len(edits):
        return Trace(name, recorded["startContent"], recorded["endContent"], edits)
    text = recorded["startContent"]
    for position, deleted, inserted in edits[:edits_max]:
        text = text[:position] + inserted + text[position + deleted:]
    return Trace(name, recorded["startContent"], text, edits[:edits_max])


def load_concurrent(name="friendsforever.json.gz", edits_max=None):
    """What two wrote at once: {"edits": [[writer, seen, come, position, deleted, inserted], …],
    "end"}. `seen` is how many edits of the other its author had seen. `come`, at least that, is how
    many must have been committed before: where both inserted at one place, the first writer's
    stands first in the recording."""
    path = os.path.join(SHARED, name)
    if not os.path.exists(path):
        return _generated_by_two(edits_max or 3000)
    with gzip.open(path) as file:
        recorded = json.load(file)
    versions, edits = [], []
    for txn in recorded["txns"]:
        version = [0, 0]
        for parent in txn["parents"]:
            version = [max(pair) for pair in zip(version, versions[parent])]
        writer = txn["agent"]
        edits.append([writer, version[1 - writer], version[1 - writer], *txn["patches"][0]])
        version[writer] += 1
        versions.append(version)
    edits = edits[:edits_max]
    end = _first_writer_first(edits)
    assert len(edits) < len(versions) or end == recorded["endContent"]
    return {"origin": name, "edits": edits, "end": end}


def _first_writer_first(edits):
    """The text when of two insertions at one place that of writer 0 stands first. Sets `come` of
    those of writer 1 that must be committed later for that. For texts of one unit a character."""
    text = ""
    unseen = [[], []]  # Of each: what the other did and it has not seen: [edit, ops].
    made = [0, 0]
    for edit in edits:
        writer, seen, _, position, deleted, inserted = edit
        while made[1 - writer] - len(unseen[writer]) < seen:
            unseen[writer].pop(0)
        out = ot.Ops()
        out.retain(position, {})
        out.insert(ot.units(inserted), {})
        out.delete(deleted)
        ops = out.ops()
        for other in unseen[writer]:
            if inserted and _place_of_insert(other[1]) == _place_of_insert(ops):
                second, count = ((other[0], made[0] + 1) if writer == 0 else (edit, made[0]))
                second[2] = max(second[2], count)
            theirs = other[1]
            other[1] = ot.transform(ops, theirs, writer == 0)
            ops = ot.transform(theirs, ops, writer == 1)
        text = _edited(text, ops)
        unseen[1 - writer].append([edit, ops])
        made[writer] += 1
    return text


def _edited(text, ops):
    parts, place = [], 0
    for op in ops:
        if "insert" in op:
            parts.append(op["insert"])
            continue
        if "retain" in op:
            parts.append(text[place:place + op["retain"]])
        place += op.get("retain", op.get("delete"))
    return "".join(parts) + text[place:]


def _place_of_insert(ops):
    """Where operations of one edit insert; None when they do not."""
    kept = ops[0].get("retain", 0) if ops else 0
    return kept if any("insert" in op for op in ops) else None


def _generated_by_two(count):
    """One writes the first half of a text, the other the second: what the end is needs no merge."""
    rng = random.Random(4)
    texts, made, edits = ["", ""], [1, 0], [[0, 0, 0, 0, 0, "|"]]
    seen = [(0, ""), (1, "")]  # Of each: how many edits of the other, and its text then.
    while len(edits) < count:
        writer = rng.randrange(2)
        if rng.random() < 0.2:
            seen[writer] = (made[1 - writer], texts[1 - writer])
        text = texts[writer]
        position = rng.randint(0, len(text))
        deleted = min(rng.choice([0, 0, 1, 5]), len(text) - position)
        inserted = rng.choice(["a", "word ", "\n", "é", "\U0001f600"])
        before = len(seen[1][1]) + 1 if writer == 1 else 0
        edits.append([writer, seen[writer][0], seen[writer][0], before + position, deleted,
                      inserted])
        texts[writer] = text[:position] + inserted + text[position + deleted:]
        made[writer] += 1
    return {"origin": "generated", "edits": edits, "end": texts[0] + "|" + texts[1]}


def _generated(count):
    rng = random.Random(4)
    text, edits = "", []
    for _ in range(count):
        position = rng.randint(0, len(text))
        deleted = min(rng.choice([0, 0, 0, 1, 5]), len(text) - position)
        inserted = rng.choice(["a", "word ", "\n", "é", "\U0001f600", "line\nline\n"])
        text = text[:position] + inserted + text[position + deleted:]
        edits.append((position, deleted, inserted))
    return Trace("generated", "", text, edits)


class Lines:
    """A text as the list of its lines, edited by position, telling each edit as a JSON Patch."""

    def __init__(self, text):
        self.lines = text.split("\n")

    def text(self):
        return "\n".join(self.lines)

    def _locate(self, position):
        for number, line in enumerate(self.lines):
            if position <= len(line):
                return number, position
            position -= len(line) + 1
        raise ValueError("position past the end")

    def edit(self, position, deleted, inserted):
        """Applies the edit; returns the RFC 6902 patch that does the same to {"lines": [...]}."""
        first, start = self._locate(position)
        last, end = self._locate(position + deleted)
        new = (self.lines[first][:start] + inserted + self.lines[last][end:]).split("\n")
        old_count = last - first + 1
        patch = [{"op": "replace", "path": f"/lines/{first + i}", "value": new[i]}
                 for i in range(min(old_count, len(new)))]
        patch += [{"op": "add", "path": f"/lines/{first + i}", "value": new[i]}
                  for i in range(old_count, len(new))]
        patch += [{"op": "remove", "path": f"/lines/{first + len(new)}"}
                  for _ in range(old_count - len(new))]
        self.lines[first:last + 1] = new
        return patch


def apply(lines, patch):
    """Applies a patch made by `Lines.edit` to a plain list of lines."""
    for op in patch:
        index = int(op["path"].rsplit("/", 1)[1])
        if op["op"] == "replace":
            lines[index] = op["value"]
        elif op["op"] == "add":
            lines.insert(index, op["value"])
        else:
            del lines[index]
