/// How long a store takes to open and what it costs, by its size. Run by bench/curves; prints one JSON object.
///
///     store_bench queues DIR COUNT   makes a store of COUNT queues with a message each, cleanly stopped
///     store_bench log DIR GIB        makes a sparse log: each GiB is one record and a blank over the rest
///     store_bench tail DIR GIB       makes a store of 1 KiB bodies that ends with a kill and has no checkpoint
///     store_bench open DIR [READS]   opens it, reads at READS random places, stops it cleanly
///     store_bench reopen DIR         opens it and is killed
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "common/crc32.h"
#include "common/rng.h"
#include "store/message_store.h"

namespace {

using namespace comet;
using store::MessageStore;

constexpr int64_t kGiB = 1024 * 1024 * 1024;
constexpr int32_t kQueuesPerTopic = 8;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "store_bench: %s\n", why.c_str());
  std::exit(1);
}

store::StoreOptions options_for(const std::string& root) {
  store::StoreOptions options;
  options.root = root;
  options.message_index = false;
  options.delete_when = "99";
  options.disk_max_used_ratio = 95;
  return options;
}

Message message_of(std::string_view topic, int32_t queue, std::string_view body) {
  Message out;
  out.topic = topic;
  out.queue_id = QueueId(queue);
  out.body = body;
  out.born_timestamp_ms = 1'700'000'000'000;
  out.born_host = Host::parse("127.0.0.1:50000").value();
  out.store_host = Host::parse("127.0.0.1:10911").value();
  return out;
}

int64_t status_kb(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stoll(line.substr(name.size() + 1));
  return 0;
}

double cpu_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// A store with its threads, as a broker runs it.
class Running {
 public:
  Running(const std::string& root, bool threads) : files_(make_real_files()) {
    auto opened = MessageStore::open(*files_, clock_, null_log(), options_for(root));
    if (!opened) die(opened.error().what);
    store_ = std::move(*opened);
    if (!threads) return;
    threads_.emplace_back([this] { store_->run_flusher(); });
    threads_.emplace_back([this] { store_->run_keeper(); });
    threads_.emplace_back([this] { store_->run_indexer(); });
  }
  MessageStore* operator->() { return store_.get(); }
  void put(std::string_view topic, int32_t queue, std::string_view body) {
    store::PutRequest request;
    request.message = message_of(topic, queue, body);
    const auto put = store_->put(request);
    if (put.status != store::PutStatus::kOk) die("put: " + std::string(put.problem));
  }
  void stop() {
    if (auto done = store_->stop(); !done) die(done.error().what);
    for (auto& thread : threads_) thread.join();
  }

 private:
  SystemClock clock_;
  std::unique_ptr<Files> files_;
  std::unique_ptr<MessageStore> store_;
  std::vector<std::thread> threads_;
};

void make_queues(const std::string& root, int64_t count) {
  Running store(root, true);
  std::string topic;
  for (int64_t i = 0; i < count; ++i) {
    if (i % kQueuesPerTopic == 0) topic = "topic-" + std::to_string(i / kQueuesPerTopic);
    store.put(topic, static_cast<int32_t>(i % kQueuesPerTopic), "x");
  }
  store.stop();
}

void write_whole(int file, const void* bytes, size_t length, int64_t at) {
  if (::pwrite(file, bytes, length, at) != static_cast<ssize_t>(length)) die(std::strerror(errno));
}

void make_sparse_log(const std::string& root, int64_t gib) {
  const auto files = make_real_files();
  if (auto made = files->make_folders(root + "/commitlog"); !made) die(made.error().what);
  for (int64_t i = 0; i < gib; ++i) {
    Message message = message_of("sparse", 0, "one record of a gibibyte");
    message.body_crc = crc32_masked(as_bytes(message.body));
    message.queue_offset = QueueOffset(i);
    message.phy_offset = PhyOffset(i * kGiB);
    message.store_timestamp_ms = 1'700'000'000'000 + i;
    std::vector<std::byte> record(static_cast<size_t>(encoded_size(message)));
    encode_message(message, record.data());
    std::byte blank[8];
    store_be<int32_t>(blank, static_cast<int32_t>(kGiB - static_cast<int64_t>(record.size())));
    store_be<int32_t>(blank + 4, kBlankMagic);
    char name[32];
    std::snprintf(name, sizeof name, "/commitlog/%020" PRId64, i * kGiB);
    const int file = ::open((root + name).c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (file < 0 || ::ftruncate(file, kGiB) != 0) die(std::strerror(errno));
    write_whole(file, record.data(), record.size(), 0);
    write_whole(file, blank, sizeof blank, static_cast<int64_t>(record.size()));
    ::close(file);
  }
  Running(root, false).stop();  // builds the queue and notes the end
}

void make_tail(const std::string& root, int64_t gib) {
  Running store(root, false);
  const std::string body(1024, 'x');
  const std::string topics[] = {"tail-a", "tail-b"};
  for (int64_t i = 0; i < gib * kGiB / 1'130; ++i) store.put(topics[i % 2], static_cast<int32_t>(i / 2 % 4), body);
  std::_Exit(0);
}

/// Reads the records that stand at random places of the one queue of a sparse log.
double read_randomly(Running& store, int64_t reads) {
  Rng rng(42);
  const int64_t end = store->max_offset({"sparse", QueueId(0)}, true).value;
  const auto began = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < reads; ++i) {
    const auto got = store->get({.topic = "sparse",
                                 .queue_id = QueueId(0),
                                 .offset = QueueOffset(rng.between(0, end - 1)),
                                 .max_messages = 1,
                                 .may_block = true});
    if (got.status != store::GetStatus::kFound || !decode_message(got.records.front().bytes, true))
      die("a record can't be read: " + std::string(get_status_name(got.status)));
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}

void open_store(const std::string& root, int64_t reads, bool killed) {
  const int64_t anon_before = status_kb("RssAnon");
  const double cpu_before = cpu_ms();
  const auto began = std::chrono::steady_clock::now();
  Running store(root, true);
  const double open_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  const double open_cpu_ms = cpu_ms() - cpu_before;
  const double read_ms = reads > 0 ? read_randomly(store, reads) : 0;
  std::printf(
      "{\"open_ms\": %.1f, \"open_cpu_ms\": %.1f, \"anon_kb\": %lld, \"anon_grown_kb\": %lld, \"pte_kb\": %lld, "
      "\"read_ms\": %.1f}\n",
      open_ms, open_cpu_ms, static_cast<long long>(status_kb("RssAnon")),
      static_cast<long long>(status_kb("RssAnon") - anon_before), static_cast<long long>(status_kb("VmPTE")), read_ms);
  std::fflush(stdout);
  if (killed) std::_Exit(0);
  store.stop();
}

}  // namespace

int main(int argc, char** argv) {
  ::mallopt(M_MMAP_THRESHOLD, 256 * 1024);  // as mqbroker does
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() < 2) die("usage: store_bench queues|log|tail|open|reopen DIR [NUMBER]");
  const std::string &what = args[0], &root = args[1];
  const int64_t number = args.size() > 2 ? std::atoll(args[2].c_str()) : 0;
  if (what == "queues") {
    make_queues(root, number);
  } else if (what == "log") {
    make_sparse_log(root, number);
  } else if (what == "tail") {
    make_tail(root, number);
  } else if (what == "open" || what == "reopen") {
    open_store(root, number, what == "reopen");
  } else {
    die("unknown: " + what);
  }
}
