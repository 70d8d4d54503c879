#include <chrono>
#include <cstdio>
#include <string>

#include "remoting/protocol/frame.h"
#include "remoting/protocol/headers/pull.h"
#include "remoting/protocol/headers/send.h"

/// What headers cost: decoding those of sends and pulls, writing those of answers. Prints ns per operation.
namespace comet::remoting {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// The best of many short runs, so that a busy neighbour doesn't count.
template <class F>
void measure(const char* what, size_t bytes, F run) {
  constexpr int kRuns = 2000, kPerRun = 500;
  double best = 1e18;
  for (int n = 0; n < kRuns; ++n) {
    const auto start = SteadyClock::now();
    for (int i = 0; i < kPerRun; ++i) run();
    const std::chrono::duration<double, std::nano> took = SteadyClock::now() - start;
    best = std::min(best, took.count() / kPerRun);
  }
  std::printf("%-48s %5zu bytes %8.1f ns/op\n", what, bytes, best);
}

template <class T>
void keep(T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

std::string send_frame(std::string_view properties) {
  SendMessageV2Request send;
  send.producer_group = "please_rename_unique_group_name";
  send.topic = "BenchmarkTest_with_a_name_of_usual_size";
  send.default_topic = "TBW102";
  send.born_timestamp_ms = 1795213543027;
  send.properties = properties;
  send.broker_name = "broker-a";
  std::string frame;
  append_request(frame, make_request(send, std::string(1024, 'x')), 104819, false);
  return frame;
}

std::string pull_frame() {
  PullMessageRequest pull;
  pull.consumer_group = "please_rename_unique_group_name";
  pull.topic = "BenchmarkTest_with_a_name_of_usual_size";
  pull.queue_offset = QueueOffset{123456789};
  pull.sys_flag = 6;
  pull.suspend_timeout_ms = 15000;
  pull.subscription = "*";
  pull.sub_version = 1795213543027;
  pull.expression_type = "TAG";
  std::string frame;
  append_request(frame, make_request(pull), 104819, false);
  return frame;
}

template <class Request>
void measure_decode(const char* what, const std::string& frame) {
  HeadDecoder decoder;
  measure((std::string(what) + ": header").c_str(), frame.size(), [&] {
    auto command = decoder.decode(frame);
    keep(command);
  });
  measure((std::string(what) + ": header and fields").c_str(), frame.size(), [&] {
    auto command = decoder.decode(frame);
    Request request;
    auto decoded = decode_fields(command->head.ext, request);
    keep(decoded);
    keep(request);
  });
}

void run() {
  constexpr std::string_view kEscaped =
      "KEYS\x01key-123456\x02UNIQ_KEY\x01"
      "FD000000000000000000000000000002234E30946E0966A8DE7355EA\x02WAIT\x01true\x02";
  measure_decode<SendMessageV2Request>("send, properties escaped", send_frame(kEscaped));
  measure_decode<SendMessageV2Request>("send, nothing escaped", send_frame(""));
  measure_decode<PullMessageRequest>("pull", pull_frame());

  SendMessageResponse answer;
  answer.msg_id = "7F000001000078BF000000000093E2D05";
  answer.transaction_id = "FD000000000000000000000000000002508475FFD2B2766AEA06000";
  answer.msg_region = "DefaultRegion";
  answer.trace_on = "true";
  std::string out;
  append_fields_json(out, answer);
  measure("send answer: fields", out.size(), [&] {
    out.clear();
    append_fields_json(out, answer);
    keep(out);
  });
}

}  // namespace
}  // namespace comet::remoting

int main() { comet::remoting::run(); }
