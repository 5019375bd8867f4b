// A main, from outside: exit status, signals, reload and what it prints.
#include "libs/app/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/suite_version.h"

namespace bdcsync::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// run_test_program in a process of its own, with everything that it prints.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    const std::string path =
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / "run_test_program";
    std::vector<char*> argv = {const_cast<char*>(path.c_str())};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int ends[2];
    if (pipe(ends) != 0) ADD_FAILURE() << "no pipe";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    char* const environment[] = {nullptr};
    EXPECT_EQ(posix_spawn(&pid_, path.c_str(), &actions, nullptr, argv.data(), environment), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = ends[0];
  }
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(output_);
  }

  // Reads on until `text` was printed.
  void Await(const std::string& text) {
    while (printed_.find(text) == std::string::npos) {
      ASSERT_TRUE(ReadSome()) << "it never printed: " << text << "\nbut: " << printed_;
    }
  }
  void Signal(int number) { kill(pid_, number); }
  // The exit status; -1 when a signal ended it.
  int Wait() {
    while (ReadSome()) {
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const std::string& printed() const { return printed_; }

 private:
  bool ReadSome() {
    char buffer[4096];
    const ssize_t bytes = read(output_, buffer, sizeof(buffer));
    if (bytes > 0) printed_.append(buffer, static_cast<std::size_t>(bytes));
    return bytes > 0;
  }

  pid_t pid_ = 0;
  int output_ = -1;
  std::string printed_;
};

class RunTest : public ::testing::Test {
 protected:
  RunTest() { std::filesystem::create_directories(dir_); }
  ~RunTest() override { std::filesystem::remove_all(dir_); }

  std::vector<std::string> Arguments(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--data-dir=" + dir_ + "/data", "--grpc-port=0",
                                          "--http-port=0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  const std::string dir_ =
      absl::StrCat(::testing::TempDir(), "run_test_", getpid(), "_",
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(RunTest, StopsCleanlyOnSigtermAndSigint) {
  for (const int number : {SIGTERM, SIGINT}) {
    Program program(Arguments());
    program.Await("\"message\":\"ready\"");
    program.Signal(number);
    EXPECT_EQ(program.Wait(), 0);
    EXPECT_THAT(program.printed(), AllOf(HasSubstr("draining"), HasSubstr("stopped")));
  }
}

TEST_F(RunTest, WhatItMakesIsItsOwnersAlone) {
  Program program(Arguments());
  program.Await("\"message\":\"ready\"");
  EXPECT_EQ(std::filesystem::status(dir_ + "/data").permissions(),
            std::filesystem::perms::owner_all);
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
}

TEST_F(RunTest, ASecondSigtermDoesNotWait) {
  Program program(Arguments({"--fake.hang"}));
  program.Await("\"message\":\"ready\"");
  program.Signal(SIGTERM);
  program.Await("draining");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 1);
}

TEST_F(RunTest, WhatDoesNotStopIsLeftBehind) {
  Program program(Arguments({"--fake.hang", "--shutdown.drain_timeout=50ms"}));
  program.Await("\"message\":\"ready\"");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 1);
  EXPECT_THAT(program.printed(), HasSubstr("\"something does not stop; the process ends without "
                                           "it\",\"waited\":\"150ms\""));
}

TEST_F(RunTest, AFailedStartSaysWhyAndExitsWithOne) {
  Program program(Arguments({"--fake.fail"}));
  EXPECT_EQ(program.Wait(), 1);
  EXPECT_THAT(program.printed(), HasSubstr("cannot start: fake: told to fail"));
}

TEST_F(RunTest, WaitsForADependencyAndBecomesReady) {
  const std::string file = dir_ + "/needed";
  Program program(Arguments({"--fake.needed_file=" + file}));
  program.Await("\"reason\":\"no file yet\"");
  EXPECT_THAT(program.printed(), Not(HasSubstr("\"message\":\"ready\"")));
  std::ofstream(file) << "good";
  program.Await("\"message\":\"ready\"");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
}

TEST_F(RunTest, ADependencyThatTurnsOutWrongEndsTheProcess) {
  const std::string file = dir_ + "/needed";
  Program program(Arguments({"--fake.needed_file=" + file}));
  program.Await("\"reason\":\"no file yet\"");
  std::ofstream(file) << "wrong";
  EXPECT_EQ(program.Wait(), 1);
  EXPECT_THAT(program.printed(), HasSubstr("cannot start: fake: the file is wrong"));
}

TEST_F(RunTest, StopsCleanlyWhileItWaitsForADependency) {
  Program program(Arguments({"--fake.needed_file=" + dir_ + "/never"}));
  program.Await("\"reason\":\"no file yet\"");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
}

TEST_F(RunTest, ATakenPortIsToldInOneJsonLineAndOneSentence) {
  Program first(Arguments());
  first.Await("\"grpc_port\":");
  const std::size_t digits = first.printed().find("\"grpc_port\":") + 12;
  const std::string port =
      first.printed().substr(digits, first.printed().find(',', digits) - digits);
  Program second(Arguments({"--grpc-port=" + port}));
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_THAT(second.printed(),
              AllOf(HasSubstr("cannot start: cannot listen for gRPC on 127.0.0.1:"),
                    HasSubstr("\"from\":\"grpc\""), Not(HasSubstr("\nE"))));
}

TEST_F(RunTest, ABadConfigurationExitsWithTwo) {
  Program program(Arguments({"--grpc-port=x", "--fake.grating=1"}));
  EXPECT_EQ(program.Wait(), 2);
  EXPECT_THAT(program.printed(), AllOf(HasSubstr("flag --grpc-port: 'x' is not a whole number"),
                                       HasSubstr("did you mean --fake.greeting?")));
}

TEST_F(RunTest, SighupAppliesWhatCanChangeAndNamesTheRest) {
  const std::string file = dir_ + "/config.yaml";
  std::ofstream(file) << "fake: {greeting: one}\n";
  Program program(Arguments({"--config", file}));
  program.Await("\"message\":\"ready\"");
  std::ofstream(file) << "fake: {greeting: two}\nworkers: {threads: 7}\n";
  program.Signal(SIGHUP);
  program.Await("\"text\":\"two\"");
  program.Await("\"changed\":\"fake.greeting\"");
  program.Await("\"keys\":\"workers.threads\"");
  std::ofstream(file) << "fake: {greetin: three}\n";
  program.Signal(SIGHUP);
  program.Await("nothing was applied");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
}

TEST_F(RunTest, SighupTakesNothingThatACheckRefuses) {
  const std::string file = dir_ + "/config.yaml";
  std::ofstream(file) << "fake: {greeting: one}\n";
  Program program(Arguments({"--config", file}));
  program.Await("\"message\":\"ready\"");
  const auto reload = [&](const std::string& text) {
    std::ofstream(file) << text;
    program.Signal(SIGHUP);
  };
  reload("fake: {check: wrong, greeting: two}\n");
  program.Await("nothing was applied\",\"mistakes\":\"fake: these do not go together");
  // Good at a start, but not with the `check` that this process keeps.
  reload("fake: {check: tender, greeting: rude}\n");
  program.Await("nothing was applied\",\"mistakes\":\"fake: rude is for the tender");
  reload("fake: {greeting: unwise}\n");
  program.Await("\"message\":\"this is unwise\"");
  program.Await("\"text\":\"unwise\"");
  EXPECT_THAT(program.printed(),
              AllOf(Not(HasSubstr("\"text\":\"two\"")), Not(HasSubstr("\"text\":\"rude\""))));
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
}

TEST_F(RunTest, WhatCannotStartIsNoGoodConfiguration) {
  for (const char* question : {"--check-config", "--http-port=0"}) {
    Program program(Arguments({"--fake.check=wrong", question}));
    EXPECT_EQ(program.Wait(), 2) << question;
    EXPECT_THAT(program.printed(),
                AllOf(HasSubstr("fake: these do not go together"), Not(HasSubstr("is good"))));
  }
}

TEST_F(RunTest, WhatIsUnwiseIsToldByACheckAndLoggedAtStart) {
  Program check(Arguments({"--fake.check=unwise", "--check-config"}));
  EXPECT_EQ(check.Wait(), 0);
  EXPECT_EQ(check.printed(),
            "run_test_program: warning: this is unwise\nthe configuration is good\n");
  Program program(Arguments({"--fake.check=unwise"}));
  program.Await("\"message\":\"this is unwise\"");
  program.Await("\"message\":\"ready\"");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
}

TEST_F(RunTest, AnswersQuestionsAboutTheConfiguration) {
  Program check(Arguments({"--check-config"}));
  EXPECT_EQ(check.Wait(), 0);
  EXPECT_EQ(check.printed(), "the configuration is good\n");
  Program print(Arguments({"--print-config"}));
  EXPECT_EQ(print.Wait(), 0);
  EXPECT_THAT(print.printed(), HasSubstr("greeting: \"hello\"  # default"));
  Program docs({"--print-config-docs"});
  EXPECT_EQ(docs.Wait(), 0);
  EXPECT_THAT(docs.printed(), HasSubstr("| `fake.greeting` |"));
  Program version({"--version"});
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_EQ(version.printed(), absl::StrCat("run_test_program ", kSuiteVersion, "\n"));
  Program help({"--help"});
  EXPECT_EQ(help.Wait(), 0);
  EXPECT_THAT(help.printed(), HasSubstr("usage: run_test_program"));
}

}  // namespace
}  // namespace bdcsync::app
