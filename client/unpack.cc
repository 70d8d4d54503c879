#include "client/unpack.h"

#include <fmt/format.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <memory>

#include "common/message_codec.h"

namespace comet::client {
namespace {

constexpr size_t kUnpackedLimitBytes = 64u * 1024 * 1024;
constexpr size_t kChunkBytes = 16 * 1024;

Error broken(std::string_view format, std::string_view problem) {
  return {Errc::kCorrupt, fmt::format("body doesn't unpack: {}: {}", format, problem)};
}

/// What one step of unpacking did.
struct Step {
  size_t put = 0;
  bool done = false;
  std::string problem{};
};
/// Unpacks piece by piece: `advance` takes from the front of its first argument and fills its second.
template <class Advance>
Result<std::string> unpack_by(std::string_view format, std::string_view packed, Advance advance) {
  std::string out;
  std::array<char, kChunkBytes> chunk{};
  for (;;) {
    const size_t before = packed.size();
    const Step step = advance(packed, chunk);
    if (!step.problem.empty()) return tl::unexpected<Error>(broken(format, step.problem));
    out.append(chunk.data(), step.put);
    if (out.size() > kUnpackedLimitBytes) return tl::unexpected<Error>(broken(format, "more than 64 MiB"));
    if (step.done) return out;
    if (step.put == 0 && packed.size() == before)
      return tl::unexpected<Error>(broken(format, fmt::format("it ends after {} bytes", out.size())));
  }
}

Result<std::string> unpack_zlib(std::string_view packed) {
  z_stream stream{};
  if (::inflateInit(&stream) != Z_OK) return tl::unexpected<Error>(broken("zlib", "no memory"));
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, ::inflateEnd);
  return unpack_by("zlib", packed, [&](std::string_view& from, std::array<char, kChunkBytes>& to) -> Step {
    // zlib's interface wants a pointer to non-const, but only reads.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
    stream.avail_in = static_cast<uInt>(from.size());
    stream.next_out = reinterpret_cast<Bytef*>(to.data());
    stream.avail_out = static_cast<uInt>(to.size());
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    from.remove_prefix(from.size() - stream.avail_in);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      return {.problem = fmt::format("status {}", status)};
    return {.put = to.size() - stream.avail_out, .done = status == Z_STREAM_END};
  });
}

Result<std::string> unpack_lz4(std::string_view packed) {
  LZ4F_dctx* made = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION)) != 0)
    return tl::unexpected<Error>(broken("LZ4", "no memory"));
  const std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> context(made, LZ4F_freeDecompressionContext);
  return unpack_by("LZ4", packed, [&](std::string_view& from, std::array<char, kChunkBytes>& to) -> Step {
    size_t put = to.size(), took = from.size();
    const size_t hint = LZ4F_decompress(context.get(), to.data(), &put, from.data(), &took, nullptr);
    if (LZ4F_isError(hint) != 0) return {.problem = LZ4F_getErrorName(hint)};
    from.remove_prefix(took);
    return {.put = put, .done = hint == 0};
  });
}

Result<std::string> unpack_zstd(std::string_view packed) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
  if (stream == nullptr) return tl::unexpected<Error>(broken("Zstandard", "no memory"));
  return unpack_by("Zstandard", packed, [&](std::string_view& from, std::array<char, kChunkBytes>& to) -> Step {
    ZSTD_inBuffer in{from.data(), from.size(), 0};
    ZSTD_outBuffer out{to.data(), to.size(), 0};
    const size_t left = ZSTD_decompressStream(stream.get(), &out, &in);
    if (ZSTD_isError(left) != 0) return {.problem = ZSTD_getErrorName(left)};
    from.remove_prefix(in.pos);
    return {.put = out.pos, .done = left == 0};
  });
}

}  // namespace

Packing packing_of(int32_t sys_flag) {
  if ((sys_flag & ::comet::sys_flag::kCompressed) == 0) return Packing::kPlain;
  switch (sys_flag & ::comet::sys_flag::kCompressionMask) {
    case ::comet::sys_flag::kCompressionLz4:
      return Packing::kLz4;
    case ::comet::sys_flag::kCompressionZstd:
      return Packing::kZstd;
    default:
      return Packing::kZlib;  // 4.x clients set no type
  }
}

Result<std::string> unpack(Packing packing, std::string_view packed) {
  switch (packing) {
    case Packing::kZlib:
      return unpack_zlib(packed);
    case Packing::kLz4:
      return unpack_lz4(packed);
    case Packing::kZstd:
      return unpack_zstd(packed);
    case Packing::kPlain:
      break;
  }
  return std::string(packed);
}

}  // namespace comet::client
