"""Delta operations in Python, plain and independent: written from docs/ot.md, no code of ours.

A text is a list of units, each with its formats: [(unit, formats)]. A unit is a UTF-16 code unit as
a one-letter string, or an embed as a dict. Operations are lists of Delta operations as in JSON.
"""

ENDLESS = 1 << 60


def units(text):
    """The UTF-16 code units of a string."""
    if text.isascii():
        return list(text)
    raw = text.encode("utf-16-le", "surrogatepass")
    return [chr(raw[i] | raw[i + 1] << 8) for i in range(0, len(raw), 2)]


def join(parts):
    """The string of UTF-16 code units."""
    return "".join(parts).encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def document(value):
    """A text from what an entity holds: a string, an array of inserts, or nothing."""
    if value is None:
        return []
    if isinstance(value, str):
        return [(unit, {}) for unit in units(value)]
    return apply([], value)


def value(content):
    """The array of inserts that an entity holds for a rich text."""
    out = Ops()
    for unit, formats in content:
        out.insert([unit], formats)
    return out.ops()


def _without_nulls(formats):
    return {name: v for name, v in formats.items() if v is not None}


class Reader:
    """Reads operations in pieces of any length; after the last one everything is retained."""

    def __init__(self, ops):
        self.runs = []
        for op in reversed(ops):
            formats = op.get("attributes", {})
            if "insert" in op:
                inserted = op["insert"]
                held = units(inserted) if isinstance(inserted, str) else [inserted]
                self.runs.append(("insert", len(held), held, _without_nulls(formats)))
            elif "delete" in op:
                self.runs.append(("delete", op["delete"], None, {}))
            else:
                self.runs.append(("retain", op["retain"], None, formats))

    def more(self):
        return bool(self.runs)

    def peek(self):
        return self.runs[-1] if self.runs else ("retain", ENDLESS, None, {})

    def take(self, length):
        kind, left, held, formats = self.peek()
        if self.runs:
            self.runs.pop()
            if length < left:
                rest = held[length:] if held else None
                self.runs.append((kind, left - length, rest, formats))
        return kind, min(length, left), held[:length] if held else None, formats


class Ops:
    """Gathers operations in canonical form: inserts before deletes, nothing kept at the end."""

    def __init__(self):
        self.runs = []

    def retain(self, length, formats):
        self._add("retain", length, None, formats)

    def delete(self, length):
        self._add("delete", length, None, {})

    def insert(self, held, formats):
        self._add("insert", len(held), held, formats)

    def _add(self, kind, length, held, formats):
        if length == 0:
            return
        at = len(self.runs)
        if kind == "insert" and at and self.runs[-1][0] == "delete":
            at -= 1
        last = self.runs[at - 1] if at else None
        if last and last[0] == kind and last[3] == formats:
            self.runs[at - 1] = (kind, last[1] + length, last[2] + held if held else None, formats)
        else:
            self.runs.insert(at, (kind, length, held, formats))

    def ops(self):
        while self.runs and self.runs[-1][0] == "retain" and not self.runs[-1][3]:
            self.runs.pop()
        out = []
        for kind, length, held, formats in self.runs:
            pieces = [{kind: length}] if kind != "insert" else []
            text = []
            for unit in held or []:
                if isinstance(unit, str):
                    text.append(unit)
                    continue
                pieces += ([{"insert": join(text)}] if text else []) + [{"insert": unit}]
                text = []
            pieces += [{"insert": join(text)}] if text else []
            out += [{**piece, "attributes": formats} if formats else piece for piece in pieces]
        return out


def apply(content, ops):
    result, place = [], 0
    for op in ops:
        formats = op.get("attributes", {})
        if "insert" in op:
            inserted = op["insert"]
            held = units(inserted) if isinstance(inserted, str) else [inserted]
            result += [(unit, _without_nulls(formats)) for unit in held]
            continue
        end = place + op.get("retain", op.get("delete"))
        assert end <= len(content), "past the end"
        if "retain" in op and formats:
            result += [(unit, _without_nulls({**old, **formats}))
                       for unit, old in content[place:end]]
        elif "retain" in op:
            result += content[place:end]
        place = end
    return result + content[place:]


def transform(first, second, first_has_priority):
    """`second` as it is to be done after `first`."""
    a, b, out = Reader(first), Reader(second), Ops()
    while b.more():
        theirs, ours = a.peek(), b.peek()
        if theirs[0] == "insert" and (first_has_priority or ours[0] != "insert"):
            out.retain(a.take(theirs[1])[1], {})
        elif ours[0] == "insert":
            _, _, held, formats = b.take(ours[1])
            out.insert(held, formats)
        else:
            length = min(theirs[1], ours[1])
            a.take(length)
            b.take(length)
            if theirs[0] == "delete":
                continue
            if ours[0] == "delete":
                out.delete(length)
            elif first_has_priority:
                out.retain(length, {k: v for k, v in ours[3].items() if k not in theirs[3]})
            else:
                out.retain(length, ours[3])
    return out.ops()


def compose(first, second):
    """`first` and then `second` as one."""
    a, b, out = Reader(first), Reader(second), Ops()
    while a.more() or b.more():
        theirs, ours = a.peek(), b.peek()
        if ours[0] == "insert":
            _, _, held, formats = b.take(ours[1])
            out.insert(held, formats)
            continue
        if theirs[0] == "delete":
            out.delete(a.take(theirs[1])[1])
            continue
        length = min(theirs[1], ours[1])
        _, _, held, formats = a.take(length)
        b.take(length)
        if ours[0] == "delete":
            if theirs[0] == "retain":
                out.delete(length)
        elif theirs[0] == "insert":
            out.insert(held, _without_nulls({**formats, **ours[3]}))
        else:
            out.retain(length, {**formats, **ours[3]})
    return out.ops()


def invert(ops, content):
    """What takes `ops` back, which were done to `content`."""
    out, place = Ops(), 0
    for op in ops:
        if "insert" in op:
            out.delete(len(units(op["insert"])) if isinstance(op["insert"], str) else 1)
            continue
        end = place + op.get("retain", op.get("delete"))
        if "retain" in op and not op.get("attributes"):
            out.retain(end - place, {})
        else:
            for unit, old in content[place:end]:
                if "delete" in op:
                    out.insert([unit], old)
                else:
                    out.retain(1, {name: old.get(name) for name, v in op["attributes"].items()
                                   if old.get(name) != v})
        place = end
    return out.ops()


def _is_half(held, first):
    """Whether a unit is the high (0xD800) or low (0xDC00) half of a surrogate pair."""
    unit = held[0]
    return isinstance(unit, str) and first <= ord(unit) < first + 0x400


def difference(before, after):
    """Operations that turn one text into the other: what is between the common ends is replaced.
    Never cuts a surrogate pair: what others then do next to it could not be sent."""
    start, end = 0, 0
    shorter = min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    if start and _is_half(before[start - 1], 0xD800):
        start -= 1
    if end and _is_half(before[len(before) - end], 0xDC00):
        end -= 1
    out = Ops()
    out.retain(start, {})
    for unit, formats in after[start:len(after) - end]:
        out.insert([unit], formats)
    out.delete(len(before) - end - start)
    return out.ops()
