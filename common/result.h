#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

/// How this project says that the world broke: a value, never an exception (see docs/decisions).
namespace comet {

enum class Errc {
  kInvalid,      ///< what was given can't be right: a property, an argument, a request field
  kCorrupt,      ///< bytes on disk or wire that break their format
  kIo,           ///< a system call failed; `what` names it, the file and the errno text
  kNoSpace,      ///< the disk is full
  kNotFound,     ///< no such file, topic, key …
  kExists,       ///< it is there already, or somebody else holds it
  kFull,         ///< a bounded container is full
  kTimeout,      ///< no answer within the bound
  kClosed,       ///< the peer or the object is closed or closing
  kUnsupported,  ///< known, but not built
  kRefused,      ///< the peer answered with an error; `what` holds its code and remark
};

/// What went wrong, in one sentence that names the thing, the value and, where there is one, the remedy.
struct Error {
  Errc code;
  std::string what;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Errc code, std::string what) {
  return tl::unexpected<Error>(Error{code, std::move(what)});
}

/// Puts `where` before an error's sentence, for a caller that knows something new.
inline tl::unexpected<Error> fail_in(std::string_view where, Error error) {
  return tl::unexpected<Error>(Error{error.code, std::string(where) + ": " + std::move(error.what)});
}

}  // namespace comet

#define COMET_CONCAT_(a, b) a##b
#define COMET_CONCAT(a, b) COMET_CONCAT_(a, b)

/// COMET_TRY(auto end, log.append(record)): binds the value, or passes the error up.
#define COMET_TRY(declaration, expression) COMET_TRY_(COMET_CONCAT(comet_try_, __LINE__), declaration, expression)
#define COMET_TRY_(temporary, declaration, expression)                     \
  auto temporary = (expression);                                           \
  if (!temporary) [[unlikely]]                                             \
    return ::tl::unexpected<::comet::Error>(std::move(temporary).error()); \
  declaration = std::move(*temporary)

/// COMET_TRY_VOID(file.sync()): the same for a Result<void>.
#define COMET_TRY_VOID(expression)                                                \
  do {                                                                            \
    auto comet_try_void = (expression);                                           \
    if (!comet_try_void) [[unlikely]]                                             \
      return ::tl::unexpected<::comet::Error>(std::move(comet_try_void).error()); \
  } while (false)
