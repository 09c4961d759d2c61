// Reads the devkit's meta.mat through libmatio.
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include <matio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "io/descriptor.h"
#include "io/devkit.h"

namespace convoy {
namespace {

struct CloseMat {
  void operator()(mat_t* file) const { Mat_Close(file); }
};
struct FreeVariable {
  void operator()(matvar_t* variable) const { Mat_VarFree(variable); }
};

// libmatio reads files only; this one lives in memory, for it may come out of an archive.
Descriptor file_in_memory(const std::string& bytes) {
  Descriptor file(::memfd_create("meta.mat", MFD_CLOEXEC));
  std::size_t done = 0;
  while (file.valid() && done < bytes.size()) {
    const ssize_t wrote = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;
    done += static_cast<std::size_t>(wrote);
  }
  if (!file.valid() || done < bytes.size()) {
    fail(ExitCode::resource, "cannot keep meta.mat in memory: {}", std::strerror(errno));
  }
  return file;
}

// The version in the header, in the byte order of whoever wrote it. Later versions are HDF5 files.
bool is_version_5(const std::string& bytes) {
  constexpr std::size_t at = 124;
  if (!bytes.starts_with("MATLAB 5.0 MAT-file") || bytes.size() < at + 4) return false;
  const std::string_view version = std::string_view(bytes).substr(at, 4);
  return version == std::string_view("\0\1IM", 4) || version == std::string_view("\1\0MI", 4);
}

std::optional<double> number(const matvar_t* cell) {
  if (cell == nullptr || cell->data == nullptr || cell->class_type != MAT_C_DOUBLE ||
      cell->isComplex != 0 || cell->nbytes != sizeof(double))
    return std::nullopt;
  double value = 0;
  std::memcpy(&value, cell->data, sizeof value);
  return value;
}

// MATLAB keeps characters as 8 or 16 bits; WNIDs and words are plain letters.
std::optional<std::string> text(const matvar_t* cell) {
  if (cell == nullptr || cell->class_type != MAT_C_CHAR || cell->data_size < 1 ||
      cell->data_size > 2 || (cell->data == nullptr && cell->nbytes > 0))
    return std::nullopt;
  const auto width = static_cast<std::size_t>(cell->data_size);
  std::string letters;
  for (std::size_t at = 0; at + width <= cell->nbytes; at += width) {
    std::uint16_t letter = 0;
    std::memcpy(&letter, static_cast<const char*>(cell->data) + at, width);
    letters += letter < 0x80 || width == 1 ? static_cast<char>(letter) : '?';
  }
  return letters;
}

// The field of the ids bears the year: ILSVRC2012_ID.
std::string id_field(matvar_t* synsets) {
  const unsigned fields = Mat_VarGetNumberOfFields(synsets);
  char* const* names = Mat_VarGetStructFieldnames(synsets);
  for (unsigned i = 0; names != nullptr && i < fields; ++i) {
    const std::string_view name = names[i];
    if (name.starts_with("ILSVRC") && name.ends_with("_ID")) return std::string(name);
  }
  return {};
}

}  // namespace

std::map<std::int64_t, ClassInfo> parse_meta_mat(const std::string& bytes,
                                                 const std::string& name) {
  if (!is_version_5(bytes)) {
    fail(ExitCode::bad_data, "{} is damaged or not a MATLAB 5 file", name);
  }
  Mat_LogInitFunc("convoy", [](int, char*) {});  // its sentences are not for people
  const Descriptor memory = file_in_memory(bytes);
  const std::unique_ptr<mat_t, CloseMat> file(
      Mat_Open(fmt::format("/proc/self/fd/{}", memory.get()).c_str(), MAT_ACC_RDONLY));
  std::unique_ptr<matvar_t, FreeVariable> synsets;
  if (file) synsets.reset(Mat_VarRead(file.get(), "synsets"));
  const std::string field = synsets && synsets->class_type == MAT_C_STRUCT && synsets->rank == 2
                                ? id_field(synsets.get())
                                : "";
  if (field.empty()) {
    fail(ExitCode::bad_data,
         "{} is damaged or not the devkit's: it has no struct array 'synsets' with a field "
         "ILSVRC..._ID",
         name);
  }
  std::map<std::int64_t, ClassInfo> classes;
  const std::size_t count = synsets->dims[0] * synsets->dims[1];
  for (std::size_t i = 0; i < count; ++i) {
    const auto cell = [&](const char* key) {
      return Mat_VarGetStructFieldByName(synsets.get(), key, i);
    };
    const auto id = number(cell(field.c_str()));
    const auto wnid = text(cell("WNID"));
    const auto words = text(cell("words"));
    if (!id || *id < 1 || *id != std::floor(*id) || *id > 1e6 || !wnid || !words) {
      fail(ExitCode::bad_data, "synset {} in {} has no whole {}, no WNID, or no words", i + 1, name,
           field);
    }
    if (*id > last_ilsvrc_id) continue;
    if (!classes.emplace(static_cast<std::int64_t>(*id), ClassInfo{*wnid, *words}).second) {
      fail(ExitCode::bad_data, "{} has the {} {} twice", name, field, *id);
    }
  }
  return classes;
}

}  // namespace convoy
