// Files and datasets through HDF5's C interface.
#include "io/files/hdf5.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>
#include <system_error>

#include "io/files/hdf5_handle.h"

namespace convoy::hdf5 {
namespace {

constexpr hsize_t data_alignment = 4096;  // bytes; pages of the file system and of O_DIRECT

hid_t native(Type type) {
  switch (type) {
    case Type::u8:
      return H5T_NATIVE_UINT8;
    case Type::i32:
      return H5T_NATIVE_INT32;
    case Type::u32:
      return H5T_NATIVE_UINT32;
    case Type::i64:
      return H5T_NATIVE_INT64;
    case Type::u64:
      return H5T_NATIVE_UINT64;
    case Type::f32:
      return H5T_NATIVE_FLOAT;
    case Type::f64:
      return H5T_NATIVE_DOUBLE;
  }
  return -1;
}

Handle file_access() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  return access;
}

// A file made twice from the same values must be the same bytes: nothing in it says when.
Handle timeless(hid_t kind) {
  Handle properties(H5Pcreate(kind), H5Pclose);
  H5Pset_obj_track_times(properties.get(), false);
  return properties;
}

Extents extents_of(hid_t space) {
  const int rank = std::max(H5Sget_simple_extent_ndims(space), 0);
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

Layout::Kind kind_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return H5Tget_sign(type) == H5T_SGN_NONE ? Layout::Kind::unsigned_integer
                                               : Layout::Kind::signed_integer;
    case H5T_FLOAT:
      return Layout::Kind::floating;
    case H5T_STRING:
      return Layout::Kind::string;
    default:
      return Layout::Kind::other;
  }
}

// The part of `space` that holds the rows, selected; the same shape in memory is returned.
Handle select_rows(hid_t space, Range rows) {
  std::vector<hsize_t> count;
  for (const std::int64_t extent : extents_of(space)) count.push_back(static_cast<hsize_t>(extent));
  if (count.empty()) return {H5Screate(H5S_SCALAR), H5Sclose};
  std::vector<hsize_t> start(count.size(), 0);
  start[0] = static_cast<hsize_t>(rows.begin);
  count[0] = static_cast<hsize_t>(rows.size());
  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0)
    return {};
  return {H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose};
}

herr_t keep_innermost(unsigned position, const H5E_error2_t* error, void* description) {
  if (position == 0 && error->desc != nullptr)
    *static_cast<std::string*>(description) = error->desc;
  return 0;
}

}  // namespace

Lock::Lock() {
  static std::recursive_mutex mutex;
  lock_ = std::unique_lock(mutex);
  // A file that could not be closed (full disk) must not be tried again, and fail loudly, at exit.
  static const herr_t once = H5dont_atexit();
  (void)once;
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // per thread in thread-safe builds of HDF5
}

std::string reason() {
  std::string description;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &description);
  // Failed system calls read "... error message = 'No space left on device', ...".
  constexpr std::string_view marker = "error message = '";
  if (const auto found = description.find(marker); found != std::string::npos) {
    const auto begin = found + marker.size();
    return description.substr(begin, description.find('\'', begin) - begin);
  }
  if (description == "file signature not found") {
    return "it is not an HDF5 file, or its beginning is damaged";
  }
  if (description.starts_with("truncated file")) return "it is cut short";
  return description.empty() ? "HDF5 gives no reason" : description;
}

void File::State::failed(const char* doing, const std::string& object) const {
  fail(code, "cannot {} {} in {}: {}", doing, object, path.string(), reason());
}

Handle File::State::open_dataset(const std::string& name) const {
  Handle dataset(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.valid()) failed("find", name);
  return dataset;
}

