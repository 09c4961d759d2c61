// What is packed: tars, tars of tars, and list files, recognised by their bytes; images in tars are
// read where the tar says they are.
#include "io/pack/pack_source.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  PackOptions options;
  options.input = fuzz::write_file("input", {data, size});
  options.output = fuzz::scratch() / "packed";
  fuzz::only_errors({ExitCode::bad_data, ExitCode::usage}, [&] {
    const auto source = open_pack_source(options, true);
    const ImageListing& listing = source->listing();
    for (std::size_t i = 0; i < listing.images.size(); ++i) {
      const SourceImage& image = listing.images[i];
      const auto classes = static_cast<std::int64_t>(listing.classes.size());
      if (image.label < 0 || image.label >= classes) std::abort();
      // A list may name any file of this machine.
      if (image.offset > 0 && source->read(i).size() > size) std::abort();
    }
  });
  return 0;
}
