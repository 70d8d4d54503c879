#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "common/message_properties.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using nlohmann::json;

namespace {

const std::string kGolden = std::string(COMET_GOLDEN) + "/store/";

store::StoreOptions apache_sizes(const std::string& root) {
  store::StoreOptions options;
  options.root = root;
  options.commit_log_file_bytes = 262'144;
  options.consume_queue_file_bytes = 2'000;
  options.index_slots = 500;
  options.index_entries = 2'000;
  options.max_message_bytes = 65'536;
  return options;
}

/// One of Apache's stores, unpacked into a folder of its own.
struct ApacheStore {
  explicit ApacheStore(const std::string& name) {
    REQUIRE(std::system(("tar xzf " + kGolden + name + ".tar.gz -C " + dir.path()).c_str()) == 0);
    std::ifstream lines(kGolden + name + ".jsonl");
    for (std::string line; std::getline(lines, line);) manifest.push_back(json::parse(line));
    REQUIRE(manifest.size() > 100);
  }
  std::string root() const { return dir / "store"; }

  TempDir dir;
  std::vector<json> manifest;
};

std::map<std::string, std::string> properties_of(const Message& message) {
  std::map<std::string, std::string> out;
  each_property(message.properties,
                [&](std::string_view name, std::string_view value) { out[std::string(name)] = value; });
  return out;
}

/// Apache appends the batch's properties, UNIQ_KEY among them, to each message's own: the first one is the message's.
std::string own_key(const Message& message) {
  std::string key;
  each_property(message.properties, [&](std::string_view name, std::string_view value) {
    if (name == "UNIQ_KEY" && key.empty()) key = value;
  });
  return key;
}

std::string prefix_hex(std::string_view body) {
  std::string out;
  for (const char c : body.substr(0, 64)) {
    out += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    out += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

bool is_plain(const std::string& kind) {
  return kind == "plain" || kind == "tagged" || kind == "retry" || kind == "compressed";
}

std::string text_of(const json& value) { return value == "null" ? "" : value.get<std::string>(); }

void check_record(const json& line, const Message& message) {
  auto properties = properties_of(message);
  CHECK(properties["UNIQ_KEY"] == line["msgId"]);
  CHECK(properties["TAGS"] == text_of(line["tags"]));
  CHECK(properties["KEYS"] == text_of(line["keys"]));
  if (line["kind"] == "compressed") {
    CHECK((message.sys_flag & sys_flag::kCompressed) != 0);
    return;
  }
  CHECK(static_cast<int>(message.body.size()) == line["bodyLength"]);
  CHECK(prefix_hex(message.body) == line["bodyPrefixHex"]);
}

/// Every acknowledged message stands where Apache said, and its queue leads there.
void check_messages(RunningStore& store, const std::vector<json>& manifest) {
  for (const json& line : manifest) {
    CAPTURE(line.dump());
    const std::string kind = line["kind"];
    if (!is_plain(kind)) continue;
    const std::string topic = line["topic"];
    const auto id = parse_offset_msg_id(line["offsetMsgId"].get<std::string>());
    REQUIRE(id);
    const auto record = store->record_at(id->offset);
    REQUIRE(record);
    const auto decoded = decode_message(record->bytes, true);
    REQUIRE(decoded);
    CHECK(decoded->message.topic == topic);
    CHECK(decoded->message.queue_id.value == line["queueId"]);
    CHECK(decoded->message.queue_offset.value == line["queueOffset"]);
    CHECK(decoded->message.store_host == id->store_host);
    check_record(line, decoded->message);
    const auto entry = store->entry({topic, decoded->message.queue_id}, decoded->message.queue_offset).value();
    REQUIRE(entry);
    CHECK(entry->at == id->offset);
    CHECK(entry->bytes == decoded->record_bytes);
    CHECK(entry->tags_code == tags_code(text_of(line["tags"])));
    const auto got = store->get({.topic = topic,
                                 .queue_id = decoded->message.queue_id,
                                 .offset = decoded->message.queue_offset,
                                 .max_messages = 1,
                                 .may_block = true});
    REQUIRE(got.status == store::GetStatus::kFound);
    CHECK(got.count == 1);
    CHECK(got.records.front().bytes.size() == record->bytes.size());
  }
}

void check_batch(RunningStore& store, const std::vector<json>& manifest) {
  for (const json& line : manifest) {
    if (line["kind"] != "batch") continue;
    const std::string topic = line["topic"];
    const int64_t first = line["firstQueueOffset"];
    std::string ids;
    for (int64_t i = 0; i < line["count"].get<int64_t>(); ++i) {
      const auto entry = store->entry({topic, QueueId(line["queueId"])}, QueueOffset(first + i)).value();
      REQUIRE(entry);
      const auto record = store->record_at(entry->at);
      REQUIRE(record);
      if (i > 0) ids += ',';
      ids += own_key(decode_message(record->bytes, true)->message);
    }
    CHECK(ids == line["msgIds"]);
  }
}

void check_look_ups(RunningStore& store, const std::vector<json>& manifest) {
  for (const json& line : manifest) {
    CAPTURE(line.dump());
    if (!is_plain(line["kind"])) continue;
    for (const std::string& key : {text_of(line["msgId"]), text_of(line["keys"])}) {
      if (key.empty()) continue;
      const std::string topic = line["topic"];
      const auto found =
          store->query({.topic = topic, .key = key, .max_messages = 64, .begin_ms = 0, .end_ms = INT64_MAX});
      bool hit = false;
      for (const auto& record : found.records)
        hit = hit || properties_of(decode_message(record.bytes, true)->message)["UNIQ_KEY"] == line["msgId"];
      CHECK(hit);
    }
  }
}

void check_pending_kinds(RunningStore& store) {
  CHECK(store.bodies("delayed", 2).empty());
  CHECK(store.bodies("delayed", 3).empty());
  CHECK(store->max_offset({"SCHEDULE_TOPIC_XXXX", QueueId(17)}, true).value >= 1);
  CHECK(store.bodies("trans", 1) == std::vector<std::string>{"half COMMIT_MESSAGE"});
  CHECK(store.bodies("trans", 2).empty());
}

}  // namespace

TEST_CASE("a store that Apache stopped cleanly opens and every message of it is read back", "[golden]") {
  const std::string version = GENERATE(as<std::string>(), "4.9.7", "5.3.3");
  CAPTURE(version);
  ApacheStore apache("apache-" + version + "-clean");
  RunningStore store(apache_sizes(apache.root()));
  INFO(store.problem.what);
  REQUIRE(store);
  CHECK_FALSE(store->opened_after_crash());
  check_messages(store, apache.manifest);
  check_batch(store, apache.manifest);
  check_look_ups(store, apache.manifest);
  check_pending_kinds(store);
  CHECK(store.bodies("delayed", 1) == std::vector<std::string>{"level 1, delivered"});
  if (version == "5.3.3") CHECK(store->max_offset({"rmq_sys_wheel_timer", QueueId(0)}, true).value >= 1);
}

TEST_CASE("a store of a killed Apache broker opens and every acknowledged message is there, by key too", "[golden]") {
  ApacheStore apache(GENERATE(as<std::string>(), "apache-4.9.7-crashed", "apache-5.3.3-crashed"));
  RunningStore store(apache_sizes(apache.root()));
  INFO(store.problem.what);
  REQUIRE(store);
  CHECK(store->opened_after_crash());
  check_messages(store, apache.manifest);
  check_batch(store, apache.manifest);
  check_look_ups(store, apache.manifest);
}

TEST_CASE("queues and index that were lost are built again from Apache's log, delayed messages with their due time",
          "[golden]") {
  ApacheStore apache(GENERATE(as<std::string>(), "apache-4.9.7-clean", "apache-5.3.3-clean"));
  std::optional<store::QueueEntry> due;
  {
    RunningStore store(apache_sizes(apache.root()));
    due = store->entry({"SCHEDULE_TOPIC_XXXX", QueueId(17)}, QueueOffset(0)).value();
  }
  std::filesystem::remove_all(apache.root() + "/consumequeue");
  std::filesystem::remove_all(apache.root() + "/index");
  std::filesystem::remove(apache.root() + "/checkpoint");
  RunningStore store(apache_sizes(apache.root()));
  check_messages(store, apache.manifest);
  check_batch(store, apache.manifest);
  check_look_ups(store, apache.manifest);
  const auto again = store->entry({"SCHEDULE_TOPIC_XXXX", QueueId(17)}, QueueOffset(0)).value();
  REQUIRE(due);
  REQUIRE(again);
  CHECK(again->tags_code == due->tags_code);
  CHECK(again->tags_code > 1'795'216'000'000);
}

TEST_CASE("an adopted store goes on: new messages follow Apache's and survive a clean restart and a kill", "[golden]") {
  ApacheStore apache(GENERATE(as<std::string>(), "apache-4.9.7-crashed", "apache-5.3.3-crashed"));
  int64_t next = 0;
  {
    RunningStore store(apache_sizes(apache.root()));
    next = store->max_offset({"plain", QueueId(0)}, true).value;
    CHECK(store.put("plain", 0, "ours", "TagA", "our-key").queue_offset.value == next);
    REQUIRE(store.stop());
  }
  TempDir copy;
  {
    RunningStore store(apache_sizes(apache.root()));
    check_messages(store, apache.manifest);
    CHECK(store.put("plain", 0, "ours too").queue_offset.value == next + 1);
    copy_folder(apache.root(), copy / "killed");
  }
  RunningStore store(apache_sizes(copy / "killed"));
  check_messages(store, apache.manifest);
  CHECK(store.bodies("plain", 0).back() == "ours too");
  CHECK(store->query({.topic = "plain", .key = "our-key", .max_messages = 8, .begin_ms = 0, .end_ms = INT64_MAX})
            .records.size() == 1);
}

TEST_CASE("tags that Apache kept beside its queues (enableConsumeQueueExt) are found, and go with their topic",
          "[golden]") {
  ApacheStore apache("apache-4.9.7-clean");
  const std::string beside = apache.root() + "/consumequeue_ext/tagged";
  REQUIRE(std::filesystem::exists(beside));
  RunningStore store(apache_sizes(apache.root()));
  REQUIRE(store);
  for (const json& line : apache.manifest) {
    if (line["kind"] != "tagged") continue;
    const std::string tag = line["tags"];
    const auto got = store->get({.topic = "tagged",
                                 .queue_id = QueueId(line["queueId"]),
                                 .offset = QueueOffset(line["queueOffset"]),
                                 .max_messages = 1,
                                 .may_block = true});
    REQUIRE(got.count == 1);
    CHECK(find_property(decode_message(got.records.front().bytes, true)->message.properties, "TAGS") == tag);
    CHECK(store->entry({"tagged", QueueId(line["queueId"])}, QueueOffset(line["queueOffset"])).value()->tags_code ==
          tags_code(tag));
  }
  store->delete_topic("tagged");
  CHECK_FALSE(std::filesystem::exists(beside));
  CHECK(std::filesystem::exists(apache.root() + "/consumequeue_ext/plain"));
}
