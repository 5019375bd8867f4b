"""Each rule on the smallest file that breaks it and the nearest one that does not."""
import importlib.util
import pathlib

import pytest

import functions
import layers
import source

spec = importlib.util.spec_from_file_location(
    "tidy_main", pathlib.Path(__file__).with_name("__main__.py"))
tidy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tidy)

HEADER = "// What it is.\n#pragma once\n"


def check(path, content):
    return [f"{f.rule}:{f.line}" for f in tidy.check({path: source.File(path, content)})]


def check_all(files):
    made = {path: source.File(path, content) for path, content in files.items()}
    return [(f.path, f.rule) for f in tidy.check(made)]


def test_a_clean_header_has_no_findings():
    assert check("libs/base/a.h", HEADER + "int Answer();\n") == []


@pytest.mark.parametrize("content, rule", [
    ("#pragma once\n", "opening:1"),
    ("// What it is.\nint x();\n", "pragma-once:2"),
    ("// a\n" * 9 + "#pragma once\n", "opening:1"),
])
def test_a_header_opens_with_a_short_comment_and_pragma_once(content, rule):
    assert check("libs/base/a.h", content) == [rule]


@pytest.mark.parametrize("columns, found", [(100, []), (101, ["columns:1"])])
def test_lines_end_at_column_100(columns, found):
    assert check("libs/base/a.cc", "x" * columns + "\n") == found


def test_a_long_address_may_pass_column_100():
    assert check("libs/base/a.cc", "// https://example.org/" + "x" * 100 + "\n") == []


@pytest.mark.parametrize("lines, found", [(600, []), (601, ["file-length:601"])])
def test_a_file_ends_at_line_600(lines, found):
    assert check("libs/base/a.cc", "\n" * lines) == found


@pytest.mark.parametrize("lines, found", [(70, []), (71, ["function-length:1"])])
def test_a_function_ends_at_line_70(lines, found):
    body = "  Call();\n" * (lines - 2)
    assert check("libs/base/a.cc", "void F() {\n" + body + "}\n") == found
    assert check("tools/a.py", "def f():\n" + "    call()\n" * (lines - 1)) == found


CPP = """
#define MACRO(x) do { x; } while (0)
namespace a {
constexpr std::array kTable = {
    Row{1, Make(2)},
};
template <typename T>
class Box : public Base {
 public:
  explicit Box(int x) : x_{x}, y_(x) {}
  int Get() const noexcept override { return [this] { return x_; }(); }
  absl::StatusOr<std::map<int, int>> Map(std::function<void()> f = [] {}) { return {}; }

 private:
  int x_ = 0;
  struct Inner { int z{4}; };
};
enum class E { kA, kB };
struct Made MakeIt(int a) { if (a) { return {a}; } return {}; }
bool operator==(const E& a, const E& b) { return &a == &b; }
const char* kText = "{ not a brace";
char c = '{'; int million = 1'000'000;
TEST(Suite, ReadsAsASentence) { EXPECT_EQ(1, 1); }
auto Trailing(int a) -> std::vector<int> { return {a}; }
}  // namespace a
int main() { }
"""


def test_functions_are_found_in_classes_and_namespaces_and_nothing_else_is():
    names = [name for _, _, name in functions.cpp_functions(source.blank_literals(CPP))]
    assert names == ["Box", "Get", "Map", "MakeIt", "operator==", "TEST", "Trailing", "main"]


@pytest.mark.parametrize("call", [
    "auto t = std::chrono::system_clock::now();", "absl::Now();", "std::time(nullptr);",
    "std::this_thread::sleep_for(x);", "absl::SleepFor(x);", "usleep(3);", "int a = rand();",
    "std::rand();", "std::random_device d;", "long t = time(nullptr);",
])
def test_time_waiting_and_chance_come_from_libs_base_only(call):
    assert check("services/version/a.cc", call + "\n") == ["banned-call:1"]
    assert check("libs/base/a.cc", call + "\n") == []


@pytest.mark.parametrize("call", [
    "mutex_.AwaitWithTimeout(c, t);", "changed_.WaitWithTimeout(&mutex_, t);",
    "done.WaitForNotificationWithTimeout(t);",
])
def test_programs_do_not_wait_on_a_clock_that_may_be_set_back(call):
    assert check("services/version/a.cc", call + "\n") == ["banned-call:1"]
    assert check("services/version/a_test.cc", call + "\n") == []
    assert check("libs/bus/a.cc", "redisConnectWithTimeout(host, port, t);\n") == []


