// A tar whose members are read where they lie, without unpacking it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "io/files/descriptor.h"

namespace convoy {

struct TarMember {
  std::string name;         // without "./" before it
  bool regular = true;      // else a link or a device; folders are no members here
  std::int64_t offset = 0;  // of its first byte, in the file
  std::int64_t bytes = 0;
};

class TarFile {
 public:
  // Opens; throws Error(bad_data).
  explicit TarFile(const std::filesystem::path& path);

  // True for 512 bytes that are the header of a tar's member.
  [[nodiscard]] static bool is_header(std::span<const std::uint8_t> block);

  // The members of the tar that fills `range` of the file, in its order; `what` names it in
  // messages. Throws Error(bad_data) for damage, a member beyond the end, a sparse member, a
  // missing end mark (the tar was cut short), and bytes after it.
  [[nodiscard]] std::vector<TarMember> members(Range range, const std::string& what) const;
  // True where a tar begins there.
  [[nodiscard]] bool is_tar(Range range) const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  // Reads at `offset` as many bytes as there are, out.size() at most. Thread-safe. Throws
  // Error(bad_data): "cannot be read: ...".
  std::size_t read(std::int64_t offset, std::span<std::uint8_t> out) const;

 private:
  void check_end(Range rest, const std::string& what) const;

  std::filesystem::path path_;
  Descriptor file_;
  std::int64_t bytes_ = 0;
};

}  // namespace convoy
