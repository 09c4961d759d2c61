// Files of features with a sound structure and any content, and every row read.
#include "io/files/seal.h"
#include "io/run/feature_file.h"
#include "tests/faults/fuzz/hdf5_content.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  FuzzedDataProvider bytes(data, size);
  const std::filesystem::path path = fuzz::scratch() / "features.h5";
  {
    hdf5::File file = hdf5::File::create(path);
    fuzz::Content content(bytes, file);
    content.attribute("format", "convoy-features/1");
    content.attribute("weights", "8f2e11aa");
    content.attribute("dataset", "3a1d7c0a5c7c1f4b");
    content.numbers<float>("/features", {5, 3}, {});
    content.numbers<float>("/half_squares", {5}, {});
    file.close();
  }
  seal_file(path);
  fuzz::only_errors({ExitCode::bad_data}, [&] {
    const FeatureReader reader(path);
    std::vector<float> row(static_cast<std::size_t>(reader.values()));
    for (std::int64_t i = 0; i < reader.images(); ++i) reader.read({i, i + 1}, row.data());
  });
  return 0;
}
