#include "tools/output.h"

#include <chrono>
#include <thread>

namespace comet::tools {

void Output::line(std::string_view text) {
  if (!json_) stream_ << text << '\n';
}

void Output::text(std::string_view text) {
  if (!json_) stream_ << text;
}

void Output::table(std::string_view key, const Table& table) {
  text(json_ ? std::string() : table.text());
  set(key, table.json());
}

void Output::pause(int64_t seconds) {
  finish();
  stream_.flush();
  members_ = {};
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
}

void Output::finish() {
  if (json_) stream_ << members_.done().text << '\n';
}

}  // namespace comet::tools
