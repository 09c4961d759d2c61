// Times the search of `convoy show nearest` over many images: bench_nearest [IMAGES [VALUES
// [QUERIES [THREADS]]]], by default 100,000 images of 4,096 features and 8 queries, on all cores.
// Writes a file of features into the folder for temporary files first.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "core/device.h"
#include "core/error.h"
#include "core/random.h"
#include "dist/infer/nearest_search.h"
#include "io/run/feature_file.h"

namespace {

using namespace convoy;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Half of them 0, as behind a ReLU.
void draw(std::uint32_t row, std::vector<float>& values) {
  const RandomSource source(1, Purpose::synthetic);
  for (std::size_t i = 0; i < values.size(); i += 4) {
    const PhiloxBlock words = source.block(7, row, static_cast<std::uint32_t>(i));
    for (std::size_t k = 0; k < 4 && i + k < values.size(); ++k)
      values[i + k] = words[k] >> 31 != 0 ? static_cast<float>(words[k] & 0xFFFF) / 65536 : 0;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto given = [&](int i, std::int64_t otherwise) {
    return argc > i ? std::strtoll(argv[i], nullptr, 10) : otherwise;
  };
  const std::int64_t images = given(1, 100'000);
  const auto values = static_cast<std::size_t>(given(2, 4096));
  const std::int64_t queries = given(3, 8);
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / "convoy-bench-features.h5";
  try {
    std::vector<float> row(values);
    FeatureWriter writer(path, {"bench", "bench"}, images, static_cast<std::int64_t>(values));
    for (std::int64_t i = 0; i < images; ++i) {
      draw(static_cast<std::uint32_t>(i), row);
      writer.write({i, i + 1}, row.data());
    }
    writer.finish();
    std::vector<float> asked;
    for (std::int64_t q = 0; q < queries; ++q) {
      draw(static_cast<std::uint32_t>(q * images / queries), row);
      asked.insert(asked.end(), row.begin(), row.end());
    }
    const int threads = static_cast<int>(given(4, usable_cores()));
    for (int round = 0; round < 3; ++round) {
      auto start = std::chrono::steady_clock::now();
      const FeatureReader features(path);
      const double opened = seconds_since(start);
      start = std::chrono::steady_clock::now();
      const auto nearest = nearest_rows(features, asked, 6, threads);
      fmt::print(
          "{} images of {} features, {} queries: opened and checked in {:.2f} s, searched in "
          "{:.2f} s; the first query's nearest is {} at {:.3g}\n",
          images, values, queries, opened, seconds_since(start), nearest[0][0].row,
          nearest[0][0].distance);
    }
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.code());
  }
  std::filesystem::remove(path);
}
