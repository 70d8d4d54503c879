/// A library for LD_PRELOAD that stands between a real broker and its disk.
///
///   DISK_TAP_ROOT=folder    what lies below is watched
///   DISK_TAP_SHADOW=folder  keeps there what is durable: `files/KEY`, the content as of the file's last sync (or, page
///   by
///                           page, msync), and `folders/HASH`, a folder's entries as of its last fsync: its path in the
///                           first line, then `NAME KEY` each. A KEY is an inode with its time of birth.
///   DISK_TAP_FAULT=N:E      the N-th call (open, read, map, whatever changes or syncs something) fails with errno E;
///                           E = 0: a read or write does half. It is told on stderr. EINTR only where a call may have
///                           it.
///
/// Whoever kills the broker then builds from shadow and folder what a power cut could have left.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace {

namespace fs = std::filesystem;

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

struct Tap {
  const std::string root = setting("DISK_TAP_ROOT"), shadow = setting("DISK_TAP_SHADOW");
  const std::string fault = setting("DISK_TAP_FAULT");
  const int64_t fault_at = fault.empty() ? -1 : std::atoll(fault.c_str());
  const int fault_errno = fault.empty() ? 0 : std::atoi(fault.substr(fault.find(':') + 1).c_str());
  std::atomic<int64_t> calls{0};
  struct Range {
    size_t bytes;
    int fd;  // of our own, so that it outlives the broker's
  };
  std::mutex mu;
  std::map<const char*, Range> mappings;  // under mu
  /// Held from before a sync until the shadow has what was there then: two syncs at once must not leave the older
  /// one's.
  std::array<std::mutex, 16> keeping;  // by inode
  std::mutex& keeping_of(ino_t inode) { return keeping[inode % keeping.size()]; }

  bool watches(const std::string& path) const { return !root.empty() && path.starts_with(root + "/"); }
};

Tap& tap() {
  static Tap* const one = new Tap;  // outlives every other static
  return *one;
}

std::string path_of(int fd) {
  char path[4096];
  const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : std::string();
}

std::string key_of(int folder_fd, const char* name) {
  struct statx info {};
  if (::statx(folder_fd, name, AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &info) != 0) return "";
  return std::to_string(info.stx_ino) + "-" + std::to_string(info.stx_btime.tv_sec) + "." +
         std::to_string(info.stx_btime.tv_nsec);
}

/// What the tap itself does on the disk is no call of the broker's.
thread_local int own_work = 0;
struct OwnWork {
  OwnWork() { ++own_work; }
  ~OwnWork() { --own_work; }
};

/// How a call may fail, besides with an error.
enum MayBe { kWhole = 0, kInterrupted = 1, kHalf = 2 };

/// 0: go on; else the errno to fail with; -1: do half of it.
int fault_for(const std::string& path, int may_be = kInterrupted) {
  if (own_work > 0 || tap().fault_at < 0 || (!tap().watches(path) && path != tap().root)) return 0;
  const int64_t number = tap().calls.fetch_add(1);
  if (number != tap().fault_at) return 0;
  ::dprintf(STDERR_FILENO, "disk_tap: call %lld meets %d on %s\n", static_cast<long long>(number), tap().fault_errno,
            path.c_str());
  if (tap().fault_errno == 0) return (may_be & kHalf) != 0 ? -1 : 0;
  return tap().fault_errno == EINTR && (may_be & kInterrupted) == 0 ? 0 : tap().fault_errno;
}

