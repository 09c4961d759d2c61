// Runs the reader on a set of images that fits the page cache, and its parts on a few of them.
#include "dist/measure/loader_bench.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "dist/comm/communicator.h"
#include "dist/measure/work_rate.h"
#include "dist/train/dataset_options.h"
#include "io/dataset/dataset_index.h"
#include "io/dataset/shard_reader.h"
#include "io/files/crc32c.h"
#include "io/images/stored_jpeg.h"
#include "io/read/batch_plan.h"
#include "io/read/reader.h"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

// The reader and the plain copy are measured in turn, so often, for that long.
constexpr int rounds = 5;
constexpr std::chrono::duration<double> in_turn{0.2};
constexpr std::int64_t most_images = 4096;      // that are read: 0.8 GB of 256 x 256 pixels
constexpr std::int64_t images_in_memory = 256;  // for decoding and checksums

// The first images of a dataset, as they are stored.
class StoredImages {
 public:
  StoredImages(const std::filesystem::path& folder, ReadMode mode) : index_(read_index(folder)) {
    for (const ShardEntry& entry : index_.shards) {
      if (std::ssize(rows_) >= most_images) break;
      shards_.emplace_back(
          folder / entry.file,
          ShardFacts{entry.images, index_.image_size, std::ssize(index_.classes), index_.encoding},
          mode);
      for (std::int64_t row = 0; row < entry.images && std::ssize(rows_) < most_images; ++row)
        rows_.push_back({shards_.size() - 1, row});
    }
  }

  [[nodiscard]] std::int64_t size() const { return std::ssize(rows_); }
  [[nodiscard]] std::int64_t image_size() const { return index_.image_size; }
  [[nodiscard]] double mean_bytes() const {
    double sum = 0;
    for (const Row& at : rows_) sum += static_cast<double>(shards_[at.shard].stored_bytes(at.row));
    return sum / static_cast<double>(rows_.size());
  }
  std::span<const std::uint8_t> read(std::int64_t image, ReadBuffer& buffer) const {
    const Row& at = rows_[static_cast<std::size_t>(image % size())];
    const ShardReader& shard = shards_[at.shard];
    const std::int64_t bytes = shard.stored_bytes(at.row);
    return {shard.read(at.row, 0, bytes, buffer), static_cast<std::size_t>(bytes)};
  }

  // The top left crop; false where it has to be read in another way.
  bool copy_crop(std::int64_t image, std::int64_t crop, std::uint8_t* out) const {
    const Row& at = rows_[static_cast<std::size_t>(image % size())];
    return shards_[at.shard].copy_rows(at.row, 0, crop, crop * 3, image_size() * 3, out);
  }

 private:
  struct Row {
    std::size_t shard;
    std::int64_t row;
  };
  DatasetIndex index_;
  std::vector<ShardReader> shards_;
  std::vector<Row> rows_;
};

double read_rate(const StoredImages& images, int threads) {
  return rate(threads, [&]() -> Work {
    return [&images, buffer = std::make_shared<ReadBuffer>()](std::int64_t i) {
      static_cast<void>(images.read(i, *buffer));
    };
  });
}

// Crops that threads copy out of the page cache into memory of a few batches.
double crop_rate(const StoredImages& images, std::int64_t crop, int threads) {
  constexpr std::int64_t places = 384;
  const std::int64_t bytes = crop * crop * 3;
  std::vector<std::uint8_t> ring(static_cast<std::size_t>(places * bytes));
  for (std::int64_t i = 0; i < images.size(); ++i)  // maps every page
    if (!images.copy_crop(i, crop, ring.data())) return 0;
  return rate(threads, [&]() -> Work {
    return [&](std::int64_t i) {
      static_cast<void>(images.copy_crop(i, crop, ring.data() + i % places * bytes));
    };
  });
}

