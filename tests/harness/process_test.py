"""A program under test that ends by itself, ends badly or is reported on fails the test."""

import os

import pytest

from harness.process import Process
from harness.suite import Suite

REPORTS = [
    "==17==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
    "==17==ERROR: LeakSanitizer: detected memory leaks",
    "WARNING: ThreadSanitizer: data race (pid=17)",
    "libs/a.cc:7:3: runtime error: signed integer overflow",
]
FOREVER = "while :; do sleep 0.05; done"


def program(folder, script, name="program"):
    return Process(name, ["/bin/sh", "-c", script], {}, 1, str(folder))


def until_it_says(text, process):
    process.start(wait=False)
    while text not in open(process.log_path, encoding="utf-8").read():
        process.check_running()
    return process


def until_it_ended(process):
    process.start(wait=False)
    os.waitid(os.P_PID, process.popen.pid, os.WEXITED | os.WNOWAIT)
    return process


def suite_of(folder, *processes):
    suite = Suite(str(folder), "/nowhere", one_process=True)
    suite.processes = {process.name: process for process in processes}
    return suite


@pytest.mark.parametrize("status", [0, 66])
@pytest.mark.parametrize("end", [Process.kill, Process.terminate])
def test_one_that_ended_by_itself_cannot_be_ended(tmp_path, end, status):
    process = until_it_ended(program(tmp_path, f"exit {status}"))
    with pytest.raises(RuntimeError, match=f"ended by itself with {status}"):
        end(process)


def test_a_bad_status_is_told_after_all_have_ended(tmp_path):
    suite = suite_of(tmp_path, *(
        until_it_says("runs", program(
            tmp_path, f"trap 'exit {status}' TERM; echo runs; {FOREVER}", name))
        for name, status in (("first", 0), ("second", 66), ("third", 67))))
    with pytest.raises(RuntimeError, match="third ended with 67(.|\n)*second ended with 66"):
        suite.stop()
    assert not any(process.running() for process in suite.processes.values())


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_told_even_of_one_that_was_killed(tmp_path, report):
    process = until_it_says("detail", program(tmp_path, f"echo '{report}'; echo detail; {FOREVER}"))
    process.kill()
    with pytest.raises(RuntimeError, match="a sanitizer reported:\n(.|\n)*detail"):
        suite_of(tmp_path, process).stop()


def test_one_that_does_as_it_is_told_is_well(tmp_path):
    process = until_it_says("runs", program(
        tmp_path, f"trap 'exit 0' TERM; echo runs; {FOREVER}"))
    suite_of(tmp_path, process).stop()
    process.start(wait=False)
    process.kill()
    suite_of(tmp_path, process).stop()


def test_of_several_that_are_killed_the_one_that_ended_before_is_told(tmp_path):
    suite = suite_of(tmp_path, until_it_ended(program(tmp_path, "exit 66", "first")),
                     until_it_says("runs", program(tmp_path, f"echo runs; {FOREVER}", "second")))
    with pytest.raises(RuntimeError, match="first ended by itself with 66"):
        suite.kill()
    assert not any(process.running() for process in suite.processes.values())


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_told_of_a_suite_that_was_only_killed(tmp_path, report):
    suite = suite_of(tmp_path, until_it_says(
        "detail", program(tmp_path, f"echo '{report}'; echo detail; {FOREVER}")))
    suite.processes["never started"] = program(tmp_path, "exit 1", "never started")
    suite.kill()
    with pytest.raises(RuntimeError, match="a sanitizer reported:\n(.|\n)*detail"):
        suite.check_reports()
