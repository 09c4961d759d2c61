// Writes and reads checkpoints as HDF5 files that end with a seal.
#include "io/checkpoint.h"

#include <algorithm>
#include <cstddef>

#include "core/error.h"
#include "io/durable.h"
#include "io/hdf5.h"
#include "io/seal.h"

namespace convoy {
namespace {

constexpr const char* format_name = "convoy-checkpoint/1";

std::string dataset_name(const std::string& layer, const std::string& kind) {
  return "/parameters/" + layer + "/" + kind;
}

hdf5::Extents stored_extents(const std::string& kind, const Shape& shape) {
  if (kind.starts_with("bias")) return {shape.n};
  return {shape.n, shape.h, shape.w, shape.c};
}

// The seal comes first: HDF5 does not survive every damaged file that it is given.
hdf5::File open_checked(const std::filesystem::path& path) {
  check_seal(path, ExitCode::bad_checkpoint);
  return hdf5::File::open(path, ExitCode::bad_checkpoint);
}

}  // namespace

struct CheckpointWriter::State {
  explicit State(const std::filesystem::path& path)
      : aside(path), file(hdf5::File::create(aside.partial())) {}

  AsideFile aside;
  hdf5::File file;  // closed before the partial file is removed
};

CheckpointWriter::CheckpointWriter(const std::filesystem::path& path, const CheckpointInfo& info) {
  if (static_cast<std::int64_t>(info.mean_image.size()) != info.image_size * info.image_size * 3) {
    fail(ExitCode::usage, "a mean image of {} values is not [{}, {}, 3]", info.mean_image.size(),
         info.image_size, info.image_size);
  }
  state_ = std::make_unique<State>(path);
  hdf5::File& file = state_->file;
  file.set("/", "format", format_name);
  file.set("/", "step", info.step);
  file.set("/", "epoch", info.epoch);
  file.set("/", "config", info.config);
  file.set("/", "fingerprint", info.fingerprint);
  file.set("/", "image_size", info.image_size);
  std::vector<std::string> names;
  std::vector<std::string> words;
  for (const ClassInfo& one : info.classes) {
    names.push_back(one.name);
    words.push_back(one.words);
  }
  file.write_strings("/classes", names);
  file.write_strings("/words", words);
  file.write("/mean_image", {info.image_size, info.image_size, 3}, info.mean_image.data());
  file.write("/pca_deviations", {3}, info.pca.deviations.data());
  std::vector<double> vectors;
  for (const auto& vector : info.pca.vectors) {
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }
  file.write("/pca_vectors", {3, 3}, vectors.data());
}

CheckpointWriter::~CheckpointWriter() = default;

void CheckpointWriter::add(const std::string& layer, const std::string& kind, const Shape& shape,
                           const float* values) {
  const bool weight = kind.starts_with("weight");
  if (!weight && !kind.starts_with("bias")) {
    fail(ExitCode::usage, "{} of {} is neither a weight nor a bias", kind, layer);
  }
  if (!weight && shape.per_row() != 1) {
    fail(ExitCode::usage, "the {} of {} has {} values for each kernel instead of one", kind, layer,
         shape.per_row());
  }
  const std::string name = dataset_name(layer, kind);
  state_->file.write(name, stored_extents(kind, shape), values);
  if (weight) state_->file.set(name, "layout", std::string("KRSC"));
}

void CheckpointWriter::finish() {
  state_->file.close();
  seal_file(state_->aside.partial());
  state_->aside.commit();
}

struct CheckpointReader::State {
  explicit State(const std::filesystem::path& path) : file(open_checked(path)) {
    if (!file.has("/", "format") || file.text("/", "format") != format_name) {
      fail(ExitCode::bad_checkpoint, "{} is not a checkpoint of the format {}", path.string(),
           format_name);
    }
    info.step = file.integer("/", "step");
    info.epoch = file.integer("/", "epoch");
    info.config = file.text("/", "config");
    info.fingerprint = file.text("/", "fingerprint");
    info.image_size = file.integer("/", "image_size");
    const std::vector<std::string> names = file.read_strings("/classes");
    const std::vector<std::string> words = file.read_strings("/words");
    if (names.size() != words.size()) {
      fail(ExitCode::bad_checkpoint, "{} names {} classes and has words for {}", path.string(),
           names.size(), words.size());
    }
    for (std::size_t i = 0; i < names.size(); ++i) info.classes.push_back({names[i], words[i]});
    info.mean_image = read<float>("/mean_image", {info.image_size, info.image_size, 3});
    const std::vector<double> deviations = read<double>("/pca_deviations", {3});
    const std::vector<double> vectors = read<double>("/pca_vectors", {3, 3});
    for (std::size_t k = 0; k < 3; ++k) {
      info.pca.deviations[k] = deviations[k];
      std::copy_n(vectors.begin() + static_cast<std::ptrdiff_t>(3 * k), 3,
                  info.pca.vectors[k].begin());
    }
  }

  void check_extents(const std::string& dataset, const hdf5::Extents& expected) const {
    const hdf5::Extents found = file.layout(dataset).extents;
    if (found != expected) {
      fail(ExitCode::bad_checkpoint, "{} in {} has the shape [{}], not [{}]", dataset,
           file.path().string(), fmt::join(found, ", "), fmt::join(expected, ", "));
    }
  }

  template <typename T>
  std::vector<T> read(const std::string& dataset, const hdf5::Extents& expected) const {
    check_extents(dataset, expected);
    return file.read<T>(dataset);
  }

  hdf5::File file;
  CheckpointInfo info;
};

CheckpointReader::CheckpointReader(const std::filesystem::path& path)
    : state_(std::make_unique<State>(path)) {}

CheckpointReader::~CheckpointReader() = default;

const CheckpointInfo& CheckpointReader::info() const { return state_->info; }

void CheckpointReader::read(const std::string& layer, const std::string& kind, const Shape& logical,
                            Range rows, float* values) const {
  const std::string name = dataset_name(layer, kind);
  if (!state_->file.exists(name)) {
    fail(ExitCode::bad_checkpoint, "{} holds no {} of {}", state_->file.path().string(), kind,
         layer);
  }
  state_->check_extents(name, stored_extents(kind, logical));
  if (rows.begin < 0 || rows.size() < 0 || rows.end > logical.n) {
    fail(ExitCode::usage, "rows [{}, {}) were asked of {}, which has {}", rows.begin, rows.end,
         name, logical.n);
  }
  state_->file.read_rows(name, rows, hdf5::Type::f32, values);
}

std::vector<CheckpointReader::Entry> CheckpointReader::entries() const {
  const hdf5::File& file = state_->file;
  std::vector<Entry> entries;
  if (!file.exists("/parameters")) return entries;
  for (const std::string& layer : file.list("/parameters")) {
    for (const std::string& kind : file.list("/parameters/" + layer)) {
      const std::string name = dataset_name(layer, kind);
      hdf5::Extents extents = file.layout(name).extents;
      if (extents.size() != 1 && extents.size() != 4) {
        fail(ExitCode::bad_checkpoint, "{} in {} has {} axes instead of 1 or 4", name,
             file.path().string(), extents.size());
      }
      extents.resize(4, 1);
      entries.push_back({layer, kind, {extents[0], extents[1], extents[2], extents[3]}});
    }
  }
  return entries;
}

}  // namespace convoy
