#include "broker/topic_journal.h"

#include <nlohmann/json.hpp>
#include <sstream>

namespace comet::broker {
namespace {

std::string head_of(const remoting::DataVersion& file) { return "{\"follows\":" + to_json(file) + "}\n"; }

}  // namespace

void TopicJournal::load(const remoting::DataVersion& file,
                        const std::function<void(const nlohmann::json& change)>& apply) {
  const std::lock_guard lock(mu_);
  head_ = head_of(file);
  auto content = read_file(files_, path_);
  if (!content || !content->starts_with(head_)) return;
  std::istringstream lines(content->substr(head_.size()));
  for (std::string line; std::getline(lines, line);) {
    const auto change = nlohmann::json::parse(line, nullptr, false);
    if (!change.is_object()) break;  // torn
    lines_ += line + "\n";
    apply(change);
  }
}

Result<void> TopicJournal::add(const nlohmann::json& change) {
  const std::lock_guard lock(mu_);
  const size_t begin = file_ ? head_.size() + lines_.size() : 0;
  lines_ += change.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return write_from(begin);
}

Result<void> TopicJournal::write_from(size_t begin) {
  if (!file_) {
    COMET_TRY_VOID(make_durable_folders(files_, parent_folder(path_)));
    COMET_TRY(file_, files_.open(path_, OpenMode::kCreate));
  }
  if (begin == 0) COMET_TRY_VOID(file_->resize(0));
  return file_->write_at(static_cast<int64_t>(begin), as_bytes(std::string_view(head_ + lines_).substr(begin)));
}

size_t TopicJournal::mark() const {
  const std::lock_guard lock(mu_);
  return lines_.size();
}

Result<void> TopicJournal::written(size_t mark, const remoting::DataVersion& file) {
  const std::lock_guard lock(mu_);
  head_ = head_of(file);
  lines_.erase(0, mark);
  if (!lines_.empty()) return write_from(0);
  file_.reset();
  auto removed = files_.remove(path_);
  return removed || removed.error().code == Errc::kNotFound ? Result<void>() : std::move(removed);
}

}  // namespace comet::broker
