// Shards with a sound structure and any content, read as far as they are taken.
#include "io/shard.h"

#include "tests/faults/fuzz/hdf5_content.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  FuzzedDataProvider bytes(data, size);
  const std::filesystem::path path = fuzz::scratch() / "shard-00000.h5";
  constexpr std::int64_t images = 3;
  constexpr std::int64_t side = 4;
  {
    hdf5::File file = hdf5::File::create(path);
    fuzz::Content content(bytes, file);
    content.attribute("format", "convoy-shard/1");
    content.numbers<std::uint8_t>("/images", {images, side, side, 3}, {});
    content.numbers<std::int32_t>("/labels", {images}, {0, 1, 0});
    content.strings("/ids", {"a", "b", "c"});
    content.numbers<std::uint32_t>("/crc32c", {images}, {});
    file.close();
  }
  fuzz::only_errors({ExitCode::bad_data}, [&] {
    const Shard shard(path, images, side, 2);
    std::uint8_t pixels[side * side * 3];
    for (std::int64_t row = 0; row < images; ++row) shard.read(row, 0, sizeof pixels, pixels);
  });
  return 0;
}