@pytest.mark.parametrize("line", [
    "// absl::Now() is banned", 'Log("sleep_for(1)");', "clock.Now();", "operand(3);",
    "run.time(nullptr);",
])
def test_a_comment_a_string_or_a_method_is_not_a_banned_call(line):
    assert check("services/version/a.cc", line + "\n") == []


def test_an_allowance_needs_the_rule_and_a_reason():
    call = "absl::SleepFor(x);"
    assert check("bench/a.cc", f"{call}  // tidy-allow(banned-call): paces the load\n") == []
    assert check("bench/a.cc", f"// tidy-allow(banned-call): paces the load\n{call}\n") == []
    assert check("bench/a.cc", f"{call}  // tidy-allow(banned-call):\n") == ["banned-call:1"]
    assert check("bench/a.cc", f"{call}  // tidy-allow(columns): why\n") == ["banned-call:1"]


@pytest.mark.parametrize("path, header, refused", [
    ("libs/base/a.cc", "libs/log/log.h", True),
    ("libs/rpc/a.cc", "libs/log/log.h", False),
    ("libs/rpc/a_test.cc", "libs/testing/temp_dir.h", False),
    ("libs/rpc/a.cc", "libs/testing/temp_dir.h", True),
    ("libs/app/a.cc", "services/version/module.h", True),
    ("services/version/a.cc", "libs/merge/merge.h", False),
    ("services/version/a.cc", "services/version/b.h", False),
    ("services/version/a.cc", "services/conflict/b.h", True),
    ("services/version/a.cc", "libs/testing/temp_dir.h", True),
    ("services/standalone/main.cc", "services/conflict/module.h", False),
    ("services/standalone/main.cc", "services/conflict/resolve.h", True),
    ("services/standalone/main.cc", "clients/cli/cli.h", False),
    ("services/standalone/main.cc", "clients/bench/bench.h", False),
    ("services/standalone/main.cc", "clients/bench/options.h", True),
    ("services/gateway/main.cc", "clients/bench/bench.h", True),
    ("clients/cli/a.cc", "services/version/a.h", True),
    ("clients/cli/a.cc", "libs/rpc/channel.h", False),
    ("clients/cli/a.cc", "libs/sql/pool.h", True),
    ("libs/base/a.cc", "../base/b.h", True),
])
def test_includes_point_downwards_only(path, header, refused):
    assert check(path, f'#include "{header}"\n') == (["include:1"] if refused else [])


def test_an_unknown_library_is_asked_to_take_its_place():
    assert check("libs/new/a.cc", '#include "libs/base/status.h"\n') == ["include:1"]


@pytest.mark.parametrize("path, refused", [
    ("services/event-store/store.cc", True),
    ("services/event-store/grpc_adapter.cc", False),
    ("services/event-store/sqlite_storage.cc", False),
    ("services/event-store/module.cc", False),
    ("services/event-store/version_client.cc", False),
    ("services/event-store/store_test.cc", False),
    ("services/gateway/websocket/listener.cc", False),
    ("libs/merge/merge.cc", True),
    ("libs/rpc/server.cc", False),
])
def test_only_adapters_see_drivers(path, refused):
    assert check(path, "#include <grpcpp/grpcpp.h>\n") == (["driver:1"] if refused else [])


def test_a_driver_is_seen_through_our_own_headers():
    files = {
        "services/version/reader.cc": '#include "services/version/reader.h"\n',
        "services/version/reader.h": HEADER + '#include "libs/rpc/channel.h"\n',
        "libs/rpc/channel.h": HEADER + "#include <grpcpp/channel.h>\n",
    }
    assert check_all(files) == [("services/version/reader.cc", "driver"),
                                ("services/version/reader.h", "driver")]


def test_generated_messages_are_values_but_generated_stubs_are_not():
    assert check("services/version/a.cc", '#include "bdcsync/version/v1/version.pb.h"\n') == []
    assert check("services/version/a.cc",
                 '#include "bdcsync/version/v1/version.grpc.pb.h"\n') == ["driver:1"]


