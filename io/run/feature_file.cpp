// Features as HDF5, sealed.
#include "io/run/feature_file.h"

#include <algorithm>
#include <utility>

#include <fcntl.h>

#include "core/error.h"
#include "io/files/crc32c.h"
#include "io/files/descriptor.h"
#include "io/files/durable.h"
#include "io/files/hdf5.h"
#include "io/files/mapped_copy.h"
#include "io/files/seal.h"

namespace convoy {
namespace {

constexpr const char* format_name = "convoy-features/1";
constexpr std::int64_t kRowsAtOnce = 256;  // of a tensor, when it is summed up

}  // namespace

std::string weights_fingerprint(const CheckpointReader& checkpoint) {
  const CheckpointInfo& info = checkpoint.info();
  std::uint32_t crc = crc32c(info.config.data(), info.config.size());
  crc = crc32c(info.mean_image.data(), info.mean_image.size() * sizeof(float), crc);
  std::vector<float> values;
  for (const CheckpointReader::Entry& entry : checkpoint.entries()) {
    if (entry.kind != "weight" && entry.kind != "bias") continue;
    for (std::int64_t row = 0; row < entry.shape.n; row += kRowsAtOnce) {
      const Range rows{row, std::min(entry.shape.n, row + kRowsAtOnce)};
      values.resize(static_cast<std::size_t>(rows.size() * entry.shape.per_row()));
      checkpoint.read(entry.layer, entry.kind, entry.shape, rows, values.data());
      crc = crc32c(values.data(), values.size() * sizeof(float), crc);
    }
  }
  return fmt::format("{:08x}", crc);
}

struct FeatureWriter::State {
  State(const std::filesystem::path& path, std::int64_t images, std::int64_t per_image)
      : aside(path), file(hdf5::File::create(aside.partial())), values(per_image) {
    half_squares.resize(static_cast<std::size_t>(images));
  }
  AsideFile aside;
  hdf5::File file;
  std::int64_t values;
  std::vector<float> half_squares;
};

FeatureWriter::FeatureWriter(const std::filesystem::path& path, const FeatureOrigin& origin,
                             std::int64_t images, std::int64_t values)
    : state_(std::make_unique<State>(path, images, values)) {
  state_->file.set("/", "format", std::string(format_name));
  state_->file.set("/", "weights", origin.weights);
  state_->file.set("/", "dataset", origin.dataset);
  state_->file.create_dataset("/features", hdf5::Type::f32, {images, values});
}

FeatureWriter::~FeatureWriter() = default;

void FeatureWriter::write(Range rows, const float* features) {
  state_->file.write_rows("/features", rows, hdf5::Type::f32, features);
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    double sum = 0;
    for (std::int64_t i = 0; i < state_->values; ++i, ++features)
      sum += static_cast<double>(*features) * static_cast<double>(*features);
    state_->half_squares[static_cast<std::size_t>(row)] = static_cast<float>(sum / 2);
  }
}

void FeatureWriter::finish() {
  state_->file.write("/half_squares", {std::ssize(state_->half_squares)},
                     state_->half_squares.data());
  state_->file.close();
  seal_file(state_->aside.partial());
  state_->aside.commit();
}

struct FeatureReader::State {
  explicit State(hdf5::File opened) : file(std::move(opened)) {}
  hdf5::File file;
  FeatureOrigin origin;
  std::int64_t images = 0;
  [[nodiscard]] std::int64_t feature_bytes(std::int64_t rows) const {
    return rows * values * static_cast<std::int64_t>(sizeof(float));
  }

  std::int64_t values = 0;
  std::int64_t first_byte = 0;  // of the features in the file
  std::vector<float> half_squares;
  Descriptor bytes;
  Mapping mapping;  // of the file up to the end of the features
};

FeatureReader::FeatureReader(const std::filesystem::path& path) {
  check_seal(path, ExitCode::bad_data);
  state_ = std::make_unique<State>(hdf5::File::open(path, ExitCode::bad_data));
  const hdf5::File& file = state_->file;
  if (!file.has("/", "format") || file.text("/", "format") != format_name) {
    fail(ExitCode::bad_data, "{} is not a file of features in the format {}", path.string(),
         format_name);
  }
  state_->origin = {file.text("/", "weights"), file.text("/", "dataset")};
  const hdf5::Extents extents = file.layout("/features").extents;
  const hdf5::Extents squares = file.layout("/half_squares").extents;
  if (extents.size() != 2 || extents[1] < 1 || squares != hdf5::Extents{extents[0]}) {
    fail(ExitCode::bad_data, "the features in {} have the shape [{}] and their squares [{}]",
         path.string(), fmt::join(extents, ", "), fmt::join(squares, ", "));
  }
  state_->images = extents[0];
  state_->values = extents[1];
  state_->half_squares = file.read<float>("/half_squares");
  const hdf5::Layout layout = file.layout("/features");
  if (!layout.offset || layout.kind != hdf5::Layout::Kind::floating ||
      layout.element_bytes != sizeof(float))
    return;
  state_->bytes = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!state_->bytes.valid()) return;
  state_->first_byte = *layout.offset;
  state_->mapping =
      Mapping(state_->bytes.get(), *layout.offset + state_->feature_bytes(extents[0]));
}

FeatureReader::FeatureReader(FeatureReader&&) noexcept = default;
FeatureReader::~FeatureReader() = default;

const FeatureOrigin& FeatureReader::origin() const { return state_->origin; }
std::int64_t FeatureReader::images() const { return state_->images; }
std::int64_t FeatureReader::values() const { return state_->values; }
const std::vector<float>& FeatureReader::half_squares() const { return state_->half_squares; }

void FeatureReader::read(Range rows, float* features) const {
  const State& state = *state_;
  if (state.mapping.valid() && rows.begin >= 0 && rows.size() >= 0 && rows.end <= state.images) {
    const std::int64_t count = state.feature_bytes(rows.size());
    if (state.mapping.copy(state.first_byte + state.feature_bytes(rows.begin), 1, count, count,
                           reinterpret_cast<std::uint8_t*>(features)))
      return;
  }
  state.file.read_rows("/features", rows, hdf5::Type::f32, features);
}

}  // namespace convoy
