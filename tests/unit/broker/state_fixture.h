#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/consumer_filters.h"
#include "broker/consumer_offsets.h"
#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/producers.h"
#include "broker/topics.h"
#include "remoting/net/event_loop.h"
#include "tests/support/temp_dir.h"

namespace comet::test {

/// A client's connection that remembers what it was told.
class ToldChannel final : public remoting::Channel {
 public:
  ToldChannel(remoting::EventLoop& loop, Id id) : loop_(loop), id_(id) {}

  Id id() const override { return id_; }
  const Host& remote_host() const override { return host_; }
  const std::string& remote_text() const override { return text_; }
  remoting::EventLoop& loop() const override { return loop_; }
  bool open() const override { return is_open; }
  void send_oneway(remoting::OutgoingRequest request) override { told.push_back(std::move(request)); }
  void call(remoting::OutgoingRequest, int64_t, Answer) override {}
  void close() override { is_open = false; }

  bool is_open = true;
  std::vector<remoting::OutgoingRequest> told;

 private:
  std::string* answer_space() override { return &output_; }
  void answer_written(std::span<const PinnedBytes>) override {}
  void send_answer(std::string, std::vector<PinnedBytes>) override {}

  remoting::EventLoop& loop_;
  const Id id_;
  Host host_;
  const std::string text_ = "10.0.0.7:1234";
  std::string output_;
};

/// A broker's tables over a folder of their own; reopen() reads them again as a restart does.
struct BrokerState {
  explicit BrokerState(void (*adjust)(broker::BrokerConfig&) = nullptr) {
    settings.broker_name = "broker-a";
    settings.store_root = dir.path();
    if (adjust != nullptr) adjust(settings);
    reopen();
  }
  void reopen() {
    tables.reset();
    tables = std::make_unique<Tables>(*this);
  }
  Result<void> load() {
    COMET_TRY_VOID(tables->topics.load());
    COMET_TRY_VOID(tables->groups.load());
    COMET_TRY_VOID(tables->filters.load());
    return tables->offsets.load();
  }
  void restart() {
    REQUIRE(tables->topics.persist());
    REQUIRE(tables->groups.persist());
    REQUIRE(tables->offsets.persist());
    REQUIRE(tables->filters.persist());
    reopen();
    REQUIRE(load());
  }
  std::string path(const std::string& name) const { return settings.config_folder() + "/" + name; }
  void write(const std::string& name, const std::string& text) {
    REQUIRE(files->make_folders(settings.config_folder()));
    REQUIRE(replace_file(*files, path(name), text));
  }
  std::string read(const std::string& name) { return read_file(*files, path(name)).value_or("absent"); }

  struct Tables {
    explicit Tables(BrokerState& s)
        : live(*s.files, s.clock, s.settings, ""),
          topics(*s.files, s.clock, null_log(), live, s.path("topics.json")),
          groups(*s.files, s.clock, null_log(), live, s.path("subscriptionGroup.json")),
          offsets(*s.files, s.clock, null_log(), live, s.path("consumerOffset.json")),
          filters(*s.files, s.clock, null_log(), live, sql, s.path("consumerFilter.json")),
          consumers(s.clock, null_log(), live),
          producers(s.clock, live) {}
    broker::LiveConfig live;
    broker::Topics topics;
    broker::Groups groups;
    broker::ConsumerOffsets offsets;
    broker::SqlCache sql{null_log()};
    broker::ConsumerFilters filters;
    broker::Consumers consumers;
    broker::Producers producers;
  };

  TempDir dir;
  std::unique_ptr<Files> files = make_real_files();
  ManualClock clock;
  remoting::EventLoop loop{"test", clock};
  broker::BrokerConfig settings;
  std::unique_ptr<Tables> tables;
};

}  // namespace comet::test
