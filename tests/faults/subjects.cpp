// Makes a small dataset and a checkpoint, and finds out what their bytes are for.
#include "tests/faults/subjects.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>

#include "io/files/hdf5.h"
#include "io/pack/index_folder.h"
#include "io/run/feature_file.h"
#include "tests/faults/content.h"

namespace convoy::faults {
namespace {

namespace fs = std::filesystem;

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
  take("seal", std::min(bytes.rfind("\nconvoy-seal "), bytes.size()), bytes.size());
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
  return {std::move(name),
          file,
          refusal,
          regions_of(file),
          {std::begin(all_damage), std::end(all_damage)},
          [read, original] { return read() == *original; }};
}

// A shard with nothing but images and labels, and the index that `convoy index` makes of it: that
// has the images' checksums, and a number for images and labels together.
Subject foreign_shard(const fs::path& folder, const fs::path& original) {
  const fs::path file = folder / "shard.h5";
  fs::create_directories(folder);
  {
    const auto from = hdf5::File::open(original, ExitCode::bad_data);
    auto to = hdf5::File::create(file);
    for (const char* values : {"/images", "/labels"}) {
      to.write(values, from.layout(values).extents, from.read<std::uint8_t>(values).data());
    }
    to.close();
  }
  index_folder({.folder = folder, .classes = {}});
  Subject result = subject("another tool's shard", file, ExitCode::bad_data,
                           [folder] { return read_dataset(folder); });
  std::erase_if(result.regions, [](const Region& region) {
    return region.name != "images" && region.name != "labels";
  });
  result.damages = {Damage::bit, Damage::byte};
  return result;
}

// All that a search takes from a file of features.
struct FeatureContent {
  FeatureOrigin origin;
  std::vector<float> rows;
  std::vector<float> half_squares;
  friend bool operator==(const FeatureContent&, const FeatureContent&) = default;
};

FeatureContent read_features(const fs::path& path) {
  const FeatureReader reader(path);
  FeatureContent content{reader.origin(), {}, reader.half_squares()};
  content.rows.resize(static_cast<std::size_t>(reader.images() * reader.values()));
  reader.read({0, reader.images()}, content.rows.data());
  return content;
}

void write_features(const fs::path& path) {
  constexpr std::int64_t images = 40;
  constexpr std::int64_t values = 12;
  std::vector<float> rows(static_cast<std::size_t>(images * values));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = 1 + static_cast<float>(i) / 7;
  FeatureWriter writer(path, {"8f2e11aa", "3a1d7c0a5c7c1f4b"}, images, values);
  writer.write({0, images}, rows.data());
  writer.finish();
}

}  // namespace

std::vector<Subject> make_subjects(const fs::path& folder) {
  const fs::path raw = folder / "packed";
  const fs::path jpeg = folder / "jpeg";
  const fs::path checkpoint = folder / "step-01234567.h5";
  make_images(folder / "images");
  pack_images(folder / "images", raw);
  pack_images(folder / "images", jpeg, "jpeg");
  write_checkpoint(checkpoint, raw, 1'234'567, 1);
  const fs::path features = folder / "features.h5";
  write_features(features);
  const auto from_raw = [raw] { return read_dataset(raw); };
  const auto from_jpeg = [jpeg] { return read_dataset(jpeg); };
  const auto from_checkpoint = [checkpoint] { return read_checkpoint(checkpoint); };
  return {subject("index", raw / "index.h5", ExitCode::bad_data, from_raw),
          subject("shard", raw / "shard-00001.h5", ExitCode::bad_data, from_raw),
          subject("JPEG shard", jpeg / "shard-00001.h5", ExitCode::bad_data, from_jpeg),
          foreign_shard(folder / "foreign", raw / "shard-00000.h5"),
          subject("checkpoint", checkpoint, ExitCode::bad_checkpoint, from_checkpoint),
          subject("features", features, ExitCode::bad_data,
                  [features] { return read_features(features); })};
}

}  // namespace convoy::faults
