// The order in which an epoch visits the samples: the part of shuffling that decides what a disk or
// a parallel file system has to do.
//
// `full` permutes all samples. `block` permutes runs of neighbouring samples, which lie side by
// side in a shard, and mixes only samples of nearby runs:
//   1. Every shard is cut into blocks of about block_images samples; the blocks of all shards are
//      permuted and laid one behind the other.
//   2. That line is cut into equal lanes, each of which feeds its own run of places of every global
//      batch. Replicas that hold whole lanes read blocks that no other replica touches.
//   3. A lane is cut into windows of `mixed_blocks` blocks' samples (up to twice as many where the
//      lane ends), and each window is permuted.
// So each batch draws on lanes * mixed_blocks blocks, and blocks can be fetched whole before their
// window begins. The price: samples of one block are seen within one window of each epoch, so that
// the order inside a shard must be random already, as `convoy pack` makes it.
//
// An order is a function of dataset, global batch, options, seed and epoch; never of ranks or
// threads. Of every epoch's floor(n / batch) * batch places each holds another sample.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.h"
#include "io/dataset/dataset.h"

namespace convoy {

enum class Shuffle { full, block };

struct ShuffleOptions {
  Shuffle kind = Shuffle::full;
  std::int64_t block_images = 128;  // >= 1
};

class SampleOrder {
 public:
  static constexpr std::int64_t most_lanes = 16;  // the largest divisor of the batch up to it
  static constexpr std::int64_t mixed_blocks = 4;

  // The dataset holds at least a global batch. Throws Error(usage) for blocks of no images.
  SampleOrder(const Dataset& dataset, const ShuffleOptions& options, std::int64_t global_batch,
              std::uint64_t seed);

  // Lane by lane: what lane l reads i-th in the epoch stands at l * lane_samples() + i.
  [[nodiscard]] std::vector<std::uint32_t> epoch(std::uint32_t epoch) const;
  [[nodiscard]] std::int64_t lanes() const { return lanes_; }
  [[nodiscard]] std::int64_t lane_samples() const { return lane_samples_; }  // in an epoch
  // Places of a lane in each global batch: lane l has [l * lane_places(), (l+1) * lane_places()).
  [[nodiscard]] std::int64_t lane_places() const { return lane_places_; }

  // Windows of a lane in an epoch; 0 under `full`, whose reads nothing orders.
  [[nodiscard]] std::int64_t windows() const { return windows_; }
  // The part of a lane, within its samples of an epoch, that is one window.
  [[nodiscard]] Range window(std::int64_t number) const;
  [[nodiscard]] std::int64_t window_of(std::int64_t lane_sample) const;

 private:
  void mix(std::uint32_t epoch, std::vector<std::uint32_t>& line) const;

  RandomSource samples_source_;
  RandomSource blocks_source_;
  RandomSource windows_source_;
  std::uint32_t samples_;
  std::vector<Range> blocks_;  // none under `full`
  std::int64_t lanes_ = 1;
  std::int64_t lane_places_;
  std::int64_t lane_samples_;
  std::int64_t windows_ = 0;
};

}  // namespace convoy
