// Labels of images that lie in no class folders: files with a class, or ILSVRC's ids; list files.
#include "io/pack/image_labels.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  const auto path = fuzz::write_file("labels.txt", {data, size});
  Devkit devkit;
  devkit.path = "kit";
  devkit.classes = {{1, {"n02119789", "kit fox"}}, {2, {"n01443537", "goldfish"}}};
  for (const bool with_kit : {false, true}) {
    fuzz::only_errors({ExitCode::bad_data, ExitCode::usage}, [&] {
      ImageListing listing;
      for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) {
        listing.images.emplace_back().name = name;
      }
      label_images(listing, path, with_kit ? std::optional(devkit) : std::nullopt);
      for (const SourceImage& image : listing.images) {
        if (image.class_name.empty()) std::abort();
      }
    });
  }
  fuzz::only_errors({ExitCode::bad_data}, [&] {
    const std::string text(reinterpret_cast<const char*>(data), size);
    for (const SourceImage& image : read_image_list(text, path).images) {
      if (image.name.empty() || image.class_name.empty()) std::abort();
    }
  });
  return 0;
}
