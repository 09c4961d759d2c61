// Recognises what the images to pack lie in, gives them their labels, and reads their bytes.
#include "io/pack/pack_source.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "io/dataset/class_list.h"
#include "io/files/crc32c.h"
#include "io/files/text_file.h"
#include "io/images/image_file.h"
#include "io/pack/class_folders.h"
#include "io/pack/image_labels.h"
#include "io/pack/tar_listing.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

class FileSource : public PackSource {
 public:
  FileSource(ImageListing listing, fs::path folder)
      : PackSource(std::move(listing)), folder_(std::move(folder)) {}

  [[nodiscard]] std::vector<std::uint8_t> read(std::size_t i) const override {
    return read_image_file(folder_ / listing().images[i].name);
  }

 private:
  fs::path folder_;
};

class TarSource : public PackSource {
 public:
  TarSource(ImageListing listing, TarFile tar)
      : PackSource(std::move(listing)), tar_(std::move(tar)) {}

  [[nodiscard]] std::vector<std::uint8_t> read(std::size_t i) const override {
    const SourceImage& image = listing().images[i];
    check_image_bytes(image.bytes);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(image.bytes));
    bytes.resize(tar_.read(image.offset, bytes));
    return bytes;
  }

 private:
  TarFile tar_;
};

// The classes that the images have, or all of the devkit's, sorted.
std::vector<ClassInfo> classes_of(const ImageListing& listing, const Devkit* devkit, bool by_id) {
  std::map<std::string, std::string> words;
  if (devkit != nullptr) {
    for (const auto& [id, info] : devkit->classes) words[info.name] = info.words;
  }
  std::set<std::string> names;
  for (const SourceImage& image : listing.images) names.insert(image.class_name);
  if (by_id) {
    for (const auto& [name, text] : words) names.insert(name);
  }
  std::vector<ClassInfo> classes;
  for (const std::string& name : names) classes.push_back({name, words[name]});
  return classes;
}

// Sorts the images and gives them numbers for labels.
void number_images(ImageListing& listing, const fs::path& class_list, const Devkit* devkit,
                   bool by_id) {
  listing.classes =
      class_list.empty() ? classes_of(listing, devkit, by_id) : read_class_list(class_list);
  const LabelOf labels = number_classes(listing.classes, class_list);
  std::ranges::sort(listing.images, [](const SourceImage& a, const SourceImage& b) {
    return std::tie(a.class_name, a.name) < std::tie(b.class_name, b.name);
  });
  const SourceImage* before = nullptr;
  for (SourceImage& image : listing.images) {
    if (before != nullptr && before->name == image.name) {
      fail(ExitCode::bad_data, "{}{} has the image {} twice", listing.class_prefix,
           image.class_name, image.name);
    }
    before = &image;
    const auto label = labels.find(image.class_name);
    if (label == labels.end()) {
      fail(ExitCode::bad_data,
           "{}{} is not in the class list {}, which has {} classes from {} to {}",
           listing.class_prefix, image.class_name, class_list.string(), listing.classes.size(),
           listing.classes.front().name, listing.classes.back().name);
    }
    image.label = label->second;
  }
}

void refuse_labels(const PackOptions& options, const char* why) {
  if (options.labels.empty()) return;
  fail(ExitCode::usage, "--labels is for images that lie in no class folders, but {} {}",
       options.input.string(), why);
}

bool has_ground_truth(const std::optional<Devkit>& devkit) {
  return devkit && !devkit->ground_truth.empty();
}

// What there is to pack, and for tars, the tar.
struct Found {
  ImageListing listing;
  std::optional<TarFile> tar;
  fs::path folder;
  bool by_id = false;  // labelled by ILSVRC ids
};

Found find_in_folder(const PackOptions& options, const std::optional<Devkit>& devkit) {
  Found found;
  found.folder = options.input;
  const bool flat =
      !options.labels.empty() || (has_ground_truth(devkit) && !has_folders(options.input));
  if (!flat) {
    found.listing = list_class_folders(options.input);
    return found;
  }
  found.listing = list_flat_folder(options.input);
  found.listing.class_prefix = fmt::format("in {} the class ", options.input.string());
  if (found.listing.images.empty()) {
    fail(ExitCode::bad_data, "the input {} has no files for the labels", options.input.string());
  }
  found.by_id = label_images(found.listing, options.labels, devkit);
  return found;
}

