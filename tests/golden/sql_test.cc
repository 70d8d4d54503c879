#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "broker/sql/sql_filter.h"
#include "common/message_properties.h"

namespace comet::broker {
namespace {

char letter(Truth truth) {
  switch (truth) {
    case Truth::kTrue:
      return 'T';
    case Truth::kFalse:
      return 'F';
    case Truth::kNull:
      return 'N';
    case Truth::kError:
      break;
  }
  return 'E';
}

std::string truths(const std::string& expression, const std::vector<std::string>& messages) {
  const auto filter = SqlFilter::compile(expression);
  std::string letters;
  if (!filter) return letters;
  for (const std::string& properties : messages) letters += letter((*filter)->evaluate(properties));
  return letters;
}

TEST_CASE("each expression comes to what it comes to in Apache's broker, for each message", "[golden][sql]") {
  std::ifstream file(COMETMQ_GOLDEN_DIR "/sql/pairs.jsonl");
  std::vector<std::string> messages;
  size_t expressions = 0;
  for (std::string line; std::getline(file, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row.contains("message")) {
      std::string text;
      for (const auto& [name, value] : row["message"].items()) append_property(text, name, value.get<std::string>());
      messages.push_back(text);
      continue;
    }
    const auto expression = row["expression"].get<std::string>();
    CAPTURE(expression);
    CHECK(truths(expression, messages) == row["truth"].get<std::string>());
    ++expressions;
  }
  CHECK(messages.size() == 12);
  CHECK(expressions > 700);
}

}  // namespace
}  // namespace comet::broker
