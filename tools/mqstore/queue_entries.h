#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/consume_queue.h"

namespace comet::tools {

/// The entries of one queue as its files hold them, without a broker's idea of where they begin and end.
class QueueEntries {
 public:
  /// Of a folder consumequeue/<topic>/<id>; kInvalid names a file of another size than `file_bytes`.
  static Result<QueueEntries> open(Files& files, const Path& folder, int64_t file_bytes);

  /// Where an entry stands, for a person.
  std::string place(int64_t index) const;
  /// Nothing where no file holds it, or where nothing was written.
  std::optional<store::QueueEntry> entry(int64_t index);
  int64_t begin() const { return begin_; }  ///< of the first file
  int64_t end() const { return end_; }      ///< one past the last entry that was written

 private:
  static constexpr int64_t kBuffered = 64;  ///< entries read at a time

  QueueEntries(Files& files, Path folder, int64_t file_entries)
      : files_(&files), folder_(std::move(folder)), file_entries_(file_entries) {}
  Path path_of(int64_t index) const;
  bool load(int64_t index);
  void find_end();

  Files* files_;
  Path folder_;
  int64_t file_entries_;
  std::vector<int64_t> bases_;  ///< first entries of the files, sorted
  int64_t begin_ = 0, end_ = 0;
  int64_t buffer_first_ = -1;
  std::vector<std::byte> buffer_;
};

}  // namespace comet::tools