// Rates of the parts of reading, each alone, by as many threads as the reader has.
std::vector<LoaderStage> measure_stages(const JobOptions& job, const Dataset& dataset,
                                        double copies) {
  const int threads = job.data.threads;
  const StoredImages images(job.data.train, ReadMode::cached);
  std::vector<LoaderStage> stages;
  const double bytes = images.mean_bytes();
  const auto add = [&](const std::string& name, double per_second, double each, bool always) {
    stages.push_back({name, per_second, 1e-9 * each * per_second, always});
  };
  try {
    add("disk", read_rate(StoredImages(job.data.train, ReadMode::direct), threads), bytes, false);
  } catch (const Error& error) {
    if (error.code() != ExitCode::usage) throw;
    add("disk", 0, bytes, false);  // it cannot be told from the page cache
  }
  ReadBuffer buffer;
  std::vector<std::vector<std::uint8_t>> stored;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    const auto image = images.read(i, buffer);
    if (i < images_in_memory) stored.emplace_back(image.begin(), image.end());
  }
  const bool checks = job.data.verify == "always";
  const bool jpeg = dataset.encoding() == Encoding::jpeg;
  add("page cache", read_rate(images, threads), bytes, jpeg || checks);
  const auto stored_at = [&](std::int64_t i) -> const std::vector<std::uint8_t>& {
    return stored[static_cast<std::size_t>(i) % stored.size()];
  };
  std::atomic<std::uint32_t> sums = 0;  // so that the checksums are made
  const auto checksums = [&]() -> Work {
    return [&](std::int64_t i) { sums ^= crc32c(stored_at(i).data(), stored_at(i).size()); };
  };
  add("checksum", rate(threads, checksums), bytes, checks);
  if (jpeg) {
    const std::int64_t size = images.image_size();
    const auto decode = [&]() -> Work {
      return [&, size, decoder = std::make_shared<StoredJpegDecoder>(),
              pixels = std::make_shared<std::vector<std::uint8_t>>(size * size * 3)](
                 std::int64_t i) { decoder->decode(stored_at(i), size, pixels->data()); };
    };
    add("decode", rate(threads, decode), static_cast<double>(size * size * 3), true);
  }
  const auto crop_bytes = static_cast<double>(job.model.input * job.model.input * 3);
  // Raw crops are cut out of the page cache, others out of the image that was just decoded.
  const double cut = jpeg ? 0 : crop_rate(images, job.model.input, threads);
  add("copy", cut > 0 ? cut : copies / crop_bytes, crop_bytes, true);
  return stages;
}

// The first batches of a plan, again and again.
class RepeatedPlan : public BatchPlan {
 public:
  explicit RepeatedPlan(const BatchPlan& plan) : plan_(plan) {}
  [[nodiscard]] std::int64_t batches() const override {
    return std::numeric_limits<std::int64_t>::max() / 2;
  }
  void fill(std::int64_t batch, std::span<CropRequest> out) const override {
    plan_.fill(batch % plan_.batches(), out);
  }

 private:
  const BatchPlan& plan_;
};

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + std::ssize(values) / 2);
  return values[values.size() / 2];
}

// Crops a second of the whole reader, once it has read every image, and bytes a second of a copy:
// medians of rounds in turn, since a shared machine is not as fast from one moment to the next.
std::pair<double, double> reader_and_copy_rates(const JobOptions& job, const Dataset& dataset,
                                                int threads) {
  const std::int64_t batch = std::min(job.solver.batch, dataset.size());
  const std::int64_t batches =
      std::max<std::int64_t>(1, std::min(most_images, dataset.size()) / batch);
  const AugmentOptions augment{job.model.input, job.preprocess.random_crop, job.preprocess.mirror,
                               job.preprocess.colour_noise, 0};
  const TrainPlan plan(dataset, augment, batch, {0, batch}, job.run.seed, 0, batches,
                       shuffle_options(job.data));
  const RepeatedPlan repeated(plan);
  Reader reader(dataset, repeated, {batch, job.model.input, threads, job.data.ahead});
  for (std::int64_t i = 0; i < batches; ++i) reader.next();
  PlainCopy copy(threads);
  std::vector<double> crops;
  std::vector<double> copies;
  for (int round = 0; round < rounds; ++round) {
    copies.push_back(copy.rate_over(in_turn));
    for (int i = 0; i < job.data.ahead; ++i) reader.next();  // those that wait already
    const Clock::time_point start = Clock::now();
    std::chrono::duration<double> passed{};
    std::int64_t taken = 0;
    while (passed < in_turn) {
      reader.next();
      taken += batch;
      passed = Clock::now() - start;
    }
    crops.push_back(static_cast<double>(taken) / passed.count());
  }
  return {median(crops), median(copies)};
}

}  // namespace

LoaderResult measure_loader(const JobOptions& job) {
  const Dataset dataset = open_dataset(job.data.train, job.data);
  LoaderResult result;
  result.encoding = name_of(dataset.encoding());
  result.threads = job.data.threads;
  std::vector<int> threads;
  for (int count = 1; count <= usable_cores(); count *= 2) threads.push_back(count);
  threads.push_back(job.data.threads);
  std::ranges::sort(threads);
  threads.erase(std::unique(threads.begin(), threads.end()), threads.end());
  const auto crop_bytes = static_cast<double>(job.model.input * job.model.input * 3);
  for (const int count : threads) {
    const auto [crops, copies] = reader_and_copy_rates(job, dataset, count);
    result.rates.push_back({count, crops, 1e-9 * crops * crop_bytes, 1e-9 * copies});
    if (count == job.data.threads) {
      result.crops_per_second = crops;
      result.stages = measure_stages(job, dataset, copies);
    }
  }
  return result;
}

LoaderResult bench_loader(World& world, const JobOptions& job) {
  LoaderResult result;
  if (world.rank() == 0) result = measure_loader(job);
  world.split(0)->barrier("reader");
  return result;
}

}  // namespace convoy
