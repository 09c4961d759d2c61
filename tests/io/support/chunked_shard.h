// A shard as h5py would write it: chunked, compressed, 64-bit big-endian labels, no format, ids or
// checksums.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include <hdf5.h>

namespace convoy {

inline void write_chunked_shard(const std::filesystem::path& path, std::int64_t size,
                                const std::vector<std::uint8_t>& images,
                                const std::vector<std::int64_t>& labels) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const auto side = static_cast<hsize_t>(size);
  const hsize_t extents[] = {labels.size(), side, side, 3};
  const hsize_t chunk[] = {std::min<hsize_t>(labels.size(), 5), side, side, 3};
  const hid_t space = H5Screate_simple(4, extents, nullptr);
  const hid_t storage = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(storage, 4, chunk);
  H5Pset_deflate(storage, 4);
  const hid_t pixels =
      H5Dcreate2(file, "images", H5T_STD_U8LE, space, H5P_DEFAULT, storage, H5P_DEFAULT);
  const hid_t row = H5Screate_simple(1, extents, nullptr);
  const hid_t numbers =
      H5Dcreate2(file, "labels", H5T_STD_I64BE, row, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const bool wrote =
      H5Dwrite(pixels, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, images.data()) >= 0 &&
      H5Dwrite(numbers, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, labels.data()) >= 0;
  H5Dclose(pixels);
  H5Dclose(numbers);
  H5Sclose(space);
  H5Sclose(row);
  H5Pclose(storage);
  H5Fclose(file);
  if (!wrote) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace convoy
