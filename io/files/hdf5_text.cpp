// Attributes and arrays of strings through HDF5's C interface.
#include <algorithm>
#include <cstring>

#include "io/files/hdf5_handle.h"

namespace convoy::hdf5 {
namespace {

// A UTF-8 string type; `bytes` is a fixed length or H5T_VARIABLE.
Handle string_type(std::size_t bytes) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), bytes);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  return type;
}

// A type for reading the strings of `stored` into memory: same length and character set.
Handle memory_string(hid_t stored) {
  const bool variable = H5Tis_variable_str(stored) > 0;
  Handle type = string_type(variable ? H5T_VARIABLE : H5Tget_size(stored));
  H5Tset_cset(type.get(), H5Tget_cset(stored));
  return type;
}

// Fixed-length strings are padded with zeros, or with spaces in files made by Fortran.
std::string unpadded(const char* begin, std::size_t bytes, bool spaces) {
  std::string value(begin, strnlen(begin, bytes));
  if (spaces) value.erase(value.find_last_not_of(' ') + 1);
  return value;
}

template <typename Read>
std::vector<std::string> read_string_values(hid_t stored, hid_t space, std::size_t count,
                                            const Read& read) {
  std::vector<std::string> values;
  values.reserve(count);
  const Handle type = memory_string(stored);
  if (H5Tis_variable_str(stored) > 0) {
    std::vector<char*> pointers(count, nullptr);
    if (read(type.get(), static_cast<void*>(pointers.data())) < 0) return {};
    for (const char* pointer : pointers) values.emplace_back(pointer != nullptr ? pointer : "");
    H5Dvlen_reclaim(type.get(), space, H5P_DEFAULT, static_cast<void*>(pointers.data()));
    return values;
  }
  const std::size_t bytes = H5Tget_size(stored);
  const bool spaces = H5Tget_strpad(stored) == H5T_STR_SPACEPAD;
  std::vector<char> buffer(count * bytes);
  if (read(type.get(), static_cast<void*>(buffer.data())) < 0) return {};
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(unpadded(buffer.data() + i * bytes, bytes, spaces));
  }
  return values;
}

std::string attribute_name(const std::string& object, const std::string& name) {
  return "attribute " + name + " of " + object;
}

Handle open_attribute(const File::State& state, const std::string& object,
                      const std::string& name) {
  Handle attribute(
      H5Aopen_by_name(state.file.get(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  if (!attribute.valid()) state.failed("read", attribute_name(object, name));
  return attribute;
}

// Replaces an attribute of that name.
void write_attribute(const File::State& state, const std::string& object, const std::string& name,
                     hid_t type, const void* value) {
  const hid_t file = state.file.get();
  H5Adelete_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT);
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  Handle attribute(H5Acreate_by_name(file, object.c_str(), name.c_str(), type, space.get(),
                                     H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                   H5Aclose);
  if (!attribute.valid() || H5Awrite(attribute.get(), type, value) < 0 || !attribute.close())
    state.failed("write", attribute_name(object, name));
}

void read_number(const File::State& state, const std::string& object, const std::string& name,
                 hid_t type, void* value) {
  const Handle attribute = open_attribute(state, object, name);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  if (H5Sget_simple_extent_npoints(space.get()) != 1 || H5Aread(attribute.get(), type, value) < 0) {
    fail(state.code, "{} in {} is not a number", attribute_name(object, name), state.path.string());
  }
}

}  // namespace

void File::set(const std::string& object, const std::string& name, const std::string& value) {
  const Lock lock;
  // Variable length, because an object's header holds 64 KiB at most.
  const Handle type = string_type(H5T_VARIABLE);
  const char* pointer = value.c_str();
  write_attribute(*state_, object, name, type.get(), static_cast<const void*>(&pointer));
}

void File::set(const std::string& object, const std::string& name, std::int64_t value) {
  const Lock lock;
  write_attribute(*state_, object, name, H5T_NATIVE_INT64, &value);
}

void File::set(const std::string& object, const std::string& name, double value) {
  const Lock lock;
  write_attribute(*state_, object, name, H5T_NATIVE_DOUBLE, &value);
}

bool File::has(const std::string& object, const std::string& name) const {
  const Lock lock;
  return H5Aexists_by_name(state_->file.get(), object.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}

std::string File::text(const std::string& object, const std::string& name) const {
  const Lock lock;
  const Handle attribute = open_attribute(*state_, object, name);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  if (H5Tget_class(type.get()) != H5T_STRING || H5Sget_simple_extent_npoints(space.get()) != 1) {
    fail(state_->code, "{} in {} is not a string", attribute_name(object, name),
         state_->path.string());
  }
  const auto values = read_string_values(
      type.get(), space.get(), 1,
      [&](hid_t memory, void* buffer) { return H5Aread(attribute.get(), memory, buffer); });
  if (values.empty()) state_->failed("read", attribute_name(object, name));
  return values.front();
}

std::int64_t File::integer(const std::string& object, const std::string& name) const {
  const Lock lock;
  std::int64_t value = 0;
  read_number(*state_, object, name, H5T_NATIVE_INT64, &value);
  return value;
}

double File::number(const std::string& object, const std::string& name) const {
  const Lock lock;
  double value = 0;
  read_number(*state_, object, name, H5T_NATIVE_DOUBLE, &value);
  return value;
}

// Fixed length: one block of the file, where variable lengths would be scattered over a heap.
void File::write_strings(const std::string& dataset, std::span<const std::string> values) {
  const Lock lock;
  std::size_t bytes = 1;
  for (const std::string& value : values) bytes = std::max(bytes, value.size());
  std::vector<char> buffer(bytes * values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::memcpy(buffer.data() + i * bytes, values[i].data(), values[i].size());
  }
  const Handle type = string_type(bytes);
  const hsize_t count = values.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  Handle data = state_->create_dataset(dataset, type.get(), space.get());
  const bool wrote = count == 0 || H5Dwrite(data.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                            buffer.data()) >= 0;
  if (!wrote || !data.close()) state_->failed("write", dataset);
}

std::vector<std::string> File::read_strings(const std::string& dataset) const {
  const Layout shape = layout(dataset);
  if (shape.kind != Layout::Kind::string || shape.extents.size() != 1) {
    fail(state_->code, "{} in {} is not a list of strings", dataset, state_->path.string());
  }
  if (shape.extents[0] == 0) return {};
  const Lock lock;
  const Handle data = state_->open_dataset(dataset);
  const Handle type(H5Dget_type(data.get()), H5Tclose);
  const Handle space(H5Dget_space(data.get()), H5Sclose);
  auto values = read_string_values(
      type.get(), space.get(), static_cast<std::size_t>(shape.extents[0]),
      [&](hid_t memory, void* buffer) {
        return H5Dread(data.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
      });
  if (values.empty()) state_->failed("read", dataset);
  return values;
}

}  // namespace convoy::hdf5
