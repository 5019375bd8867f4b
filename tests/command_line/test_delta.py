"""`bdc-sync delta` from outside: what it answers is checked by a model that shares no code with it.

The model knows one thing, what a delta does to a list of UTF-16 units; all else are laws.
"""

import json
import os
import random
import subprocess

import pytest

LINES = 100_000
ALPHABET = ["a", "b", "\r\n", "\0", "e\u0301", "\u4e16", "\U0001f600", "\U0001f469\u200d\U0001f4bb"]


@pytest.fixture(name="program")
def _program(request):
    return [os.path.join(request.config.getoption("--bin"), "bdc-sync"), "delta"]


def ask(program, requests):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    answer = subprocess.run(program, input=lines.encode(), capture_output=True, check=True,
                            timeout=120)
    answers = [json.loads(line) for line in answer.stdout.decode().splitlines()]
    assert len(answers) == len(requests)
    return answers


def units(text):
    """Two bytes each, so that halves of pairs can be held."""
    data = text.encode("utf-16-le", "surrogatepass")
    return [data[i:i + 2] for i in range(0, len(data), 2)]


def apply(document, ops):
    """`document`: a list of (unit, attributes)."""
    result, at = [], 0
    for op in ops:
        attributes = op.get("attributes", {})
        if "insert" in op:
            result += [(unit, attributes) for unit in units(op["insert"])]
            continue
        length = op.get("retain", op.get("delete"))
        assert at + length <= len(document)
        for unit, old in document[at:at + length] if "retain" in op else ():
            new = {k: v for k, v in {**old, **attributes}.items() if v is not None}
            result.append((unit, new))
        at += length
    return result + document[at:]


def make_text(rng):
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, 6)))


def make_change(rng, text):
    ops, rest = [], text
    for _ in range(rng.randint(0, 4)):
        if rng.random() < 0.4:
            ops.append({"insert": make_text(rng)})
        elif rest:
            count = rng.randint(1, len(rest))
            length, rest = len(units(rest[:count])), rest[count:]
            ops.append({rng.choice(["retain", "delete"]): length})
        if ops and "delete" not in ops[-1] and rng.random() < 0.3:
            value = True if "insert" in ops[-1] else rng.choice([True, None])
            ops[-1]["attributes"] = {"bold": value}
    return ops


def test_the_laws_hold_for_a_model_of_its_own(program):
    rng = random.Random(3)
    cases = []
    for _ in range(2000):
        text = make_text(rng)
        cases.append((text, make_change(rng, text), make_change(rng, text)))
    requests = []
    for text, a, b in cases:
        document = [{"insert": text}]
        requests += [
            {"op": "apply", "doc": document, "delta": a},
            {"op": "transform", "a": a, "b": b, "priority": True},
            {"op": "transform", "a": b, "b": a, "priority": False},
            {"op": "invert", "delta": a, "doc": document},
        ]
    answers = [answer["ops"] for answer in ask(program, requests)]
    composed = ask(program, [{"op": "compose", "a": a, "b": answers[4 * i + 1]}
                             for i, (_, a, _) in enumerate(cases)])
    for i, (text, a, b) in enumerate(cases):
        applied, b_after_a, a_after_b, inverse = answers[4 * i:4 * i + 4]
        document = apply([], [{"insert": text}])
        after = apply(document, a)
        assert apply([], applied) == after, (text, a)
        both = apply(after, b_after_a)
        assert both == apply(apply(document, b), a_after_b), (text, a, b)
        assert both == apply(document, composed[i]["ops"]), (text, a, b)
        assert apply(after, inverse) == document, (text, a)


def test_a_hundred_thousand_lines_take_seconds_and_bad_ones_stop_nothing(program):
    requests = [{"op": "apply", "doc": [{"insert": "word " * 10}],
                 "delta": [{"retain": i % 50 + 1}, {"insert": str(i)}]} for i in range(LINES)]
    requests[7] = "not an object"
    answers = ask(program, requests)
    assert answers[7]["error"]["code"] == "invalid_argument"
    for i in (0, 8, LINES - 1):
        text, at = "word " * 10, i % 50 + 1
        assert answers[i] == {"ops": [{"insert": text[:at] + str(i) + text[at:]}]}


def test_whoever_asks_line_by_line_is_answered_line_by_line(program):
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        for number in range(3):
            p.stdin.write(json.dumps({"op": "compose", "a": [], "b": [{"delete": number + 1}]}))
            p.stdin.write("\n")
            p.stdin.flush()
            assert json.loads(p.stdout.readline()) == {"ops": [{"delete": number + 1}]}
        p.stdin.close()
        assert p.wait(timeout=20) == 0
