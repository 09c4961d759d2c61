// Checkpoints with a sound structure and any content, and every tensor that is listed read.
#include "io/run/checkpoint.h"

#include "io/files/seal.h"
#include "tests/faults/fuzz/hdf5_content.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  FuzzedDataProvider bytes(data, size);
  const std::filesystem::path path = fuzz::scratch() / "step-00000003.h5";
  {
    hdf5::File file = hdf5::File::create(path);
    fuzz::Content content(bytes, file);
    content.attribute("format", "convoy-checkpoint/2");
    content.attribute("step", 3);
    content.attribute("epoch", 0);
    content.attribute("config", "[model]\ntowers = 2\n");
    content.attribute("fingerprint", "3a1d7c0a5c7c1f4b");
    content.attribute("image_size", 2);
    content.attribute("global_batch", 128);
    content.attribute("strategy", "model");
    content.attribute("ranks", 2);
    content.attribute("made_on", "AVX2");
    content.attribute("kernels", "");
    content.attribute("plateau_drops", 1);
    content.attribute("plateau_waited", 2);
    content.attribute("plateau_best", 0.25);
    content.attribute("best_top1", 0.5);
    content.strings("/classes", {"cat", "dog"});
    content.strings("/words", {"", "hound"});
    content.numbers<float>("/mean_image", {2, 2, 3}, {});
    content.numbers<double>("/pca_deviations", {3}, {});
    content.numbers<double>("/pca_vectors", {3, 3}, {});
    content.numbers<float>("/parameters/conv1/weight", {4, 3, 3, 2}, {});
    content.numbers<float>("/parameters/conv1/bias", {4}, {});
    content.numbers<float>("/parameters/conv1/bias_velocity", {4}, {});
    content.numbers<float>("/parameters/fc8/weight", {2, 1, 1, 5}, {});
    file.close();
  }
  seal_file(path);
  fuzz::only_errors({ExitCode::bad_checkpoint}, [&] {
    const CheckpointReader reader(path);
    for (const auto& [layer, kind, shape] : reader.entries()) {
      std::vector<float> values(static_cast<std::size_t>(shape.count()));
      reader.read(layer, kind, shape, {0, shape.n}, values.data());
    }
  });
  return 0;
}
