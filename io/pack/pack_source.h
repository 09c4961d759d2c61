// Where `convoy pack` takes images from: class folders, a list file, or tars, behind one interface.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/pack/pack.h"

namespace convoy {

struct SourceImage {
  std::string name;        // what the dataset keeps as its id: "class/file", or as in the list
  std::string class_name;  // WNID or folder name
  std::int32_t label = 0;
  std::int64_t offset = 0;  // in a tar: where its bytes begin, and how many they are
  std::int64_t bytes = 0;
};

// Everything that is known about a source before an image is read.
struct ImageListing {
  std::vector<ClassInfo> classes;
  std::vector<SourceImage> images;  // sorted by class name, then by name
  std::vector<PackIssue> issues;    // what lies between the images and is none
  std::string class_prefix;  // put before a class's name in messages: "the class folder DIR/"

  // A number that changes with the classes, the images' names, labels and places.
  [[nodiscard]] std::uint32_t checksum() const;
};

class PackSource {
 public:
  explicit PackSource(ImageListing listing);
  virtual ~PackSource();
  PackSource(const PackSource&) = delete;
  PackSource& operator=(const PackSource&) = delete;

  [[nodiscard]] const ImageListing& listing() const { return listing_; }
  // The bytes of image i's file. Thread-safe. Throws Error(bad_data) with what is wrong, to be put
  // behind the image's name: "cannot be read: ...".
  [[nodiscard]] virtual std::vector<std::uint8_t> read(std::size_t i) const = 0;

 private:
  ImageListing listing_;
};

// Recognises the input by its content:
//   a folder of class folders; with labels, a folder of images
//   a tar of tars, one a class (ILSVRC's training images), or a tar of class folders
//   a tar of images, with labels (ILSVRC's validation images)
//   a text file with lines "PATH CLASS"; paths are relative to its folder, the last blank or tab
//   parts the two
// Labels number the classes in sorted order, or in the order of the class list where one is given;
// images of a validation set labelled by ILSVRC ids have all of the devkit's classes. Tars are read
// where they are: their headers once, then each image at its place. Throws Error(bad_data) for
// damaged tars, lists and labels, Error(usage) for options that do not belong to the input. `quiet`
// keeps the progress of indexing off standard error.
[[nodiscard]] std::unique_ptr<PackSource> open_pack_source(const PackOptions& options, bool quiet);

}  // namespace convoy
