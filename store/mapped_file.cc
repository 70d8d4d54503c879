#include "store/mapped_file.h"

#include <cstdio>

namespace comet::store {

std::string MappedFile::name_of(int64_t base) {
  char name[24];
  std::snprintf(name, sizeof name, "%020lld", static_cast<long long>(base));
  return name;
}

Result<std::shared_ptr<MappedFile>> MappedFile::open(Files& files, const Path& path, PhyOffset base, int64_t size_bytes,
                                                     bool writable) {
  COMET_TRY(auto file, files.open(path, writable ? OpenMode::kReadWrite : OpenMode::kRead));
  if (writable)
    COMET_TRY_VOID(file->allocate(size_bytes));  // Apache's are sparse: a store into a hole could meet a full disk
  COMET_TRY(auto mapping, file->map(size_bytes, writable ? MapFor::kAppend : MapFor::kRead));
  return std::shared_ptr<MappedFile>(new MappedFile(path, base, size_bytes, std::move(mapping), nullptr));
}

Result<std::shared_ptr<MappedFile>> MappedFile::create(Files& files, const Path& path, PhyOffset base,
                                                       int64_t size_bytes) {
  COMET_TRY(auto file, files.open(path, OpenMode::kCreate));
  auto made = [&]() -> Result<std::unique_ptr<Mapping>> {
    COMET_TRY_VOID(file->resize(0));  // what a crash left under this name must not show through
    COMET_TRY_VOID(file->allocate(size_bytes));
    return file->map(size_bytes, MapFor::kAppend);
  }();
  if (!made) {
    (void)files.remove(path);
    return tl::unexpected(std::move(made).error());
  }
  return std::shared_ptr<MappedFile>(new MappedFile(path, base, size_bytes, std::move(*made), std::move(file)));
}

Result<void> MappedFile::make_durable(Files& files) {
  if (!created_) return {};
  COMET_TRY_VOID(created_->sync());
  COMET_TRY_VOID(files.sync_folder(parent_folder(path_)));
  created_.reset();
  return {};
}

}  // namespace comet::store
