// index.h5 with a sound structure and any content.
#include "io/dataset/dataset_index.h"
#include "io/files/seal.h"
#include "tests/faults/fuzz/hdf5_content.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  FuzzedDataProvider bytes(data, size);
  const std::filesystem::path path = index_path(fuzz::scratch());
  {
    hdf5::File file = hdf5::File::create(path);
    fuzz::Content content(bytes, file);
    content.attribute("format", "convoy-dataset/1");
    content.attribute("image_size", 4);
    content.attribute("images", 6);
    content.attribute("fingerprint", "3a1d7c0a5c7c1f4b");
    content.attribute("created_by", "convoy pack");
    content.attribute("encoding", "raw");
    content.attribute("crc32c", 0);
    content.strings("/classes", {"cat", "dog"});
    content.strings("/words", {"", "hound"});
    content.numbers<std::int64_t>("/class_counts", {2}, {3, 3});
    content.strings("/shards/files", {"shard-00000.h5", "shard-00001.h5"});
    content.numbers<std::int64_t>("/shards/images", {2}, {4, 2});
    content.numbers<std::uint32_t>("/shards/crc32c", {2}, {1, 2});
    content.numbers<std::int64_t>("/shards/bytes", {2}, {9000, 9000});
    content.numbers<std::uint32_t>("/shards/image_crc32c", {6}, {});
    content.numbers<float>("/mean_image", {4, 4, 3}, {});
    content.numbers<double>("/mean_rgb", {3}, {});
    content.numbers<double>("/pca_deviations", {3}, {});
    content.numbers<double>("/pca_vectors", {3, 3}, {});
    file.close();
  }
  seal_file(path);
  fuzz::only_errors({ExitCode::bad_data}, [] { (void)read_index(fuzz::scratch()); });
  return 0;
}