@pytest.mark.parametrize("line", [
    "timer.Wait(absl::Seconds(5));", "if (text.size() > 4096) return;", "b.reserve(64 * 1024);",
    "socket.expires_after(std::chrono::seconds(3));",
])
def test_limits_have_names(line):
    assert check("services/version/a.cc", f"void F() {{\n  {line}\n}}\n") == ["named-limit:2"]


@pytest.mark.parametrize("line", [
    "constexpr absl::Duration kWaitMax = absl::Seconds(5);", "size_t bytes_max = 64 * 1024;",
    "std::array<int, 256> table;", "Wait(absl::Seconds(0));", "Log(d / absl::Seconds(1));",
    "if (count > 1) return;",
    "absl::Duration timeout =\n    absl::Seconds(5);", "for (int c = 0; c < 256; ++c) {}",
    "Call({.default_value = absl::Seconds(5)});",
])
def test_a_named_limit_or_no_limit_is_fine(line):
    assert check("services/version/a.cc", f"void F() {{\n  {line}\n}}\n") == []


def test_tests_may_say_their_numbers():
    assert check("services/version/a_test.cc", "void F() { Wait(absl::Seconds(5)); }\n") == []


@pytest.mark.parametrize("statement", [
    'absl::string_view v = c ? "" : a.space();', 'absl::string_view v = c ? a.space() : "";',
    'const std::string_view v{c ? "x" : space};', 'absl::string_view v(c ? R"(x)" : space);',
    'absl::string_view v = c ? "a" : d ? "b" : s;', 'absl::string_view v = F(c ? 1 : 2) ? "" : s;',
    'absl::string_view v = c\n    ? std::string(a.b)\n    : "";',
    'T t{1}; absl::string_view v = c?"":s;', 'absl::string_view v = F(G(x), c ? s : "");',
])
def test_no_view_of_a_condition_that_may_make_a_temporary_string(statement):
    for path in ("services/version/a.cc", "libs/base/a.h", "clients/cli/a_test.cc"):
        found = check(path, HEADER + f"void F() {{\n  {statement}\n}}\n")
        assert found == ["view-of-condition:4"]


@pytest.mark.parametrize("statement", [
    'absl::string_view v = c ? absl::string_view() : a.b();', 'absl::string_view v = c ? "" : "x";',
    'absl::string_view v = c ? "a" : d ? "b" : "c";', 'absl::string_view v = c ? a : b;',
    'absl::string_view v = c ? "" : kNothing;', 'absl::string_view v = "a ? b : c";',
    'absl::string_view v = c ? "x" : absl::string_view(s);', 'absl::string_view v = F(c ? 1 : s);',
    'std::string v = c ? "" : a.space();', 'Call(c ? absl::string_view("") : s, d ? "" : s);',
    'for (absl::string_view v : {"a"}) G(c ? "" : s);', 'absl::string_view v; G(c ? "" : s);',
])
def test_a_view_of_what_is_a_view_either_way_is_fine(statement):
    assert check("services/version/a.cc", f"void F() {{\n  {statement}\n}}\n") == []


@pytest.mark.parametrize("comment, found", [
    ("// TODO: later", ["note:1"]), ("// FIXME", ["note:1"]),
    ("// TODO(anna): drop when v2 is gone", []), ("// a todo list", []),
])
def test_a_note_has_an_owner(comment, found):
    assert check("libs/base/a.cc", comment + "\n") == found


@pytest.mark.parametrize("text, found", [
    ("see /work" + "/main/x", ["machine-path:1"]), ("in /home" + "/anna/x", ["machine-path:1"]),
    ("in $HOME/work/x", []), ("/var/lib/bdc-sync/", []), ("https://example.org/work/1", []),
])
def test_no_path_of_one_machine(text, found):
    assert check("docs/a.md", text + "\n") == found


def test_cpp_files_are_named_in_snake_case():
    assert check("libs/base/RingBuffer.cc", "\n") == ["file-name:1"]


def test_the_library_order_has_no_cycle():
    left = dict(layers.LIBRARIES)
    while left:
        free = [name for name, needs in left.items() if not needs & left.keys()]
        assert free, f"cycle among {sorted(left)}"
        for name in free:
            del left[name]
