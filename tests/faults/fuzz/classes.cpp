// Class lists.
#include "io/dataset/class_list.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  const auto path = fuzz::write_file("classes.txt", {data, size});
  fuzz::only_errors({ExitCode::bad_data}, [&] {
    for (const ClassInfo& info : read_class_list(path)) {
      if (info.name.empty()) std::abort();
    }
  });
  return 0;
}
