// Seals: any bytes with any ending are refused in a sentence, and what a seal was put on is taken.
#include "io/files/seal.h"

#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  const auto path = fuzz::write_file("sealed", {data, size});
  fuzz::only_errors({ExitCode::bad_data}, [&] {
    (void)has_seal(path, ExitCode::bad_data);
    check_seal(path, ExitCode::bad_data);
  });
  const auto bytes = static_cast<std::int64_t>(size);
  const std::int64_t begin = size > 1 ? data[0] * bytes / 256 : 0;
  const std::int64_t end = size > 1 ? begin + data[1] * (bytes - begin) / 256 : 0;
  seal_file(path, {begin, end});
  check_seal(path, ExitCode::bad_data);  // an Error ends the target
  return 0;
}
