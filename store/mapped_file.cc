#include "store/mapped_file.h"

#include <cstdio>

namespace comet::store {

std::string MappedFile::name_of(int64_t base) {
  char name[24];
  std::snprintf(name, sizeof name, "%020lld", static_cast<long long>(base));
  return name;
}

Result<std::shared_ptr<MappedFile>> MappedFile::open(Files& files, LogFilePtr file, bool writable,
                                                     DiskFailures failures) {
  COMET_TRY(auto opened, files.open(file->path, writable ? OpenMode::kReadWrite : OpenMode::kRead));
  if (writable)
    COMET_TRY_VOID(
        opened->allocate(file->size_bytes));  // Apache's are sparse: a store into a hole could meet a full disk
  COMET_TRY(auto mapping, opened->map(file->size_bytes, writable ? MapFor::kAppend : MapFor::kRead));
  return std::shared_ptr<MappedFile>(new MappedFile(std::move(file), std::move(mapping), nullptr, std::move(failures)));
}

Result<std::shared_ptr<MappedFile>> MappedFile::create(Files& files, LogFilePtr file, DiskFailures failures) {
  COMET_TRY(auto created, files.open(file->path, OpenMode::kCreate));
  auto made = [&]() -> Result<std::unique_ptr<Mapping>> {
    COMET_TRY_VOID(created->resize(0));  // what a crash left under this name must not show through
    COMET_TRY_VOID(created->allocate(file->size_bytes));
    return created->map(file->size_bytes, MapFor::kAppend);
  }();
  if (!made) {
    (void)files.remove(file->path);
    return tl::unexpected(std::move(made).error());
  }
  return std::shared_ptr<MappedFile>(
      new MappedFile(std::move(file), std::move(*made), std::move(created), std::move(failures)));
}

Result<void> MappedFile::make_durable(Files& files) {
  if (!created_) return {};
  COMET_TRY_VOID(created_->sync());
  COMET_TRY_VOID(files.sync_folder(parent_folder(path())));
  created_.reset();
  return {};
}

}  // namespace comet::store
