// Makes a small dataset and a checkpoint, and finds out what their bytes are for.
#include "tests/faults/subjects.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <tuple>

#include "io/checkpoint.h"
#include "io/dataset.h"
#include "io/hdf5.h"
#include "io/pack.h"
#include "io/synth.h"

namespace convoy::faults {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t image_size = 20;

// All that training takes from a dataset.
auto read_dataset(const fs::path& folder) {
  const Dataset dataset(folder);
  const auto bytes = static_cast<std::size_t>(dataset.image_size() * dataset.image_size() * 3);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(dataset.size()) * bytes);
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    dataset.read_crop(i, 0, 0, dataset.image_size(),
                      pixels.data() + static_cast<std::size_t>(i) * bytes);
    labels.push_back(dataset.label(i));
  }
  return std::tuple(pixels, labels, dataset.classes(), dataset.class_counts(), dataset.mean_image(),
                    dataset.mean_rgb(), dataset.pca().deviations, dataset.pca().vectors,
                    dataset.fingerprint(), dataset.description());
}

// All that training and evaluation take from a checkpoint.
auto read_checkpoint(const fs::path& path) {
  const CheckpointReader reader(path);
  std::map<std::string, std::vector<float>> tensors;
  for (const auto& [layer, kind, shape] : reader.entries()) {
    std::vector<float>& values = tensors[layer + "/" + kind];
    values.resize(static_cast<std::size_t>(shape.count()));
    reader.read(layer, kind, shape, {0, shape.n}, values.data());
  }
  const CheckpointInfo& info = reader.info();
  return std::tuple(tensors, info.step, info.epoch, info.config, info.fingerprint, info.classes,
                    info.image_size, info.mean_image, info.pca.deviations, info.pca.vectors);
}

std::vector<float> ramp(std::int64_t count, float first) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(i) / 3;
  return values;
}

fs::path make_dataset(const fs::path& folder) {
  SynthOptions images;
  images.output = folder / "images";
  images.classes = 3;
  images.train_images = 5;
  images.val_images = 1;
  images.width = image_size + 8;
  images.height = image_size + 4;
  synthesise(images);
  PackOptions packing;
  packing.input = images.output / "train";
  packing.output = folder / "packed";
  packing.size = image_size;
  packing.threads = 1;
  packing.shard_images = 8;
  pack(packing);
  return packing.output;
}

fs::path make_checkpoint(const fs::path& folder) {
  const Dataset dataset(folder / "packed");
  CheckpointInfo info;
  info.step = 1'234'567;
  info.epoch = 17;
  info.config = "[model]\ntowers = 2\n" + std::string(2'000, '#') + "\n";
  info.fingerprint = dataset.fingerprint();
  info.classes = dataset.classes();
  info.image_size = dataset.image_size();
  info.mean_image = dataset.mean_image();
  info.pca = dataset.pca();
  fs::path path = folder / "step-01234567.h5";
  CheckpointWriter writer(path, info);
  const Shape conv{16, 5, 5, 8};
  const Shape full{10, 1, 1, 64};
  for (const auto& [layer, shape] : {std::pair{"conv1", conv}, std::pair{"fc8", full}}) {
    const auto values = ramp(shape.count(), 1);
    writer.add(layer, "weight", shape, values.data());
    writer.add(layer, "weight_velocity", shape, values.data());
    writer.add(layer, "bias", {shape.n, 1, 1, 1}, values.data());
    writer.add(layer, "bias_velocity", {shape.n, 1, 1, 1}, values.data());
  }
  writer.finish();
  return path;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// All datasets below a group.
void list_datasets(const hdf5::File& file, const std::string& group,
                   std::vector<std::string>& names) {
  for (const std::string& name : file.list(group)) {
    const std::string path = (group == "/" ? "" : group) + "/" + name;
    try {
      list_datasets(file, path, names);
    } catch (const Error&) {  // no group
      names.push_back(path);
    }
  }
}

// Every byte of the file stands in one region: the file's first block, the values of each dataset,
// the seal; of what is left, zeros are slack and all else is HDF5's structure.
std::vector<Region> regions_of(const fs::path& path) {
  constexpr std::size_t superblock = 48;
  const std::string bytes = bytes_of(path);
  std::vector<Region> regions;
  std::vector<bool> taken(bytes.size(), false);
  const auto take = [&](const std::string& name, std::size_t begin, std::size_t end) {
    Region region{name, {}};
    for (std::size_t i = begin; i < end; ++i) {
      if (!taken[i]) region.places.push_back(i);
      taken[i] = true;
    }
    if (!region.places.empty()) regions.push_back(std::move(region));
  };
  take("superblock", 0, superblock);
  take("seal", bytes.rfind("\nconvoy-seal "), bytes.size());
  const auto file = hdf5::File::open(path, ExitCode::bad_data);
  std::vector<std::string> names;
  list_datasets(file, "/", names);
  for (const std::string& name : names) {
    const hdf5::Layout layout = file.layout(name);
    if (!layout.offset) continue;
    std::size_t count = layout.element_bytes;
    for (const std::int64_t extent : layout.extents) count *= static_cast<std::size_t>(extent);
    take(name.substr(1), static_cast<std::size_t>(*layout.offset),
         static_cast<std::size_t>(*layout.offset) + count);
  }
  Region structure{"structure", {}};
  Region slack{"slack", {}};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (!taken[i]) (bytes[i] == '\0' ? slack : structure).places.push_back(i);
  }
  regions.push_back(std::move(structure));
  if (!slack.places.empty()) regions.push_back(std::move(slack));
  return regions;
}

template <typename Read>
Subject subject(std::string name, const fs::path& file, ExitCode refusal, const Read& read) {
  const auto original = std::make_shared<decltype(read())>(read());
  return {std::move(name), file, refusal, regions_of(file),
          [read, original] { return read() == *original; }};
}

}  // namespace

std::vector<Subject> make_subjects(const fs::path& folder) {
  const fs::path dataset = make_dataset(folder);
  const fs::path checkpoint = make_checkpoint(folder);
  const auto from_dataset = [dataset] { return read_dataset(dataset); };
  const auto from_checkpoint = [checkpoint] { return read_checkpoint(checkpoint); };
  return {subject("index", dataset / "index.h5", ExitCode::bad_data, from_dataset),
          subject("shard", dataset / "shard-00001.h5", ExitCode::bad_data, from_dataset),
          subject("checkpoint", checkpoint, ExitCode::bad_checkpoint, from_checkpoint)};
}

}  // namespace convoy::faults
