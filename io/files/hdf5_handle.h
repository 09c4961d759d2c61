// What the sources of io/hdf5 share: the mutex, scoped handles, and sentences made of HDF5's
// errors.
#pragma once

#include <mutex>
#include <string>
#include <utility>

#include <hdf5.h>

#include "io/files/hdf5.h"

namespace convoy::hdf5 {

// Holds the process's HDF5 mutex; everything below is to be used under one.
class Lock {
 public:
  Lock();

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

// An HDF5 identifier and the function that closes it.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*closer)(hid_t)) : id_(id), close_(closer) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (valid()) close_(id_);
  }

  [[nodiscard]] bool valid() const { return id_ >= 0; }
  [[nodiscard]] hid_t get() const { return id_; }
  // Closes now; false where HDF5 could not.
  [[nodiscard]] bool close() { return !valid() || close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_ = -1;
  herr_t (*close_)(hid_t) = nullptr;
};

// HDF5's innermost reason for the call that just failed.
[[nodiscard]] std::string reason();

struct File::State {
  std::filesystem::path path;
  ExitCode code = ExitCode::resource;
  Handle file;

  // Throws "cannot <doing> <object> in <path>: <HDF5's reason>".
  [[noreturn]] void failed(const char* doing, const std::string& object) const;
  [[nodiscard]] Handle open_dataset(const std::string& name) const;
  [[nodiscard]] Handle create_dataset(const std::string& name, hid_t type, hid_t space) const;
};

}  // namespace convoy::hdf5
