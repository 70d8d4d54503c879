#include <set>

#include "tests/support/cluster.h"
#include "tests/support/request_list.h"

namespace comet::test {
namespace {

using Ext = RawClient::Ext;

constexpr int32_t kSystemError = 1, kRuntimeInfo = 28;

/// The codes that `mqbroker --list-requests` shows.
std::set<int32_t> answered_codes(const TempDir& dir) {
  Process process({built_program("mqbroker"), "--list-requests"}, dir / "requests", {"HOME=" + dir.path()});
  REQUIRE(process.wait() == 0);
  std::set<int32_t> codes;
  std::istringstream lines(process.output());
  for (std::string line; std::getline(lines, line);) codes.insert(std::stoi(line));
  return codes;
}

/// What stands for a field in a request that is right.
template <class M>
std::string good_value() {
  if constexpr (remoting::detail::kTextLike<M>) return "x";
  return "1";
}

/// Texts that are no value of a field, or none that it may have.
template <class M>
std::vector<std::string> bad_values(remoting::FieldCheck check) {
  std::vector<std::string> values;
  if constexpr (remoting::detail::is_optional<M>::value) {
    values = bad_values<typename M::value_type>(check);
  } else if constexpr (remoting::detail::is_strong<M>::value) {
    values = bad_values<decltype(M::value)>(check);
  } else if constexpr (std::is_arithmetic_v<M> && !std::is_same_v<M, bool>) {
    values = {"one", "1x", "0x1F", "1 ", "99999999999999999999"};
    if (sizeof(M) == 4) values.emplace_back("2147483648");
  }
  if (check != nullptr) {
    for (const char* odd : {" ", "-1", "-9223372036854775808", "2147483647"})
      if (!check(odd).empty()) values.emplace_back(odd);
  }
  return values;
}

struct BadFields {
  /// Where the log ends: it must not move.
  std::string log_end() {
    return nlohmann::json::parse(client.call(kRuntimeInfo).body).at("table").at("commitLogMaxOffset");
  }
  /// Sends `fields` and expects a refusal whose remark holds each of `words`.
  void refused(int32_t code, const Ext& fields, const std::vector<std::string>& words) {
    ++asked;
    const auto answer = client.call(code, fields, "a body");
    CAPTURE(code, fields, answer.remark);
    CHECK(answer.code == kSystemError);
    for (const std::string& word : words) CHECK_THAT(answer.remark, Catch::Contains(word));
  }
  template <class Request>
  void check_fields() {
    const auto code = static_cast<int32_t>(Request::kCode);
    Ext good;
    const auto each = [](auto visit) {
      std::apply([&](const auto&... field) { (visit(field), ...); }, Request::fields());
    };
    each([&](const auto& field) {
      good[std::string(field.name)] = good_value<typename std::decay_t<decltype(field)>::Member>();
    });
    each([&](const auto& field) {
      const std::string name(field.name);
      Ext fields = good;
      if (field.required) {
        fields.erase(name);
        refused(code, fields, {name});
      }
      for (const std::string& value : bad_values<typename std::decay_t<decltype(field)>::Member>(field.check)) {
        fields[name] = value;
        refused(code, fields, {name, "'" + value + "'"});
      }
    });
  }

  Cluster cluster;
  RawClient client{cluster.broker.port()};
  int asked = 0;
};

}  // namespace

TEST_CASE("a request with a field missing, of another type or out of range is refused by name, and nothing is stored",
          "[e2e][broker]") {
  BadFields broker;
  const auto codes = answered_codes(broker.cluster.dir());
  REQUIRE(codes.size() > 60);
  const std::string before = broker.log_end();
  size_t tables = 0;
  remoting::AllRequests::each([&]<class Request>() {
    if (codes.count(static_cast<int32_t>(Request::kCode)) == 0) return;
    ++tables;
    broker.check_fields<Request>();
  });
  CHECK(tables == codes.size());
  CHECK(broker.asked > 400);
  CHECK(broker.log_end() == before);
}

}  // namespace comet::test
