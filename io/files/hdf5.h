// HDF5 files for the rest of io/: every call goes through one process-wide mutex (the library is
// not meant to be entered twice), every handle is closed, every failure is one sentence.
//
// Open files read-only with File::open and write them with File::create (through AsideFile, see
// io/files/durable.h). Paths inside a file are HDF5's: "/parameters/conv1/weight"; missing groups
// on the way are made when something is created. Failures throw an Error with the code given at
// opening, naming the file, the object and HDF5's own innermost reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"

namespace convoy::hdf5 {

// Types of elements in memory; HDF5 converts where the file holds another numeric type.
enum class Type { u8, i32, u32, i64, u64, f32, f64 };

template <typename T>
[[nodiscard]] constexpr Type type_of();
// clang-format off
template <> constexpr Type type_of<std::uint8_t>() { return Type::u8; }
template <> constexpr Type type_of<std::int32_t>() { return Type::i32; }
template <> constexpr Type type_of<std::uint32_t>() { return Type::u32; }
template <> constexpr Type type_of<std::int64_t>() { return Type::i64; }
template <> constexpr Type type_of<std::uint64_t>() { return Type::u64; }
template <> constexpr Type type_of<float>() { return Type::f32; }
template <> constexpr Type type_of<double>() { return Type::f64; }
// clang-format on

using Extents = std::vector<std::int64_t>;  // of a dataset, outermost first

// How a dataset lies in its file.
struct Layout {
  enum class Kind { signed_integer, unsigned_integer, floating, string, other };
  Extents extents;
  Kind kind = Kind::other;
  std::size_t element_bytes = 0;
  // Where the values begin in the file, for a contiguous dataset that has storage.
  std::optional<std::int64_t> offset;
};

// One open file. Thread-safe; movable.
class File {
 public:
  // Read-only, without file locks (shared file systems refuse them). `code` goes into every Error.
  static File open(const std::filesystem::path& path, ExitCode code);
  // Empties an existing file; datasets of 4 KiB and more start at multiples of 4,096 bytes.
  static File create(const std::filesystem::path& path, ExitCode code = ExitCode::resource);

  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  ~File();  // closes; a writer calls close() to learn whether everything was written
  void close();

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] bool exists(const std::string& object) const;
  // Names directly under a group, sorted.
  [[nodiscard]] std::vector<std::string> list(const std::string& group) const;

  // Attributes of an existing object; "/" is the file itself.
  void set(const std::string& object, const std::string& name, const std::string& value);
  void set(const std::string& object, const std::string& name, std::int64_t value);
  void set(const std::string& object, const std::string& name, double value);
  [[nodiscard]] bool has(const std::string& object, const std::string& name) const;
  [[nodiscard]] std::string text(const std::string& object, const std::string& name) const;
  [[nodiscard]] std::int64_t integer(const std::string& object, const std::string& name) const;
  [[nodiscard]] double number(const std::string& object, const std::string& name) const;

  // Arrays of UTF-8 strings (written with one fixed length; any string type is read).
  void write_strings(const std::string& dataset, std::span<const std::string> values);
  [[nodiscard]] std::vector<std::string> read_strings(const std::string& dataset) const;

  // Whole datasets.
  template <typename T>
  void write(const std::string& dataset, const Extents& extents, const T* values) {
    create_dataset(dataset, type_of<T>(), extents);
    if (!extents.empty()) write_rows(dataset, {0, extents[0]}, type_of<T>(), values);
  }
  template <typename T>
  [[nodiscard]] std::vector<T> read(const std::string& dataset) const {
    const Extents extents = layout(dataset).extents;
    std::int64_t count = 1;
    for (const std::int64_t extent : extents) count *= extent;
    std::vector<T> values(static_cast<std::size_t>(count));
    read_rows(dataset, {0, extents.empty() ? 1 : extents[0]}, type_of<T>(), values.data());
    return values;
  }

  // Contiguous, with its storage allocated at once and not filled.
  void create_dataset(const std::string& dataset, Type type, const Extents& extents);
  // Rows [begin, end) of the first axis, all of the other axes.
  void write_rows(const std::string& dataset, Range rows, Type type, const void* values);
  void read_rows(const std::string& dataset, Range rows, Type type, void* values) const;
  [[nodiscard]] Layout layout(const std::string& dataset) const;

  struct State;  // for the sources of this module

 private:
  explicit File(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace convoy::hdf5
