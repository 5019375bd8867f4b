"""`bdc-sync merge`: the examples of docs/merging.md, and as git's merge driver."""

import json
import os
import re
import subprocess

import pytest


@pytest.fixture
def repository(tmp_path, request):
    program = os.path.join(request.config.getoption("--bin"), "bdc-sync")
    made = Repository(tmp_path, program)
    made.git("init", "-q", "-b", "main")
    made.git("config", "merge.json.driver", f"'{program}' merge %O %B %A --output %A")
    made.write(".gitattributes", "*.json merge=json\n")
    return made


def examples():
    page = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "merging.md")
    with open(page, encoding="utf-8") as file:
        table = file.read().split("## Examples")[1].split("\n## ")[0]
    rows = [[cell.strip().strip("`") for cell in line.split("|")]
            for line in re.findall(r"^\| (`.*`) \|$", table, re.MULTILINE)]
    assert len(rows) >= 5
    return rows


@pytest.mark.parametrize("base,theirs,ours,rule,result", examples())
def test_an_example_of_the_page(base, theirs, ours, rule, result, tmp_path, request):
    program = os.path.join(request.config.getoption("--bin"), "bdc-sync")
    names = []
    for name, text in (("base", base), ("theirs", theirs), ("ours", ours),
                       ("rules", '{"rules": [' + rule + "]}")):
        names.append(str(tmp_path / name))
        with open(names[-1], "w", encoding="utf-8") as file:
            file.write(text)
    answer = subprocess.run([program, "merge", *names[:3], "--rules", names[3]],
                            capture_output=True, text=True, timeout=30)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == result + "\n"


class Repository:
    def __init__(self, folder, program):
        self.folder, self.program = str(folder), program
        self.env = {**os.environ, "HOME": self.folder, "GIT_CONFIG_NOSYSTEM": "1",
                    "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org",
                    "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org"}

    def git(self, *words, status=0):
        answer = subprocess.run(["git", *words], cwd=self.folder, env=self.env, text=True,
                                capture_output=True, timeout=60)
        assert answer.returncode == status, answer.stdout + answer.stderr
        return answer.stdout + answer.stderr

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def commit(self, text):
        self.write("data.json", text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")

    def read(self):
        with open(os.path.join(self.folder, "data.json")) as file:
            return file.read()

    def diverge(self, base, side, main):
        self.commit(base)
        self.git("checkout", "-q", "-b", "side")
        self.commit(side)
        self.git("checkout", "-q", "main")
        self.commit(main)


def test_changes_that_git_alone_cannot_merge_are_merged(repository):
    # Neighbouring lines: git's own merge would stop here.
    repository.diverge('{\n    "a": 1,\n    "b": 1\n}\n', '{\n    "a": 2,\n    "b": 1\n}\n',
                       '{\n    "a": 1,\n    "b": 2\n}\n')
    repository.git("merge", "-q", "-m", "merge", "side")
    assert repository.read() == '{\n    "a": 2,\n    "b": 2\n}\n'


@pytest.mark.parametrize("order", ["%O %B %A", "%O %A %B"])
def test_a_driver_that_forgot_output_loses_nothing(repository, order):
    repository.git("config", "merge.json.driver", f"'{repository.program}' merge {order}")
    repository.diverge('{"a": 1, "b": 1}', '{"a": 2, "b": 1}', '{"a": 1, "b": 2}')
    repository.git("merge", "-q", "-m", "merge", "side")
    assert json.loads(repository.read()) == {"a": 2, "b": 2}


def test_an_overlap_is_a_conflict_of_git_and_is_listed(repository):
    repository.diverge('{"a": 1, "b": 1}', '{"a": 2, "b": 2}', '{"a": 3, "b": 1}')
    said = repository.git("merge", "side", status=1)
    assert "conflict (edit_edit) at /a" in said
    assert "data.json" in repository.git("diff", "--name-only", "--diff-filter=U")
    assert json.loads(repository.read()) == {"a": 2, "b": 2}


def test_a_file_added_on_both_sides_is_merged_by_member(repository):
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", "attributes")
    repository.git("checkout", "-q", "-b", "side")
    repository.commit('{"a": 1}')
    repository.git("checkout", "-q", "main")
    repository.commit('{"b": 2}')
    repository.git("merge", "-q", "-m", "merge", "side")
    assert json.loads(repository.read()) == {"a": 1, "b": 2}


def test_rules_of_the_repository_decide(repository):
    repository.write("rules.json", json.dumps({"rules": [
        {"path": "$.items", "rule": "keyed_list", "key": "id"},
        {"path": "$.items[*].n", "rule": "counter"}], "else": "ask"}))
    repository.git("config", "merge.json.driver",
                   f"'{repository.program}' merge %O %B %A --output %A --rules rules.json")
    repository.diverge('{"items": [{"id": 1, "n": 5}]}', '{"items": [{"id": 1, "n": 7}]}',
                       '{"items": [{"id": 0, "n": 0}, {"id": 1, "n": 6}]}')
    repository.git("merge", "-q", "-m", "merge", "side")
    assert json.loads(repository.read()) == {"items": [{"id": 0, "n": 0}, {"id": 1, "n": 8}]}


def test_what_is_no_json_is_left_to_a_person(repository):
    repository.diverge('{"a": 1}', '{"a": 2}', "not json")
    assert "data.json" in repository.git("merge", "side", status=1)
    assert repository.read() == "not json"
