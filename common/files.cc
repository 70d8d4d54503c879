#include "common/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace comet {
namespace {

constexpr int64_t kPage = 4096;
/// Zeros written at once become one folio. Larger ones cost little less (docs/performance.md) and take memory in pieces
/// that a virtual machine has often given back to its host.
constexpr int64_t kFolio = 32 * 1024;

/// What the system's own words leave open: which limit it was and how to raise it.
std::string hint(const Path& path, int number) {
  if (number == EMFILE) return " (this process may open no more files: raise its limit, LimitNOFILE or ulimit -n)";
  if (number == ENFILE) return " (the system may open no more files: raise fs.file-max)";
  if (number == ENOMEM) return " (memory is short, or there are more mappings than vm.max_map_count)";
  struct statvfs info {};
  if (number == ENOSPC && (::statvfs(path.c_str(), &info) == 0 || ::statvfs(parent_folder(path).c_str(), &info) == 0) &&
      info.f_files > 0 && info.f_favail == 0)
    return " (the file system has space, but no inodes are left: fewer queues, or one made with more inodes)";
  return "";
}

tl::unexpected<Error> system_error(std::string_view call, const Path& path, int number = errno) {
  Errc code = Errc::kIo;
  if (number == ENOENT || number == ENOTDIR) code = Errc::kNotFound;
  if (number == EEXIST) code = Errc::kExists;
  if (number == ENOSPC || number == EDQUOT) code = Errc::kNoSpace;
  if (number == EMFILE || number == ENFILE) code = Errc::kFull;
  return fail(code, std::string(call) + " " + path + ": " + std::strerror(number) + hint(path, number));
}

/// Whatever the reason, also a full disk: what was to become durable is lost, and asking again can't bring it back.
tl::unexpected<Error> sync_error(std::string_view call, const Path& path) {
  auto error = system_error(call, path);
  error.value().code = Errc::kIo;
  return error;
}

/// Calls again while a signal interrupts.
template <class F>
auto retry(F call) {
  decltype(call()) got;
  do got = call();
  while (got < 0 && errno == EINTR);
  return got;
}

/// A descriptor that closes itself; shared by a file and its mappings.
struct Descriptor {
  int fd = -1;
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

Result<void> write_all(const Descriptor& file, const Path& path, int64_t at, ByteView bytes) {
  while (!bytes.empty()) {
    const auto put = retry([&] { return ::pwrite(file.fd, bytes.data(), bytes.size(), at); });
    if (put < 0) return system_error("write", path);
    if (put == 0) return fail(Errc::kIo, "write " + path + ": the system took no bytes");
    at += put;
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return {};
}

class RealMapping final : public Mapping {
 public:
  RealMapping(std::shared_ptr<Descriptor> file, Path path, void* data, int64_t size, MapFor use)
      : file_(std::move(file)),
        path_(std::move(path)),
        data_(static_cast<std::byte*>(data)),
        size_(size),
        writable_(use != MapFor::kRead) {}
  ~RealMapping() override { ::munmap(data_, static_cast<size_t>(size_)); }

  std::byte* data() override { return data_; }
  int64_t size() const override { return size_; }

  Result<void> sync(int64_t from, int64_t length) override {
    const auto [start, bytes] = pages(from, length);
    if (bytes == 0) return {};
    let_go(from, length);
    if (retry([&, s = start, n = bytes] { return ::msync(data_ + s, static_cast<size_t>(n), MS_SYNC); }) != 0)
      return sync_error("msync", path_);
    return {};
  }

  Result<void> fill(int64_t from, int64_t length) override {
    static std::byte zeros[kFolio];  // never written: all of it is the kernel's one page of zeros
    struct stat info {};
    if (::fstat(file_->fd, &info) != 0) return system_error("stat", path_);
    if (info.st_size < size_)  // writing would hide that
      return fail(Errc::kIo, path_ + " was made shorter by somebody: it has " + std::to_string(info.st_size) + " of " +
                                 std::to_string(size_) + " bytes");
    for (int64_t at = from; at < from + length; at += kFolio)
      COMET_TRY_VOID(write_all(*file_, path_, at,
                               ByteView(zeros).first(static_cast<size_t>(std::min(kFolio, from + length - at)))));
    return {};
  }

  Result<void> populate(int64_t from, int64_t length) override {
    if (!writable_) return fail(Errc::kInvalid, path_ + " is mapped for reading: nothing can be stored there");
    const auto [start, bytes] = pages(from, length);
    if (bytes == 0) return {};
    if (can_populate_.load(std::memory_order_relaxed)) {
      if (retry([&, s = start, n = bytes] {
            return ::madvise(data_ + s, static_cast<size_t>(n), MADV_POPULATE_WRITE);
          }) == 0)
        return {};
      if (errno != EINVAL && errno != ENOSYS) return system_error("madvise", path_);
      can_populate_.store(false, std::memory_order_relaxed);
    }
    // Adding zero takes the write fault and can't harm a store that runs at the same time.
    for (int64_t at = start; at < start + bytes; at += kPage)
      __atomic_fetch_or(reinterpret_cast<unsigned char*>(data_ + at), 0, __ATOMIC_RELAXED);
    return {};
  }

  bool resident(int64_t from, int64_t length) const override {
    const auto [start, bytes] = pages(from, length);
    constexpr int64_t kStep = 256;
    unsigned char pages_in[kStep];
    for (int64_t at = start; at < start + bytes; at += kStep * kPage) {
      const int64_t part = std::min(kStep * kPage, start + bytes - at);
      if (::mincore(data_ + at, static_cast<size_t>(part), pages_in) != 0) return false;
      for (int64_t i = 0; i < (part + kPage - 1) / kPage; ++i)
        if ((pages_in[i] & 1) == 0) return false;
    }
    return true;
  }

  void start_write_back(int64_t from, int64_t length) override {
    let_go(from, length);
    ::sync_file_range(file_->fd, from, length, SYNC_FILE_RANGE_WRITE);
  }

  void will_need(int64_t from, int64_t length) override {
    const auto [start, bytes] = pages(from, length);
    if (bytes > 0) ::madvise(data_ + start, static_cast<size_t>(bytes), MADV_WILLNEED);
  }

  void bring_in(int64_t from, int64_t length) override {
    will_need(from, length);
    const auto [start, bytes] = pages(from, length);
    if (bytes > 0) ::madvise(data_ + start, static_cast<size_t>(bytes), MADV_POPULATE_READ);
  }

 private:
  /// Takes the whole pages of a range out of the page table, where they would be write-protected one by one, each with
  /// an interrupt to every core that runs a thread of ours. They stay in the page cache; who reads them gets them back.
  void let_go(int64_t from, int64_t length) {
    const int64_t start = (from + kPage - 1) / kPage * kPage;
    const int64_t end = std::min(from + length, size_) / kPage * kPage;
    if (start >= 0 && end > start) ::madvise(data_ + start, static_cast<size_t>(end - start), MADV_DONTNEED);
  }

  /// The range widened to whole pages and cut to the mapping.
  std::pair<int64_t, int64_t> pages(int64_t from, int64_t length) const {
    const int64_t start = std::clamp<int64_t>(from, 0, size_) / kPage * kPage;
    const int64_t end = std::clamp<int64_t>(from + length, start, size_);
    return {start, end - start};
  }

  static inline std::atomic<bool> can_populate_{true};  // what the kernel offers, the same for all files
  const std::shared_ptr<Descriptor> file_;
  const Path path_;
  std::byte* const data_;
  const int64_t size_;
  const bool writable_;
};

class RealFile final : public File {
 public:
  RealFile(std::shared_ptr<Descriptor> file, Path path) : file_(std::move(file)), path_(std::move(path)) {}

  Result<size_t> read_at(int64_t at, std::span<std::byte> into) override {
    size_t done = 0;
    while (done < into.size()) {
      const auto got = retry(
          [&] { return ::pread(file_->fd, into.data() + done, into.size() - done, at + static_cast<int64_t>(done)); });
      if (got < 0) return system_error("read", path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  bool read_resident(int64_t at, std::span<std::byte> into) override {
    iovec part{into.data(), into.size()};
    return ::preadv2(file_->fd, &part, 1, at, RWF_NOWAIT) == static_cast<ssize_t>(into.size());
  }

  Result<void> write_at(int64_t at, ByteView bytes) override { return write_all(*file_, path_, at, bytes); }

  Result<int64_t> size() const override {
    struct stat info {};
    if (::fstat(file_->fd, &info) != 0) return system_error("stat", path_);
    return static_cast<int64_t>(info.st_size);
  }

  Result<void> resize(int64_t size_bytes) override {
    if (retry([&] { return ::ftruncate(file_->fd, size_bytes); }) != 0) return system_error("resize", path_);
    return {};
  }

  Result<void> zero(int64_t from, int64_t length) override {
    if (length <= 0) return {};
    if (retry([&] { return ::fallocate(file_->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, from, length); }) == 0)
      return {};
    if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) return system_error("zero", path_);
    const std::vector<std::byte> zeros(static_cast<size_t>(std::min<int64_t>(length, 1 << 20)));
    for (int64_t at = from; at < from + length; at += static_cast<int64_t>(zeros.size())) {
      const auto part = std::min<int64_t>(static_cast<int64_t>(zeros.size()), from + length - at);
      COMET_TRY_VOID(write_at(at, ByteView(zeros).first(static_cast<size_t>(part))));
    }
    return {};
  }

  Result<void> allocate(int64_t size_bytes) override {
    if (retry([&] { return ::fallocate(file_->fd, 0, 0, size_bytes); }) == 0) return {};
    if (errno != EOPNOTSUPP && errno != ENOSYS) return system_error("allocate", path_);
    COMET_TRY(const int64_t now, size());
    return now < size_bytes ? resize(size_bytes) : Result<void>();
  }

  Result<void> sync() override {
    if (retry([&] { return ::fdatasync(file_->fd); }) != 0) return sync_error("fdatasync", path_);
    return {};
  }

  Result<std::unique_ptr<Mapping>> map(int64_t length, MapFor use) override {
    const int access = use == MapFor::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
    void* data = ::mmap(nullptr, static_cast<size_t>(length), access, MAP_SHARED, file_->fd, 0);
    if (data == MAP_FAILED) return system_error("mmap", path_);
    if (use != MapFor::kRead) ::madvise(data, static_cast<size_t>(length), MADV_RANDOM);
    return std::make_unique<RealMapping>(file_, path_, data, length, use);
  }

 private:
  const std::shared_ptr<Descriptor> file_;
  const Path path_;
};

/// fcntl locks belong to the process, so a second one taken by the same process would succeed, and closing any
/// descriptor of the file drops them: this set keeps both from happening.
class LockedHere {
 public:
  bool add(std::pair<dev_t, ino_t> id) {
    const std::lock_guard lock(mu_);
    return ids_.insert(id).second;
  }
  void remove(std::pair<dev_t, ino_t> id) {
    const std::lock_guard lock(mu_);
    ids_.erase(id);
  }
  bool has(std::pair<dev_t, ino_t> id) {
    const std::lock_guard lock(mu_);
    return ids_.contains(id);
  }

 private:
  std::mutex mu_;
  std::set<std::pair<dev_t, ino_t>> ids_;
};
LockedHere& locked_here() {
  static LockedHere set;
  return set;
}

class RealLock final : public FileLock {
 public:
  RealLock(std::unique_ptr<Descriptor> file, std::pair<dev_t, ino_t> id) : file_(std::move(file)), id_(id) {}
  ~RealLock() override {
    file_.reset();
    locked_here().remove(id_);
  }

 private:
  std::unique_ptr<Descriptor> file_;
  const std::pair<dev_t, ino_t> id_;
};

FileInfo info_of(std::string name, const struct stat& info) {
  return {std::move(name), static_cast<int64_t>(info.st_size),
          static_cast<int64_t>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000, S_ISDIR(info.st_mode)};
}

class RealFiles final : public Files {
 public:
  Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
    int flags = O_CLOEXEC | (mode == OpenMode::kRead ? O_RDONLY : O_RDWR);
    if (mode == OpenMode::kCreate) flags |= O_CREAT;
    const int fd = retry([&] { return ::open(path.c_str(), flags, 0644); });
    if (fd < 0) return system_error("open", path);
    return std::make_unique<RealFile>(std::make_shared<Descriptor>(fd), path);
  }

  Result<std::vector<FileInfo>> list(const Path& folder) override {
    DIR* open = ::opendir(folder.c_str());
    if (open == nullptr) return system_error("list", folder);
    std::vector<FileInfo> found;
    while (const dirent* entry = ::readdir(open)) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat info {};
      if (entry->d_type == DT_DIR) {
        found.push_back({name, 0, 0, true});
      } else if (::fstatat(::dirfd(open), entry->d_name, &info, 0) == 0) {
        found.push_back(info_of(name, info));
      }
    }
    ::closedir(open);
    std::sort(found.begin(), found.end(), [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
    return found;
  }

  Result<FileInfo> stat(const Path& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return system_error("stat", path);
    const size_t slash = path.rfind('/');
    return info_of(slash == std::string::npos ? path : path.substr(slash + 1), info);
  }

  Result<void> make_folders(const Path& path) override {
    for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
      const Path part = path.substr(0, at);
      if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) return system_error("mkdir", part);
      if (at == std::string::npos) break;
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return system_error("stat", path);
    if (!S_ISDIR(info.st_mode)) return fail(Errc::kInvalid, path + " is a file, a folder is needed there");
    return {};
  }

  Result<void> remove(const Path& path) override {
    if (::unlink(path.c_str()) == 0) return {};
    if (errno == EISDIR && ::rmdir(path.c_str()) == 0) return {};
    return system_error("remove", path);
  }

  Result<void> rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from + " to " + to);
    return {};
  }

  Result<void> sync_folder(const Path& folder) override {
    const Descriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (open.fd < 0) return system_error("open", folder);
    if (retry([&] { return ::fsync(open.fd); }) != 0) return sync_error("fsync", folder);
    return {};
  }

  Result<DiskSpace> space(const Path& path) override {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) return system_error("statvfs", path);
    const auto unit = static_cast<int64_t>(info.f_frsize);
    const int64_t free = static_cast<int64_t>(info.f_bavail) * unit;
    const int64_t used = static_cast<int64_t>(info.f_blocks - info.f_bfree) * unit;
    return DiskSpace{used + free, free};  // blocks kept for root count for neither, as Java's getUsableSpace has it
  }

