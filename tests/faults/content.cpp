// Makes small datasets and checkpoints and reads all of them.
#include "tests/faults/content.h"

#include "io/pack/pack.h"
#include "io/pack/synth.h"
#include "io/run/checkpoint.h"

namespace convoy::faults {
namespace {

namespace fs = std::filesystem;

std::vector<float> ramp(std::int64_t count, float first) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(i) / 3;
  return values;
}

}  // namespace

DatasetContent read_dataset(const fs::path& folder) {
  const Dataset dataset(folder);
  DatasetContent content;
  const auto bytes = static_cast<std::size_t>(dataset.image_size() * dataset.image_size() * 3);
  content.pixels.resize(static_cast<std::size_t>(dataset.size()) * bytes);
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    dataset.read_crop(i, 0, 0, dataset.image_size(),
                      content.pixels.data() + static_cast<std::size_t>(i) * bytes);
    content.labels.push_back(dataset.label(i));
  }
  content.classes = dataset.classes();
  content.class_counts = dataset.class_counts();
  content.mean_image = dataset.mean_image();
  content.mean_rgb = dataset.mean_rgb();
  content.pca_deviations = dataset.pca().deviations;
  content.pca_vectors = dataset.pca().vectors;
  content.fingerprint = dataset.fingerprint();
  return content;
}

CheckpointContent read_checkpoint(const fs::path& path) {
  const CheckpointReader reader(path);
  CheckpointContent content;
  for (const auto& [layer, kind, shape] : reader.entries()) {
    std::vector<float>& values = content.tensors[layer + "/" + kind];
    values.resize(static_cast<std::size_t>(shape.count()));
    reader.read(layer, kind, shape, {0, shape.n}, values.data());
  }
  const CheckpointInfo& info = reader.info();
  content.step = info.step;
  content.epoch = info.epoch;
  content.config = info.config;
  content.fingerprint = info.fingerprint;
  content.classes = info.classes;
  content.mean_image = info.mean_image;
  content.pca_deviations = info.pca.deviations;
  content.pca_vectors = info.pca.vectors;
  if (info.continuation) {
    const ContinuationInfo& c = *info.continuation;
    content.continuation = {c.global_batch, c.plateau.drops, c.plateau.waited, c.plateau.best,
                            c.best_top1,    c.kernels,       c.strategy,       c.ranks};
  }
  return content;
}

void make_images(const fs::path& folder) {
  SynthOptions images;
  images.output = folder;
  images.classes = 3;
  images.train_images = 5;
  images.val_images = 1;
  images.width = image_size + 8;
  images.height = image_size + 4;
  synthesise(images);
}

void pack_images(const fs::path& images, const fs::path& output, const std::string& encoding) {
  PackOptions packing;
  packing.input = images / "train";
  packing.output = output;
  packing.size = image_size;
  packing.threads = 1;
  packing.shard_images = shard_images;
  packing.encoding = encoding;
  pack(packing);
}

void write_checkpoint(const fs::path& path, const fs::path& dataset_folder, std::int64_t step,
                      float first) {
  const Dataset dataset(dataset_folder);
  CheckpointInfo info;
  info.step = step;
  info.epoch = step / 7;
  info.config = "[model]\ntowers = 2\n" + std::string(2'000, '#') + "\n";
  info.fingerprint = dataset.fingerprint();
  info.classes = dataset.classes();
  info.image_size = dataset.image_size();
  info.mean_image = dataset.mean_image();
  info.pca = dataset.pca();
  ContinuationInfo& going_on = info.continuation.emplace();
  going_on.global_batch = 128;
  going_on.plateau = {1, 2, 0.25};
  going_on.best_top1 = 0.75;
  going_on.kernels = "conv1 forward 3";
  going_on.strategy = "model";
  going_on.ranks = 2;
  CheckpointWriter writer(path, info);
  const Shape conv{16, 5, 5, 8};
  const Shape full{10, 1, 1, 64};
  for (const auto& [layer, shape] : {std::pair{"conv1", conv}, std::pair{"fc8", full}}) {
    const auto values = ramp(shape.count(), first);
    const Shape biases{shape.n, 1, 1, 1};
    for (const auto& [kind, of] : {std::pair{"weight", shape}, std::pair{"weight_velocity", shape},
                                   std::pair{"bias", biases}, std::pair{"bias_velocity", biases}}) {
      writer.create(layer, kind, of);
      writer.write(layer, kind, {0, of.n}, values.data());
    }
  }
  writer.finish();
}

}  // namespace convoy::faults
