// Permutes samples, or blocks and then what is near each other.
#include "io/read/sample_order.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.h"

namespace convoy {
namespace {

std::int64_t lanes_of(std::int64_t global_batch) {
  std::int64_t lanes = std::min(SampleOrder::most_lanes, global_batch);
  while (global_batch % lanes != 0) --lanes;
  return lanes;
}

// Every shard in equal blocks, as near to the wanted number of images as their count allows.
std::vector<Range> cut_into_blocks(const Dataset& dataset, std::int64_t block_images) {
  std::vector<Range> blocks;
  for (std::int64_t shard = 0; shard < dataset.shards(); ++shard) {
    const Range all = dataset.samples_of(shard);
    const std::int64_t count =
        std::max<std::int64_t>(1, (all.size() + block_images / 2) / block_images);
    for (std::int64_t i = 0; i < count; ++i) {
      const Range block{all.begin + all.size() * i / count,
                        all.begin + all.size() * (i + 1) / count};
      if (block.size() > 0) blocks.push_back(block);
    }
  }
  return blocks;
}

}  // namespace

SampleOrder::SampleOrder(const Dataset& dataset, const ShuffleOptions& options,
                         std::int64_t global_batch, std::uint64_t seed)
    : samples_source_(seed, Purpose::sample_order),
      blocks_source_(seed, Purpose::sample_order, 1),
      windows_source_(seed, Purpose::sample_order, 2),
      samples_(static_cast<std::uint32_t>(dataset.size())) {
  if (options.block_images < 1) {
    fail(ExitCode::usage, "a block of {} images cannot be shuffled", options.block_images);
  }
  if (options.kind == Shuffle::block) {
    lanes_ = lanes_of(global_batch);
    blocks_ = cut_into_blocks(dataset, options.block_images);
  }
  lane_places_ = global_batch / lanes_;
  lane_samples_ = dataset.size() / global_batch * lane_places_;
  if (options.kind == Shuffle::block) {
    windows_ = std::max<std::int64_t>(1, lane_samples_ / mixed_blocks / options.block_images);
  }
}

std::vector<std::uint32_t> SampleOrder::epoch(std::uint32_t epoch) const {
  if (windows_ == 0) return permutation(samples_source_, epoch, samples_);
  std::vector<std::uint32_t> line;
  line.reserve(samples_);
  for (const std::uint32_t number :
       permutation(blocks_source_, epoch, static_cast<std::uint32_t>(blocks_.size()))) {
    for (std::int64_t sample = blocks_[number].begin; sample < blocks_[number].end; ++sample)
      line.push_back(static_cast<std::uint32_t>(sample));
  }
  line.resize(static_cast<std::size_t>(lanes_ * lane_samples_));
  mix(epoch, line);
  return line;
}

// Fisher-Yates in each window, a place's draw counted by the place.
void SampleOrder::mix(std::uint32_t epoch, std::vector<std::uint32_t>& line) const {
  for (std::int64_t lane = 0; lane < lanes_; ++lane) {
    for (std::int64_t number = 0; number < windows_; ++number) {
      const Range places = window(number);
      const auto begin = static_cast<std::uint32_t>(lane * lane_samples_ + places.begin);
      for (auto i = static_cast<std::uint32_t>(places.size()); i > 1; --i) {
        const std::uint32_t other = below(windows_source_.block(epoch, begin + i - 1, 0)[0], i);
        std::swap(line[begin + i - 1], line[begin + other]);
      }
    }
  }
}

Range SampleOrder::window(std::int64_t number) const {
  return {lane_samples_ * number / windows_, lane_samples_ * (number + 1) / windows_};
}

std::int64_t SampleOrder::window_of(std::int64_t lane_sample) const {
  std::int64_t number = lane_sample * windows_ / lane_samples_;
  while (window(number).end <= lane_sample) ++number;  // the division above rounds the other way
  return number;
}

}  // namespace convoy
