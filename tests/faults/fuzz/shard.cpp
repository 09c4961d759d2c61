// Shards with a sound structure and any content, raw and JPEG, read as far as they are taken.
#include "io/dataset/shard_reader.h"
#include "tests/faults/fuzz/hdf5_content.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  FuzzedDataProvider bytes(data, size);
  const std::filesystem::path path = fuzz::scratch() / "shard-00000.h5";
  ShardFacts facts{.images = 3, .image_size = 4, .classes = 2};
  if (bytes.ConsumeBool()) facts.encoding = Encoding::jpeg;
  {
    hdf5::File file = hdf5::File::create(path);
    fuzz::Content content(bytes, file);
    content.attribute("format", "convoy-shard/1");
    content.attribute("encoding", name_of(facts.encoding));
    if (facts.encoding == Encoding::raw) {
      content.numbers<std::uint8_t>("/images", {3, 4, 4, 3}, {});
    } else {
      content.numbers<std::uint8_t>("/bytes", {100}, {});
      content.numbers<std::uint64_t>("/offsets", {4}, {0, 30, 60, 100});
    }
    content.numbers<std::int32_t>("/labels", {3}, {0, 1, 0});
    content.strings("/ids", {"a", "b", "c"});
    content.numbers<std::uint32_t>("/crc32c", {3}, {});
    file.close();
  }
  fuzz::only_errors({ExitCode::bad_data}, [&] {
    const ShardReader shard(path, facts);
    ReadBuffer buffer;
    for (std::int64_t row = 0; row < facts.images; ++row) {
      (void)shard.read(row, 0, shard.stored_bytes(row), buffer);
    }
  });
  return 0;
}
