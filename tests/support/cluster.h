#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/files.h"
#include "tests/support/process.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_dir.h"

namespace comet::test {

/// A daemon of ours with a home and a settings file in a folder of its own, on a free port of 127.0.0.1.
class Daemon {
 public:
  /// `marker` stands right before the port in the line of its boot.
  Daemon(std::string program, std::string folder, std::string settings, std::string marker)
      : program_(std::move(program)), folder_(std::move(folder)), marker_(std::move(marker)) {
    REQUIRE(files_->make_folders(folder_));
    configure(settings);
  }
  void configure(const std::string& settings) { REQUIRE(replace_file(*files_, config_file(), settings)); }

  std::vector<std::string> environment;  ///< variables of the next start, as NAME=value

  /// Starts it and waits until it has announced itself or ended.
  void start(const std::vector<std::string>& arguments = {}) {
    std::vector<std::string> command{built_program(program_), "-c", config_file()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = environment;
    variables.push_back("HOME=" + folder_);
    process_ = std::make_unique<Process>(command, folder_ + "/output", variables);
    REQUIRE(eventually([&] { return output().find(marker_) != std::string::npos || process_->ended(); }));
    const size_t at = output().find(marker_);
    port_ = at == std::string::npos ? 0 : std::stoi(output().substr(at + marker_.size()));
  }
  bool running() const { return port_ != 0 && process_ != nullptr && !process_->ended(); }
  int32_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// The exit status of an asked-for stop; nothing if it takes longer than two seconds.
  std::optional<int> stop(int signal = SIGTERM) {
    process_->signal(signal);
    return process_->wait(std::chrono::seconds(2));
  }
  Process& process() { return *process_; }
  std::string output() const { return process_->output(); }
  const std::string& folder() const { return folder_; }
  std::string config_file() const { return folder_ + "/daemon.conf"; }
  std::string read(const std::string& name) { return read_file(*files_, folder_ + "/" + name).value_or("absent"); }

 private:
  const std::string program_, folder_, marker_;
  std::unique_ptr<Files> files_ = make_real_files();
  std::unique_ptr<Process> process_;
  int32_t port_ = 0;
};

/// A name server and a broker, real processes, gone with the scope.
class Cluster {
 public:
  explicit Cluster(const std::string& broker_settings = {})
      : name_server("mqnamesrv", dir_ / "namesrv", "listenPort=0\nbindAddress=127.0.0.1\n", "address 127.0.0.1:"),
        broker("mqbroker", dir_ / "broker", broker_file(dir_ / "broker", broker_settings),
               "The broker[broker-a, 127.0.0.1:") {
    name_server.start();
    REQUIRE(name_server.running());
    start_broker();
    INFO(broker.output());
    REQUIRE(broker.running());
  }
  void start_broker() { broker.start({"-n", name_server.address()}); }
  const TempDir& dir() const { return dir_; }

  static std::string broker_file(const std::string& folder, const std::string& more) {
    return "brokerName=broker-a\nlistenPort=0\nbrokerIP1=127.0.0.1\nbindAddress=127.0.0.1\nmappedFileSizeCommitLog="
           "16777216\n"
           "maxHashSlotNum=1000\nmaxIndexNum=4000\nstorePathRootDir=" +
           folder + "/store\n" + more;
  }

 private:
  TempDir dir_;

 public:
  Daemon name_server, broker;
};

}  // namespace comet::test