Handle File::State::create_dataset(const std::string& name, hid_t type, hid_t space) const {
  const Handle group_properties = timeless(H5P_GROUP_CREATE);
  for (std::size_t end = name.find('/', 1); end != std::string::npos;
       end = name.find('/', end + 1)) {
    const std::string group = name.substr(0, end);
    if (H5Lexists(file.get(), group.c_str(), H5P_DEFAULT) > 0) continue;
    const Handle made(
        H5Gcreate2(file.get(), group.c_str(), H5P_DEFAULT, group_properties.get(), H5P_DEFAULT),
        H5Gclose);
    if (!made.valid()) failed("create", group);
  }
  const Handle storage = timeless(H5P_DATASET_CREATE);
  H5Pset_layout(storage.get(), H5D_CONTIGUOUS);
  H5Pset_alloc_time(storage.get(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(storage.get(), H5D_FILL_TIME_NEVER);
  H5Pset_obj_track_times(storage.get(), false);
  Handle dataset(
      H5Dcreate2(file.get(), name.c_str(), type, space, H5P_DEFAULT, storage.get(), H5P_DEFAULT),
      H5Dclose);
  if (!dataset.valid()) failed("create", name);
  return dataset;
}

File::File(std::unique_ptr<State> state) : state_(std::move(state)) {}
File::File(File&&) noexcept = default;

File& File::operator=(File&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

File::~File() {
  if (!state_) return;
  const Lock lock;
  state_.reset();
}

File File::open(const std::filesystem::path& path, ExitCode code) {
  const Lock lock;
  const Handle access = file_access();
  H5Pset_file_locking(access.get(), false, true);
  auto state = std::make_unique<State>();
  state->path = path;
  state->code = code;
  state->file = {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose};
  if (!state->file.valid()) fail(code, "cannot open {}: {}", path.string(), reason());
  return File(std::move(state));
}

File File::create(const std::filesystem::path& path, ExitCode code) {
  const Lock lock;
  const Handle access = file_access();
  H5Pset_alignment(access.get(), data_alignment, data_alignment);
  // The 1.8 format carries checksums of its metadata, the older default does not.
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  auto state = std::make_unique<State>();
  state->path = path;
  state->code = code;
  const Handle properties = timeless(H5P_FILE_CREATE);
  state->file = {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, properties.get(), access.get()), H5Fclose};
  if (!state->file.valid()) fail(code, "cannot create {}: {}", path.string(), reason());
  return File(std::move(state));
}

void File::close() {
  const Lock lock;
  if (!state_->file.close()) {
    fail(state_->code, "cannot finish {}: {}", state_->path.string(), reason());
  }
}

const std::filesystem::path& File::path() const { return state_->path; }

bool File::exists(const std::string& object) const {
  const Lock lock;
  // Each group on the way is asked for in turn: HDF5 fails where one is missing.
  for (std::size_t slash = object.find('/', 1);; slash = object.find('/', slash + 1)) {
    const std::string part = object.substr(0, slash);
    if (part != "/" && H5Lexists(state_->file.get(), part.c_str(), H5P_DEFAULT) <= 0) return false;
    if (slash == std::string::npos) return true;
  }
}

std::vector<std::string> File::list(const std::string& group) const {
  const Lock lock;
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  if (H5Literate_by_name(state_->file.get(), group.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr,
                         collect, &names, H5P_DEFAULT) < 0)
    state_->failed("list", group);
  return names;
}

void File::create_dataset(const std::string& dataset, Type type, const Extents& extents) {
  const Lock lock;
  const std::vector<hsize_t> dims(extents.begin(), extents.end());
  const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                     H5Sclose);
  if (!state_->create_dataset(dataset, native(type), space.get()).close()) {
    state_->failed("create", dataset);
  }
}

void File::write_rows(const std::string& dataset, Range rows, Type type, const void* values) {
  if (rows.size() == 0) return;
  const Lock lock;
  Handle data = state_->open_dataset(dataset);
  const Handle space(H5Dget_space(data.get()), H5Sclose);
  const Handle memory = select_rows(space.get(), rows);
  // Small values wait in a buffer of the dataset's until it is closed.
  if (!memory.valid() ||
      H5Dwrite(data.get(), native(type), memory.get(), space.get(), H5P_DEFAULT, values) < 0 ||
      !data.close())
    state_->failed("write", dataset);
}

void File::read_rows(const std::string& dataset, Range rows, Type type, void* values) const {
  if (rows.size() == 0) return;
  const Lock lock;
  const Handle data = state_->open_dataset(dataset);
  const Handle space(H5Dget_space(data.get()), H5Sclose);
  const Handle memory = select_rows(space.get(), rows);
  if (!memory.valid() ||
      H5Dread(data.get(), native(type), memory.get(), space.get(), H5P_DEFAULT, values) < 0)
    state_->failed("read", dataset);
}

Layout File::layout(const std::string& dataset) const {
  const Lock lock;
  const Handle data = state_->open_dataset(dataset);
  const Handle space(H5Dget_space(data.get()), H5Sclose);
  const Handle type(H5Dget_type(data.get()), H5Tclose);
  const Handle storage(H5Dget_create_plist(data.get()), H5Pclose);
  Layout layout;
  layout.extents = extents_of(space.get());
  layout.kind = kind_of(type.get());
  layout.element_bytes = H5Tget_size(type.get());
  if (H5Pget_layout(storage.get()) == H5D_CONTIGUOUS) {
    const haddr_t offset = H5Dget_offset(data.get());
    if (offset != HADDR_UNDEF) layout.offset = static_cast<std::int64_t>(offset);
  }
  // A damaged header must not make a reader allocate more than any file could hold: no filter of
  // HDF5 packs tighter than deflate's 1,032 to 1.
  std::error_code error;
  const auto file_bytes = static_cast<double>(std::filesystem::file_size(state_->path, error));
  const double bytes =
      std::accumulate(layout.extents.begin(), layout.extents.end(),
                      static_cast<double>(layout.element_bytes), std::multiplies<>());
  if (!error && bytes > 1032.0 * file_bytes) {
    fail(state_->code, "{} in {} claims more values than its file can hold", dataset,
         state_->path.string());
  }
  return layout;
}

}  // namespace convoy::hdf5
