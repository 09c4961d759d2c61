// A packed dataset: a folder with index.h5 and shard-NNNNN.h5, opened read-only (format: README).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace convoy {

struct ClassInfo {
  std::string name;   // WNID or folder name; labels number the classes in the order of the index
  std::string words;  // human words, may be empty
  friend bool operator==(const ClassInfo&, const ClassInfo&) = default;
};

// Principal components of RGB over all pixels of a training set (Krizhevsky et al. 2012, sec. 4.1).
struct ColourPca {
  std::array<double, 3> deviations{};              // standard deviation along each, grey levels
  std::array<std::array<double, 3>, 3> vectors{};  // vectors[k] is the k-th unit vector, R G B
};

// When the checksum of an image is checked: at its first read in this process, always, never.
enum class Verify { first, always, never };

// How images are stored: as pixels, or as JPEG files that are decoded at every read.
enum class Encoding { raw, jpeg };
[[nodiscard]] const char* name_of(Encoding encoding);

// Through the system's page cache, or past it (O_DIRECT).
enum class ReadMode { cached, direct };

struct ImageSource {  // where a stored image came from, for messages
  std::string shard;
  std::int64_t row = 0;
};

class Dataset {
 public:
  // Reads the index and the header of every shard. Throws Error(bad_data), naming file and reason,
  // for a missing or foreign index, a shard that is missing, cut short, of wrong shape or type, or
  // whose labels are out of range; everything a later read relies on is checked here. Throws
  // Error(usage) where files cannot be read directly.
  explicit Dataset(const std::filesystem::path& folder, Verify verify = Verify::first,
                   ReadMode mode = ReadMode::cached);
  ~Dataset();
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;

  [[nodiscard]] const std::filesystem::path& folder() const;
  [[nodiscard]] std::int64_t size() const;        // images
  [[nodiscard]] std::int64_t image_size() const;  // S: every image is uint8 [S, S, 3] RGB
  [[nodiscard]] const std::vector<ClassInfo>& classes() const;
  [[nodiscard]] const std::vector<std::int64_t>& class_counts() const;
  [[nodiscard]] const std::vector<float>& mean_image() const;  // [S, S, 3] RGB, 0..255
  [[nodiscard]] std::array<double, 3> mean_rgb() const;
  [[nodiscard]] const ColourPca& pca() const;
  [[nodiscard]] Encoding encoding() const;
  [[nodiscard]] std::int64_t shards() const;
  [[nodiscard]] Range samples_of(std::int64_t shard) const;  // neighbours in it lie side by side
  // A number that changes with the content and order of the dataset: hex of a checksum over
  // classes, counts and the images' checksums.
  [[nodiscard]] const std::string& fingerprint() const;
  [[nodiscard]] const std::string& description() const;  // how it was made, from the index

  // Thread-safe; `sample` in [0, size()).
  [[nodiscard]] std::int32_t label(std::int64_t sample) const;
  [[nodiscard]] ImageSource source(std::int64_t sample) const;
  // Copies the crop [size, size, 3] whose first pixel is (top, left) into `crop`. The first read of
  // an image checks its checksum (see Verify); throws Error(bad_data) naming shard and row. Crops
  // of the same JPEG image one after the other on one thread decode it once.
  void read_crop(std::int64_t sample, std::int64_t top, std::int64_t left, std::int64_t size,
                 std::uint8_t* crop) const;
  // Asks the system to bring these samples into the page cache, without waiting; for direct reads
  // and shards that HDF5 reads it does nothing.
  void read_ahead(Range samples) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convoy
