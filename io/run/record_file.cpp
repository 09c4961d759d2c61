// Frames and unframes records.
#include "io/run/record_file.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/error.h"
#include "io/files/crc32c.h"

namespace convoy {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are little-endian");

constexpr std::size_t kHeadBytes = sizeof(std::uint64_t) + sizeof(std::uint32_t);
constexpr std::size_t kTailBytes = sizeof(std::uint32_t);

template <typename Number>
std::string_view bytes_of(const Number& number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

template <typename Number>
Number number_at(const char* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof(number));
  return number;
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  constexpr std::uint32_t shift = 0xa282ead8;
  return std::rotr(crc32c(bytes.data(), bytes.size()), 15) + shift;
}

std::string framed(std::string_view record) {
  const std::uint64_t length = record.size();
  std::string frame;
  frame.reserve(kHeadBytes + record.size() + kTailBytes);
  frame += bytes_of(length);
  frame += bytes_of(masked_crc32c(bytes_of(length)));
  frame += record;
  frame += bytes_of(masked_crc32c(record));
  return frame;
}

RecordReader::RecordReader(const std::filesystem::path& path) {
  errno = 0;
  in_.open(path, std::ios::binary);
  std::error_code error;
  bytes_ = std::filesystem::file_size(path, error);
  if (!in_ || error) {
    fail(ExitCode::resource, "cannot read {}: {}", path.string(),
         error ? error.message() : std::strerror(errno));
  }
}

bool RecordReader::next(std::string& record) {
  std::array<char, kHeadBytes> head{};
  if (!in_.read(head.data(), head.size())) return false;
  const auto length = number_at<std::uint64_t>(head.data());
  if (number_at<std::uint32_t>(head.data() + sizeof(length)) != masked_crc32c(bytes_of(length)))
    return false;
  const std::uint64_t left = bytes_ - end_ - kHeadBytes;
  if (left < kTailBytes || length > left - kTailBytes) return false;
  record.resize(length);
  std::array<char, kTailBytes> tail{};
  if (!in_.read(record.data(), static_cast<std::streamsize>(length)) ||
      !in_.read(tail.data(), tail.size()) ||
      number_at<std::uint32_t>(tail.data()) != masked_crc32c(record))
    return false;
  end_ += kHeadBytes + length + kTailBytes;
  return true;
}

}  // namespace convoy