  Result<void> sync_file_system(const Path& path) override {
    const Descriptor open(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (open.fd < 0) return system_error("open", path);
    if (::syncfs(open.fd) != 0) return sync_error("syncfs", path);
    return {};
  }

  Result<std::unique_ptr<FileLock>> lock(const Path& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && locked_here().has({info.st_dev, info.st_ino}))
      return fail(Errc::kExists, path + " is locked by this process already");
    auto file = std::make_unique<Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (file->fd < 0) return system_error("open", path);
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = 0;
    range.l_len = 1;
    if (retry([&] { return ::fcntl(file->fd, F_SETLK, &range); }) != 0) {
      if (errno != EACCES && errno != EAGAIN) return system_error("lock", path);
      struct flock holder = range;
      std::string who = "another process";
      if (::fcntl(file->fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK)
        who = "process " + std::to_string(holder.l_pid);
      return fail(Errc::kExists, path + " is locked by " + who);
    }
    if (::fstat(file->fd, &info) != 0) return system_error("stat", path);
    if (::pwrite(file->fd, "lock", 4, 0) != 4 || ::fsync(file->fd) != 0) return system_error("write", path);
    if (!locked_here().add({info.st_dev, info.st_ino}))
      return fail(Errc::kExists, path + " is locked by this process already");
    return std::make_unique<RealLock>(std::move(file), std::pair{info.st_dev, info.st_ino});
  }
};

}  // namespace

std::unique_ptr<Files> make_real_files() { return std::make_unique<RealFiles>(); }

Result<std::string> read_file(Files& files, const Path& path) {
  COMET_TRY(auto file, files.open(path, OpenMode::kRead));
  COMET_TRY(const int64_t bytes, file->size());
  std::string content(static_cast<size_t>(bytes), '\0');
  COMET_TRY(const size_t got, file->read_at(0, std::as_writable_bytes(std::span(content))));
  content.resize(got);
  return content;
}

Result<void> replace_file(Files& files, const Path& path, std::string_view content) {
  auto write = [&](const Path& to, std::string_view bytes) -> Result<void> {
    COMET_TRY(auto file, files.open(to, OpenMode::kCreate));
    COMET_TRY_VOID(file->resize(0));
    COMET_TRY_VOID(file->write_at(0, as_bytes(bytes)));
    return file->sync();
  };
  const auto former = read_file(files, path);
  COMET_TRY_VOID(write(path + ".tmp", content));
  COMET_TRY_VOID(files.rename(path + ".tmp", path));
  COMET_TRY_VOID(files.sync_folder(parent_folder(path)));
  // Only now: the former content may be garbage and the .bak the one that is good.
  if (!former || former->empty()) return {};
  COMET_TRY_VOID(write(path + ".bak.tmp", *former));
  COMET_TRY_VOID(files.rename(path + ".bak.tmp", path + ".bak"));
  return files.sync_folder(parent_folder(path));
}

Result<void> make_durable_folders(Files& files, const Path& path) {
  std::vector<Path> changed;  // folders that get an entry
  for (Path at = path; !files.stat(at) && at != parent_folder(at); at = parent_folder(at))
    changed.push_back(parent_folder(at));
  COMET_TRY_VOID(files.make_folders(path));
  for (const Path& folder : changed) COMET_TRY_VOID(files.sync_folder(folder));
  return {};
}

Path parent_folder(const Path& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace comet
