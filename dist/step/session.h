// What a rank needs to run a net under a strategy: device, groups of ranks, its network, its loss.
// Training, evaluation and the benchmark are built on it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/device.h"
#include "core/net/network.h"
#include "core/ops/operations.h"
#include "core/options.h"
#include "dist/comm/communicator.h"
#include "dist/job.h"
#include "dist/partition/exchange.h"
#include "dist/partition/strategy.h"
#include "dist/step/conv_choice.h"
#include "io/read/reader.h"

namespace convoy {

// Choices of kernels that a run has made before, and keeps.
struct KernelRecord {
  std::string kernels;   // KernelChoices::text()
  std::string where;     // the kernels were written down, for messages
  bool methods = false;  // device.conv is a choice of this run, not of a person
};

class Session {
 public:
  // `options.model.classes` must be set. Collective.
  Session(World& world, const JobOptions& options, const KernelRecord& record = {});

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] Device& device() { return *device_; }
  [[nodiscard]] Stream& stream() { return *stream_; }
  [[nodiscard]] OpContext op() { return {*stream_, network_->workspace()}; }
  [[nodiscard]] const NetSpec& net() const { return net_; }
  [[nodiscard]] const Strategy& strategy() const { return strategy_; }
  [[nodiscard]] Network& network() { return *network_; }
  [[nodiscard]] ExposedTime& exposed() { return exposed_; }
  // How each convolution is computed; the times are known to rank 0.
  [[nodiscard]] const ConvChoice& conv_choice() const { return conv_choice_; }
  // What a person should know about this set-up, on rank 0.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  [[nodiscard]] Communicator& everyone() {
    return *everyone_;
  }  // control, never the data of a step
  [[nodiscard]] Communicator& replicas() { return *replicas_; }  // ranks with the same tower
  // The same ranks, for what is not a step's data.
  [[nodiscard]] Communicator& replica_control() { return *statistics_; }
  // The host waits for all work of the stream, exchanges included.
  void wait() { (towers_->size() > 1 ? *towers_ : *replicas_).wait(*stream_); }
  [[nodiscard]] Communicator& towers() { return *towers_; }  // ranks with the same replica
  [[nodiscard]] bool leader() const { return world_.rank() == 0; }

  // Each rank's record of collectives lies in this run directory from now on, which rank 0 has
  // made. Collective.
  void keep_record(const std::filesystem::path& run);

  [[nodiscard]] std::int64_t global_batch() const { return global_batch_; }
  [[nodiscard]] Range slice() const { return slice_; }  // this replica's places in the global batch

  // Layers [0, head()) are passed once a step, those above once in each of turns(); under most
  // strategies that is all of them, once.
  [[nodiscard]] int turns() const { return strategy_.turns ? strategy_.grid.towers : 1; }
  [[nodiscard]] Range body() const { return {0, head_}; }
  [[nodiscard]] Range head() const {
    return {head_, static_cast<std::int64_t>(network_->layers().size())};
  }
  // Begins a turn and returns what the head's pass in it is, given the body's.
  [[nodiscard]] Pass take_turn(int turn, const Pass& body);
  // This rank's images pass in the turn that was begun: its logits are there after forward, and
  // its loss is due before backward.
  [[nodiscard]] bool own_turn() const {
    return turns() == 1 || turn_.now == strategy_.grid.tower(world_.rank());
  }
  // A forward pass of all layers that is not for training.
  void evaluate(LayerObserver* observer = nullptr);

  // For one reader of batches that this session computes on: into memory that the device copies
  // from, or that the towers of a replica share (data.share). Collective over the towers, whose
  // readers must then have equal plans. Throws Error(usage) where sharing is asked for and cannot
  // be.
  [[nodiscard]] ReaderOptions reader_options(const Dataset& dataset, const DataOptions& data);

  // Softmax cross-entropy of the logits against labels (int32 [N], in device memory), its gradient
  // into the network, sums over this replica's images. `scale` multiplies the gradient.
  LossSums loss(const Tensor& labels, float scale);
  // The same in two parts: work of the stream, and the sums once the stream has passed it.
  void queue_loss(const Tensor& labels, float scale);
  [[nodiscard]] const LossSums& queued_loss() const;
  // Sums over all replicas (each counted once, whatever the number of towers).
  LossSums total(const LossSums& mine);
  // The probabilities [N, classes] of the images in the network, on the host.
  void probabilities(float* host);
  // Payload this rank has handed to the data communicators so far.
  [[nodiscard]] std::int64_t payload_bytes() const {
    return replicas_->payload_bytes() + towers_->payload_bytes();
  }

 private:
  [[nodiscard]] std::vector<std::unique_ptr<Layer>> make_layers(const std::string& conv,
                                                                bool exact_zeros);
  void spread_kernel_choices();

  World& world_;
  std::int64_t global_batch_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  NetSpec net_;
  Strategy strategy_;
  std::unique_ptr<Communicator> everyone_;
  std::unique_ptr<Communicator> replicas_;
  std::unique_ptr<Communicator> towers_;
  std::unique_ptr<Communicator>
      statistics_;  // as replicas_, so that sums of losses are not counted
  ExposedTime exposed_;
  Turn turn_;
  Range slice_;
  std::int64_t head_ = 0;
  ConvChoice conv_choice_;
  std::vector<std::string> warnings_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<SoftmaxLossOp> loss_;
  Buffer sums_;           // LossSums
  Buffer host_sums_;      // the same on the host
  Buffer probabilities_;  // fp32 [N, classes]
};

}  // namespace convoy
