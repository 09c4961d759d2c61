// HDF5 files that are sound as such and hold what the fuzzer likes: attributes and datasets that
// are missing, of another type, of other extents, or of any values. HDF5 itself is not what is
// tested; seals keep files from it that are not sound.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include "io/files/hdf5.h"

namespace convoy::fuzz {

class Content {
 public:
  Content(FuzzedDataProvider& bytes, hdf5::File& file) : bytes_(bytes), file_(file) {}

  void attribute(const std::string& name, const std::string& right) {
    if (missing()) return;
    if (odd()) {
      file_.set("/", name, bytes_.ConsumeIntegral<std::int64_t>());
    } else {
      file_.set("/", name, odd() ? text() : right);
    }
  }
  template <typename Number>
  requires std::is_arithmetic_v<Number>
  void attribute(const std::string& name, Number right) {
    if (missing()) return;
    if (odd()) {
      file_.set("/", name, text());
    } else if (odd()) {
      file_.set("/", name, any<double>());
    } else if (std::is_integral_v<Number>) {
      file_.set("/", name, odd() ? any<std::int64_t>() : static_cast<std::int64_t>(right));
    } else {
      file_.set("/", name, odd() ? any<double>() : static_cast<double>(right));
    }
  }

  void strings(const std::string& name, std::vector<std::string> values) {
    if (missing()) return;
    if (odd()) return numbers<std::int64_t>(name, {2}, {1, 2});
    if (odd()) values.resize(bytes_.ConsumeIntegralInRange<std::size_t>(0, 5));
    for (std::string& value : values) {
      if (odd()) value = text();
    }
    file_.write_strings(name, values);
  }

  template <typename T>
  void numbers(const std::string& name, hdf5::Extents extents, std::vector<T> values) {
    if (missing()) return;
    if (odd()) {
      extents.resize(bytes_.ConsumeIntegralInRange<std::size_t>(1, 4), 1);
      for (std::int64_t& extent : extents) {
        if (odd()) extent = bytes_.ConsumeIntegralInRange<std::int64_t>(0, 5);
      }
    }
    std::int64_t count = 1;
    for (const std::int64_t extent : extents) count *= extent;
    values.resize(static_cast<std::size_t>(std::min<std::int64_t>(count, 1 << 16)));
    for (T& value : values) {
      if (odd()) value = any<T>();
    }
    if (odd()) {
      const std::vector<double> others(values.begin(), values.end());
      file_.write(name, extents, others.data());
    } else {
      file_.write(name, extents, values.data());
    }
  }

 private:
  // Once the fuzzer's bytes are used up, everything is as it should be.
  bool odd() {
    return bytes_.remaining_bytes() > 0 && bytes_.ConsumeIntegral<std::uint8_t>() > 240;
  }
  bool missing() { return odd() && odd(); }
  std::string text() { return bytes_.ConsumeRandomLengthString(40); }
  template <typename T>
  T any() {
    if constexpr (std::is_integral_v<T>) {
      return bytes_.ConsumeIntegral<T>();
    } else {
      return bytes_.ConsumeFloatingPoint<T>();
    }
  }

  FuzzedDataProvider& bytes_;
  hdf5::File& file_;
};

}  // namespace convoy::fuzz