/// Takes [from, to) of the file into the shadow; the size is durable with it.
void keep(int fd, int64_t from, int64_t to) {
  struct stat info {};
  if (tap().shadow.empty() || ::fstat(fd, &info) != 0) return;
  const OwnWork own;
  const std::string copy = tap().shadow + "/files/" + key_of(fd, "");
  const int into = ::open(copy.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (into < 0) return;
  static auto* const real_write = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  static auto* const real_truncate = next<int(int, off_t)>("ftruncate");
  real_truncate(into, info.st_size);
  char block[65'536];
  for (int64_t at = from; at < std::min<int64_t>(to, info.st_size);) {
    const auto wanted = std::min<int64_t>(sizeof block, std::min<int64_t>(to, info.st_size) - at);
    const ssize_t got = ::pread(fd, block, static_cast<size_t>(wanted), at);
    if (got <= 0) break;
    real_write(into, block, static_cast<size_t>(got), at);
    at += got;
  }
  ::close(into);
}

std::string entries_of(int fd, const std::string& path) {
  const OwnWork own;
  std::string out;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(path, gone)) {
    const std::string name = entry.path().filename().string();
    if (const std::string key = key_of(fd, name.c_str()); !key.empty()) out += name + " " + key + "\n";
  }
  return out;
}

void keep_folder(const std::string& path, const std::string& entries) {
  if (tap().shadow.empty()) return;
  const OwnWork own;
  const std::string list = tap().shadow + "/folders/" + std::to_string(std::hash<std::string>()(path));
  const std::string fresh = list + ".fresh";
  std::ofstream(fresh) << path << "\n" << entries;
  static auto* const real_rename = next<int(const char*, const char*)>("rename");
  real_rename(fresh.c_str(), list.c_str());
}

/// Syncs the file or folder and keeps what is durable then: a folder's names are those from before the sync; of a
/// file's bytes some may be newer, as if the kernel had written them by itself.
template <class Sync>
int kept_sync(int fd, const std::string& path, Sync sync) {
  struct stat info {};
  if ((!tap().watches(path) && !tap().root.starts_with(path)) || ::fstat(fd, &info) != 0) return sync();
  const bool is_folder = S_ISDIR(info.st_mode);
  const std::lock_guard lock(tap().keeping_of(info.st_ino));
  if (!is_folder) {
    const int result = sync();
    if (result == 0) keep(fd, 0, INT64_MAX);
    return result;
  }
  const std::string entries = entries_of(fd, path);
  const int result = sync();
  if (result == 0) keep_folder(path, entries);
  return result;
}

int fail_with(int number) {
  errno = number;
  return -1;
}

}  // namespace

