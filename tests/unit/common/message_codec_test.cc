#include "common/message_codec.h"

#include <catch2/catch.hpp>

#include <vector>

#include "common/crc32.h"

using namespace comet;

namespace {

std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return out;
}

// Records that Apache's MessageDecoder accepts: topic T, body hello, tag A, key k, queue 3, place 7, offset 4096.
const std::string kV1 =
    "0000006fdaa320a73610a686000000030000000000000000000000070000000000001000000000000000018bcfe56800"
    "7f0000010000c3500000018bcfe5687b7f00000100002a9f0000000000000000000000000000000568656c6c6f0154000e"
    "544147530141024b455953016b02";
const std::string kV2 =
    "00000088daa320ab3610a686000000030000000000000000000000070000000000001000000000300000018bcfe56800"
    "20010db80000000000000000000000010000c3500000018bcfe5687b20010db800000000000000000000000100002a9f"
    "0000000000000000000000000000000568656c6c6f000154000e544147530141024b455953016b02";

Message sample() {
  Message message;
  message.topic = "T";
  message.body = "hello";
  message.body_crc = crc32_masked(as_bytes("hello"));
  message.properties =
      "TAGS\x01"
      "A\x02"
      "KEYS\x01k\x02";
  message.queue_id = QueueId(3);
  message.queue_offset = QueueOffset(7);
  message.phy_offset = PhyOffset(4096);
  message.born_timestamp_ms = 1'700'000'000'000;
  message.store_timestamp_ms = 1'700'000'000'123;
  message.born_host = Host::parse("127.0.0.1:50000").value();
  message.store_host = Host::parse("127.0.0.1:10911").value();
  return message;
}

std::vector<std::byte> encoded(const Message& message) {
  std::vector<std::byte> out(static_cast<size_t>(encoded_size(message)));
  encode_message(message, out.data());
  return out;
}

}  // namespace

TEST_CASE("a version 1 record has Apache's bytes", "[codec]") { CHECK(encoded(sample()) == from_hex(kV1)); }

TEST_CASE("Apache's version 1 record decodes to its fields", "[codec]") {
  const auto bytes = from_hex(kV1);
  const auto record = decode_message(bytes, true);
  REQUIRE(record);
  CHECK(record->record_bytes == 111);
  CHECK(record->magic == kMessageMagicV1);
  CHECK(record->message.topic == "T");
  CHECK(record->message.body == "hello");
  CHECK(record->message.queue_id.value == 3);
  CHECK(record->message.queue_offset.value == 7);
  CHECK(record->message.phy_offset.value == 4096);
  CHECK(record->message.store_timestamp_ms == 1'700'000'000'123);
  CHECK(record->message.born_host.text() == "127.0.0.1:50000");
  CHECK(record->message.store_host.text() == "127.0.0.1:10911");
}

TEST_CASE("a version 2 record with IPv6 hosts decodes", "[codec]") {
  const auto bytes = from_hex(kV2);
  const auto record = decode_message(bytes, true);
  REQUIRE(record);
  CHECK(record->magic == kMessageMagicV2);
  CHECK(record->message.born_host.text() == "[2001:db8::1]:50000");
  CHECK(record->message.properties == sample().properties);
}

TEST_CASE("a topic over 127 bytes makes a version 2 record that reads back", "[codec]") {
  Message message = sample();
  const std::string topic(200, 't');
  message.topic = topic;
  const auto bytes = encoded(message);
  const auto record = decode_message(bytes, true);
  REQUIRE(record);
  CHECK(record->magic == kMessageMagicV2);
  CHECK(record->message.topic == topic);
}

TEST_CASE("a record without its size is all there but the first four bytes", "[codec]") {
  const auto whole = encoded(sample());
  std::vector<std::byte> bytes(whole.size());
  encode_message_unsized(sample(), bytes.data());
  CHECK(load_be<int32_t>(bytes.data()) == 0);
  CHECK(std::equal(bytes.begin() + 4, bytes.end(), whole.begin() + 4));
}

TEST_CASE("each damaged size, magic or length is named, and none is read past the end", "[codec]") {
  const auto good = encoded(sample());
  for (size_t at : {0u, 3u, 4u, 7u, 84u, 87u, 93u, 95u, 96u}) {
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = good;
      bytes[at] ^= static_cast<std::byte>(1 << bit);
      const auto record = decode_message(bytes, true);
      CAPTURE(at, bit);
      CHECK_FALSE(record);
    }
  }
  for (size_t length = 0; length < good.size(); ++length)
    CHECK_FALSE(decode_message(ByteView(good.data(), length), true));
}

TEST_CASE("a flipped byte in the body fails the CRC only where it is checked", "[codec]") {
  auto bytes = encoded(sample());
  bytes[90] ^= std::byte{1};
  CHECK(decode_message(bytes, true).error().what == "the body's CRC is wrong");
  CHECK(decode_message(bytes, false));
}

TEST_CASE("offset message ids have Apache's form and read back", "[codec]") {
  const auto host = Host::parse("127.0.0.1:10911").value();
  CHECK(make_offset_msg_id(host, PhyOffset(4096)) == "7F00000100002A9F0000000000001000");
  const auto v6 = Host::parse("[2001:db8::1]:10911").value();
  const auto id = parse_offset_msg_id(make_offset_msg_id(v6, PhyOffset(77)));
  REQUIRE(id);
  CHECK(id->store_host == v6);
  CHECK(id->offset.value == 77);
  CHECK_FALSE(parse_offset_msg_id("7F00"));
  CHECK_FALSE(parse_offset_msg_id(std::string(32, 'x')));
}

TEST_CASE("an IPv4 address inside IPv6 is IPv4", "[codec]") {
  CHECK(Host::parse("[::ffff:10.0.0.1]:5").value().text() == "10.0.0.1:5");
  CHECK_FALSE(Host::parse("10.0.0.1"));
  CHECK_FALSE(Host::parse("10.0.0.1:70000"));
  CHECK_FALSE(Host::parse("host:1"));
}

TEST_CASE("tag codes are Java's", "[codec]") {
  CHECK(tags_code("TagA") == 2598919);
  CHECK(tags_code("") == 0);
}
