// Writes and reads checkpoints as HDF5 files that end with a seal.
#include "io/run/checkpoint.h"

#include <algorithm>
#include <cstddef>

#include "core/error.h"
#include "io/files/durable.h"
#include "io/files/hdf5.h"
#include "io/files/seal.h"

namespace convoy {
namespace {

constexpr const char* format_name = "convoy-checkpoint/2";
constexpr const char* old_format_name = "convoy-checkpoint/1";

std::string dataset_name(const std::string& layer, const std::string& kind) {
  return "/parameters/" + layer + "/" + kind;
}

hdf5::Extents stored_extents(const std::string& kind, const Shape& shape) {
  if (kind.starts_with("bias")) return {shape.n};
  return {shape.n, shape.h, shape.w, shape.c};
}

void set(hdf5::File& file, const ContinuationInfo& info) {
  file.set("/", "global_batch", info.global_batch);
  file.set("/", "strategy", info.strategy);
  file.set("/", "ranks", info.ranks);
  file.set("/", "made_on", info.made_on);
  file.set("/", "threads", info.threads);
  file.set("/", "validation", info.validation);
  file.set("/", "kernels", info.kernels);
  file.set("/", "plateau_drops", info.plateau.drops);
  file.set("/", "plateau_waited", info.plateau.waited);
  file.set("/", "plateau_best", info.plateau.best);
  file.set("/", "best_top1", info.best_top1);
}

std::optional<ContinuationInfo> continuation_of(const hdf5::File& file) {
  if (!file.has("/", "global_batch")) return std::nullopt;
  ContinuationInfo info;
  info.global_batch = file.integer("/", "global_batch");
  info.strategy = file.text("/", "strategy");
  info.ranks = file.integer("/", "ranks");
  info.made_on = file.text("/", "made_on");
  if (file.has("/", "threads")) info.threads = file.integer("/", "threads");
  if (file.has("/", "validation")) info.validation = file.text("/", "validation");
  info.kernels = file.text("/", "kernels");
  info.plateau.drops = file.integer("/", "plateau_drops");
  info.plateau.waited = file.integer("/", "plateau_waited");
  info.plateau.best = file.number("/", "plateau_best");
  info.best_top1 = file.number("/", "best_top1");
  return info;
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
  if (info.continuation) set(file, *info.continuation);
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

void CheckpointWriter::create(const std::string& layer, const std::string& kind,
                              const Shape& shape) {
  const bool weight = kind.starts_with("weight");
  if (!weight && !kind.starts_with("bias")) {
    fail(ExitCode::usage, "{} of {} is neither a weight nor a bias", kind, layer);
  }
  if (!weight && shape.per_row() != 1) {
    fail(ExitCode::usage, "the {} of {} has {} values for each kernel instead of one", kind, layer,
         shape.per_row());
  }
  const std::string name = dataset_name(layer, kind);
  state_->file.create_dataset(name, hdf5::Type::f32, stored_extents(kind, shape));
  if (weight) state_->file.set(name, "layout", std::string("KRSC"));
}

void CheckpointWriter::write(const std::string& layer, const std::string& kind, Range rows,
                             const float* values) {
  state_->file.write_rows(dataset_name(layer, kind), rows, hdf5::Type::f32, values);
}

void CheckpointWriter::finish() {
  state_->file.close();
  seal_file(state_->aside.partial());
  state_->aside.commit();
}

struct CheckpointReader::State {
  explicit State(const std::filesystem::path& path) : file(open_checked(path)) {
    const std::string format = file.has("/", "format") ? file.text("/", "format") : "";
    if (format != format_name && format != old_format_name) {
      fail(ExitCode::bad_checkpoint, "{} is not a checkpoint of the format {}", path.string(),
           format_name);
    }
    info.step = file.integer("/", "step");
    info.epoch = file.integer("/", "epoch");
    info.config = file.text("/", "config");
    info.fingerprint = file.text("/", "fingerprint");
    info.image_size = file.integer("/", "image_size");
    info.continuation = continuation_of(file);
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

const std::filesystem::path& CheckpointReader::path() const { return state_->file.path(); }

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