extern "C" {

void* mmap(void* hint, size_t bytes, int access, int flags, int fd, off_t offset) noexcept {
  static auto* const real = next<void*(void*, size_t, int, int, int, off_t)>("mmap");
  if (fd >= 0)
    if (const int fault = fault_for(path_of(fd), kWhole); fault != 0) {
      errno = fault;
      return MAP_FAILED;
    }
  void* const at = real(hint, bytes, access, flags, fd, offset);
  if (at != MAP_FAILED && fd >= 0 && (access & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0 && offset == 0 &&
      tap().watches(path_of(fd))) {
    const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    const std::lock_guard lock(tap().mu);
    tap().mappings[static_cast<const char*>(at)] = {bytes, own};
  }
  return at;
}

int munmap(void* at, size_t bytes) noexcept {
  static auto* const real = next<int(void*, size_t)>("munmap");
  {
    const std::lock_guard lock(tap().mu);
    if (const auto found = tap().mappings.find(static_cast<const char*>(at)); found != tap().mappings.end()) {
      ::close(found->second.fd);
      tap().mappings.erase(found);
    }
  }
  return real(at, bytes);
}

int msync(void* at, size_t bytes, int flags) {
  static auto* const real = next<int(void*, size_t, int)>("msync");
  int fd = -1;
  int64_t from = 0;
  {
    const std::lock_guard lock(tap().mu);
    auto found = tap().mappings.upper_bound(static_cast<const char*>(at));
    if (found != tap().mappings.begin() && static_cast<const char*>(at) < (--found)->first + found->second.bytes) {
      fd = found->second.fd;
      from = static_cast<const char*>(at) - found->first;
    }
  }
  if (fd >= 0)
    if (const int fault = fault_for(path_of(fd)); fault != 0) return fail_with(fault);
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0) return real(at, bytes, flags);
  const std::lock_guard lock(tap().keeping_of(info.st_ino));
  const int result = real(at, bytes, flags);
  if (result == 0) keep(fd, from, from + static_cast<int64_t>(bytes));
  return result;
}

int fdatasync(int fd) {
  static auto* const real = next<int(int)>("fdatasync");
  const std::string path = path_of(fd);
  if (const int fault = fault_for(path); fault != 0) return fail_with(fault);
  return kept_sync(fd, path, [fd] { return real(fd); });
}

int fsync(int fd) {
  static auto* const real = next<int(int)>("fsync");
  const std::string path = path_of(fd);
  if (const int fault = fault_for(path); fault != 0) return fail_with(fault);
  return kept_sync(fd, path, [fd] { return real(fd); });
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  static auto* const real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  const int fault = fault_for(path_of(fd), kInterrupted | kHalf);
  if (fault > 0) return fail_with(fault);
  return real(fd, bytes, fault < 0 && count > 1 ? count / 2 : count, at);
}

int ftruncate(int fd, off_t bytes) noexcept {
  static auto* const real = next<int(int, off_t)>("ftruncate");
  if (const int fault = fault_for(path_of(fd)); fault != 0) return fail_with(fault);
  return real(fd, bytes);
}

int fallocate(int fd, int mode, off_t from, off_t bytes) {
  static auto* const real = next<int(int, int, off_t, off_t)>("fallocate");
  if (const int fault = fault_for(path_of(fd)); fault != 0) return fail_with(fault);
  return real(fd, mode, from, bytes);
}

int rename(const char* from, const char* to) noexcept {
  static auto* const real = next<int(const char*, const char*)>("rename");
  if (const int fault = fault_for(to, kWhole); fault != 0) return fail_with(fault);
  return real(from, to);
}

int open(const char* path, int flags, ...) {
  static auto* const real = next<int(const char*, int, ...)>("open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (const int fault = fault_for(path); fault != 0) return fail_with(fault);
  return real(path, flags, mode);
}

ssize_t pread(int fd, void* into, size_t count, off_t at) {
  static auto* const real = next<ssize_t(int, void*, size_t, off_t)>("pread");
  const int fault = fault_for(path_of(fd), kInterrupted | kHalf);
  if (fault > 0) return fail_with(fault);
  return real(fd, into, fault < 0 && count > 1 ? count / 2 : count, at);
}

int mkdir(const char* path, mode_t mode) noexcept {
  static auto* const real = next<int(const char*, mode_t)>("mkdir");
  if (const int fault = fault_for(path, kWhole); fault != 0) return fail_with(fault);
  return real(path, mode);
}

int unlink(const char* path) noexcept {
  static auto* const real = next<int(const char*)>("unlink");
  if (const int fault = fault_for(path, kWhole); fault != 0) return fail_with(fault);
  return real(path);
}

int sync_file_range(int fd, off64_t from, off64_t bytes, unsigned flags) {
  static auto* const real = next<int(int, off64_t, off64_t, unsigned)>("sync_file_range");
  if (const int fault = fault_for(path_of(fd)); fault > 0) return fail_with(fault);
  return real(fd, from, bytes, flags);
}

int syncfs(int fd) noexcept {
  static auto* const real = next<int(int)>("syncfs");
  if (const int fault = fault_for(path_of(fd), kWhole); fault != 0) return fail_with(fault);
  const int result = real(fd);
  if (result != 0) return result;
  const OwnWork own;
  std::error_code gone;
  for (const auto& entry : fs::recursive_directory_iterator(tap().root, gone)) {
    const int one = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (one < 0) continue;
    kept_sync(one, entry.path().string(), [] { return 0; });
    ::close(one);
  }
  return result;
}

}  // extern "C"
