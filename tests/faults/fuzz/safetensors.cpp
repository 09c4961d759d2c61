// Safetensors files: every tensor read, metadata taken as Convoy's.
#include "io/model/safetensors.h"

#include "io/model/metadata.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  const auto path = fuzz::write_file("net.safetensors", {data, size});
  fuzz::only_errors({ExitCode::bad_checkpoint}, [&] {
    const auto file = open_safetensors(path);
    for (std::size_t i = 0; i < file->tensors().size(); ++i) {
      std::size_t count = 1;
      for (const std::int64_t extent : file->tensors()[i].extents)
        count *= static_cast<std::size_t>(extent);
      if (file->read(i).size() != count) std::abort();
    }
    static_cast<void>(names_in(file->metadata()));
    const auto info = info_in(file->metadata(), path);
    if (info && std::ssize(info->mean_image) != info->image_size * info->image_size * 3)
      std::abort();
  });
  return 0;
}
