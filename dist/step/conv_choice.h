// Which method each convolution of a run uses: asked for, or timed on this machine.
//
// A choice by timing is made once, by rank 0 for all ranks, and then belongs to the run: it stands
// in config.ini and in checkpoints as the value of device.conv, so that a later start with them
// makes the same products in the same order.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/ops/conv.h"
#include "dist/comm/communicator.h"
#include "dist/partition/partition.h"

namespace convoy {

// The value of device.conv: auto, minimal, direct, or a list such as
// "conv1:minimal,conv2:direct" in which layers that are not named are chosen as by auto.
class ConvRequest {
 public:
  // Throws Error(usage) for text that is none of these.
  explicit ConvRequest(const std::string& text);

  enum class Method { automatic, minimal, direct };
  [[nodiscard]] Method of(const std::string& layer) const;
  // Throws Error(usage) for a layer that is named and not among `layers`.
  void require_known(const std::vector<std::string>& layers) const;

 private:
  Method all_ = Method::automatic;
  std::map<std::string, Method> named_;
};

// Of a CPU; a GPU's library picks its kernels itself (KernelChoices), and there are no lines.
struct ConvChoice {
  struct Line {
    std::string layer;
    ConvMethod method = ConvMethod::direct;
    // Of a forward and backward pass over a few images; 0 where nothing was timed.
    double minimal_ms = 0;
    double direct_ms = 0;
  };
  std::vector<Line> lines;  // every convolution, in the net's order

  [[nodiscard]] std::string text() const;    // as a value of device.conv
  [[nodiscard]] std::string report() const;  // for logs, with the times
};

// Throws Error(usage) where choose_conv_methods would: for words that mean nothing, layers that are
// not there, and methods that cannot do a layer.
void check_conv_request(const std::string& request, const std::vector<PlannedLayer>& plan,
                        const Device& device);

// Sets the method of every convolution in `plan`. Collective over `everyone`. Throws Error(usage)
// where minimal filtering is asked for and cannot do a layer, or the device has none.
ConvChoice choose_conv_methods(const std::string& request, std::vector<PlannedLayer>& plan,
                               Device& device, Communicator& everyone);

}  // namespace convoy
