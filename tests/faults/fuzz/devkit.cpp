// ILSVRC's devkit: archive, meta.mat or text list.
#include "io/pack/devkit.h"

#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  const auto path = fuzz::write_file("devkit", {data, size});
  fuzz::only_errors({ExitCode::bad_data}, [&] {
    for (const auto& [id, info] : read_devkit(path).classes) {
      if (id < 1 || id > last_ilsvrc_id || info.name.empty()) std::abort();
    }
  });
  return 0;
}
