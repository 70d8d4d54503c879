#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/files.h"
#include "common/process.h"

namespace comet::test {

/// Asks `condition` every few milliseconds until it holds; false if it doesn't within the bound.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds bound = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + bound;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// The path of a program built beside this test.
inline std::string built_program(const std::string& name) { return parent_folder(program_path()) + "/" + name; }

/// A program that runs as long as the scope, its output in a file.
class Process {
 public:
  /// `environment` replaces variables of ours, as NAME=value.
  Process(std::vector<std::string> command, std::string output_file, const std::vector<std::string>& environment = {})
      : output_file_(std::move(output_file)) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, output_file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    std::vector<std::string> variables = environment;
    for (char** one = environ; *one != nullptr; ++one) variables.emplace_back(*one);
    if (::posix_spawn(&pid_, command[0].c_str(), &actions, nullptr, pointers(command).data(),
                      pointers(variables).data()) != 0)
      pid_ = 0;
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() {
    if (pid_ == 0 || exit_status_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  /// Stands still at the return: on a busy machine threads run on for a while after the signal.
  void freeze() const {
    signal(SIGSTOP);
    siginfo_t stopped{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED);
  }
  void thaw() const { signal(SIGCONT); }

  /// The exit status, or 128 + signal; nothing if it runs on beyond the bound.
  std::optional<int> wait(std::chrono::milliseconds bound = std::chrono::seconds(10)) {
    eventually([this] { return ended(); }, bound);
    return exit_status_;
  }
  bool ended() {
    int status = 0;
    if (!exit_status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return exit_status_.has_value();
  }
  /// Everything that it wrote so far, to stdout and stderr.
  std::string output() const {
    std::ifstream file(output_file_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
  }

  const std::string output_file_;
  pid_t pid_ = 0;
  std::optional<int> exit_status_;
};

}  // namespace comet::test
