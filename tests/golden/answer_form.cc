#include "tests/golden/answer_form.h"

#include <algorithm>
#include <array>
#include <regex>

#include "remoting/protocol/fastjson.h"

namespace comet::golden {
namespace {

using nlohmann::json;
using Answer = test::RawClient::Answer;

/// Fields of bodies whose keys are data, not names.
constexpr std::array kMaps{"attributes",    "brokerAddrs", "brokerAddrTable",   "clusterAddrTable",
                           "consumerTable", "data",        "filterServerTable", "messageQueueTable",
                           "offsetTable",   "table",       "topicConfigTable",  "subscriptionTable",
                           "lockOKMQSet"};

class Form {
 public:
  std::vector<std::string> lines;

  void differ(std::string line) { lines.push_back(std::move(line)); }

  void values(const json& was, const json& now, const std::string& at) {
    if (kind(was) != kind(now)) return differ(at + " is " + kind(now) + ", not " + kind(was));
    if (was.is_array()) return entries(was, now, at);
    if (!was.is_object()) return;
    const bool map = at.ends_with("consumerTable[]") ||
                     std::any_of(kMaps.begin(), kMaps.end(), [&](std::string_view name) { return at.ends_with(name); });
    if (map) return entries(was, now, at);
    names(was, now, at);
    for (const auto& [name, value] : was.items()) {
      if (now.contains(name)) values(value, now[name], at + "." + name);
    }
  }
  /// The names of two objects.
  void names(const json& was, const json& now, const std::string& at) {
    for (const auto& [name, value] : was.items()) {
      if (!now.contains(name)) differ(at + " has no " + name);
    }
    for (const auto& [name, value] : now.items()) {
      if (!was.contains(name)) differ(at + " has " + name + " besides");
    }
  }

 private:
  static std::string kind(const json& value) {
    if (value.is_number_float()) return "a decimal";
    if (value.is_number()) return "an integer";
    return value.type_name();
  }
  /// Each of ours against the first of the recorded ones; a map's values may differ in form among themselves.
  void entries(const json& was, const json& now, const std::string& at) {
    if (was.empty()) return;
    if (now.empty()) return differ(at + " is empty");
    for (const json& one : now) values(*was.begin(), one, at + "[]");
  }
};

/// What a field's text stands for.
std::string kind_of(const std::string& text) {
  static const std::regex integer("-?[0-9]{1,19}");
  if (text == "true" || text == "false") return "a flag";
  return std::regex_match(text, integer) ? "an integer" : "a text";
}

void compare_fields(const Answer& was, const Answer& now, Form& form) {
  if (was.ext.has_value() != now.ext.has_value()) return form.differ(now.ext ? "extFields besides" : "no extFields");
  if (!was.ext) return;
  form.names(*was.ext, *now.ext, "extFields");
  for (const auto& [name, text] : *was.ext) {
    const auto found = now.ext->find(name);
    if (found == now.ext->end() || kind_of(found->second) == kind_of(text)) continue;
    form.differ("extFields." + name + " is " + kind_of(found->second) + ", not " + kind_of(text));
  }
}

/// A remark without what differs from run to run: numbers, ids. What Apache leaves in an answer that nobody gave a
/// remark is none.
std::string plain(const std::string& remark) {
  if (remark == "not set any response code") return {};
  static const std::regex changing("[0-9A-F]{16,}|[0-9]+");
  return std::regex_replace(remark, changing, "#");
}

json frame_members(json head) {
  head.erase("remark");
  head.erase("extFields");
  return head;
}

/// How a body's keys and separators are written, which a parsed body no longer tells.
std::string spelling(const std::string& body) {
  std::string found;
  if (std::regex_search(body, std::regex(R"([{,]-?[0-9]+:)"))) found += " bare-integer-keys";
  if (body.find("{{\"") != std::string::npos) found += " object-keys";
  if (body.find("\": ") != std::string::npos || body.find('\n') != std::string::npos) found += " blanks";
  return found;
}

constexpr std::string_view kRecordMagic("\xda\xa3\x20\xa7", 4);

void compare_bodies(const std::string& was, const std::string& now, Form& form) {
  if (was.empty() != now.empty()) return form.differ(was.empty() ? "a body besides" : "no body");
  if (was.empty()) return;
  if (was.substr(4, 4) == kRecordMagic) {
    if (now.substr(4, 4) != kRecordMagic) form.differ("the body isn't messages");
    return;
  }
  const auto recorded = remoting::parse_fastjson(was), ours = remoting::parse_fastjson(now);
  if (!recorded || !ours) return form.differ("the body isn't JSON");
  form.values(*recorded, *ours, "body");
  if (spelling(was) != spelling(now)) form.differ("body is written with" + spelling(now) + ", not" + spelling(was));
}

}  // namespace

std::vector<std::string> differences(const Answer& recorded, const Answer& ours, bool same_question) {
  Form form;
  if (recorded.code != ours.code) {
    form.differ("code " + std::to_string(ours.code) + ", not " + std::to_string(recorded.code));
    return form.lines;
  }
  form.names(frame_members(recorded.head), frame_members(ours.head), "head");
  for (const char* name : {"flag", "language", "serializeTypeCurrentRPC", "version"}) {
    if (recorded.head.value(name, json()) != ours.head.value(name, json()))
      form.differ(std::string(name) + " is " + ours.head.value(name, json()).dump());
  }
  if (same_question && plain(recorded.remark) != plain(ours.remark)) form.differ("remark '" + ours.remark + "'");
  compare_fields(recorded, ours, form);
  compare_bodies(recorded.body, ours.body, form);
  return form.lines;
}

}  // namespace comet::golden
