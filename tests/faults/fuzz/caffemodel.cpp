// Caffe's files: a net whose tensors are read and whose layers are compared, and a mean image.
#include "core/net/spec.h"
#include "io/model/caffe.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  static const NetSpec net = [] {
    ModelOptions model;
    model.width = 0.01;
    model.input = 67;
    model.classes = 2;
    return build_alexnet(model);
  }();
  const auto path = fuzz::write_file("net.caffemodel", {data, size});
  fuzz::only_errors({ExitCode::bad_checkpoint}, [&] {
    const auto file = open_caffemodel(path);
    for (std::size_t i = 0; i < file->tensors().size(); ++i) {
      std::size_t count = 1;
      for (const std::int64_t extent : file->tensors()[i].extents)
        count *= static_cast<std::size_t>(extent);
      if (file->read(i).size() != count) std::abort();
    }
    file->require_net(net);
  });
  fuzz::only_errors({ExitCode::bad_checkpoint}, [&] {
    const MeanImage mean = read_caffe_mean(path);
    if (std::ssize(mean.pixels) != mean.size * mean.size * 3) std::abort();
  });
  return 0;
}