Found find_in_tar(const PackOptions& options, const std::optional<Devkit>& devkit, bool quiet) {
  Found found;
  found.tar.emplace(options.input);
  TarListing listed = list_tar(*found.tar, quiet);
  found.listing = std::move(listed.images);
  if (listed.kind != TarKind::flat) {
    refuse_labels(options, listed.kind == TarKind::tar_of_tars ? "has a tar for each class"
                                                               : "has class folders");
    return found;
  }
  if (options.labels.empty() && !has_ground_truth(devkit)) {
    fail(ExitCode::usage,
         "{} has images without classes: give --labels (and, for ILSVRC's ids, --devkit)",
         options.input.string());
  }
  found.by_id = label_images(found.listing, options.labels, devkit);
  return found;
}

Found find_images(const PackOptions& options, const std::optional<Devkit>& devkit, bool quiet) {
  std::error_code error;
  const fs::file_status status = fs::status(options.input, error);
  if (fs::is_directory(status)) return find_in_folder(options, devkit);
  if (!fs::is_regular_file(status)) {
    fail(ExitCode::bad_data,
         "the input {} is not a folder, tar or list of images: {}; images usually lie in class "
         "folders, as in INPUT/dog/1.jpg and INPUT/cat/2.jpg",
         options.input.string(), error ? error.message() : "it is not a file");
  }
  std::array<std::uint8_t, 512> block{};
  const TarFile file(options.input);
  const auto start = std::span(block).first(file.read(0, block));
  if (TarFile::is_header(start)) return find_in_tar(options, devkit, quiet);
  if (start.size() >= 2 &&
      ((start[0] == 0x1F && start[1] == 0x8B) || (start[0] == 'B' && start[1] == 'Z') ||
       (start[0] == 0xFD && start[1] == '7') || (start[0] == 0x28 && start[1] == 0xB5))) {
    fail(ExitCode::bad_data,
         "the input {} is compressed: unpack it to a plain tar, whose images can be read where "
         "they lie",
         options.input.string());
  }
  if (!is_text({reinterpret_cast<const char*>(start.data()), start.size()})) {
    fail(ExitCode::bad_data, "the input {} is neither a tar nor a list of images, or is damaged",
         options.input.string());
  }
  refuse_labels(options, "is a list that names them");
  Found found;
  found.listing = read_image_list(read_small_file(options.input, "the list"), options.input);
  found.folder = options.input.parent_path();
  return found;
}

}  // namespace

std::uint32_t ImageListing::checksum() const {
  std::uint32_t crc = 0;
  const auto add = [&crc](const std::string& text) {
    crc = crc32c(text.c_str(), text.size() + 1, crc);
  };
  for (const ClassInfo& info : classes) {
    add(info.name);
    add(info.words);
  }
  for (const SourceImage& image : images) {
    add(image.name);
    crc = crc32c(&image.label, sizeof image.label, crc);
    crc = crc32c(&image.offset, sizeof image.offset, crc);
    crc = crc32c(&image.bytes, sizeof image.bytes, crc);
  }
  for (const PackIssue& issue : issues) add(issue.file);
  return crc;
}

PackSource::PackSource(ImageListing listing) : listing_(std::move(listing)) {}
PackSource::~PackSource() = default;

std::unique_ptr<PackSource> open_pack_source(const PackOptions& options, bool quiet) {
  std::optional<Devkit> devkit;
  if (!options.devkit.empty()) devkit = read_devkit(options.devkit);
  Found found = find_images(options, devkit, quiet);
  number_images(found.listing, options.classes, devkit ? &*devkit : nullptr, found.by_id);
  if (found.tar) {
    return std::make_unique<TarSource>(std::move(found.listing), std::move(*found.tar));
  }
  return std::make_unique<FileSource>(std::move(found.listing), std::move(found.folder));
}

}  // namespace convoy
