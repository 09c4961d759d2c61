// Where each tensor of a net stands in another program: under which name, in which order of its
// values, multiplied by what.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/net/spec.h"

namespace convoy {

enum class TensorNames {
  convoy,           // as a checkpoint has them
  torch,            // conv1.weight, in the layout of PyTorch's modules
  alexnet_pytorch,  // net.0.weight: model.py of alexnet-pytorch
  torchvision,      // features.0.weight: torchvision.models.alexnet
  caffe,            // conv1.weight for the first blob of Caffe's layer conv1
};

// "convoy", "torch", "alexnet-pytorch", "torchvision", "caffe".
[[nodiscard]] const char* name_of(TensorNames names);
// Throws Error(usage) for any other text.
[[nodiscard]] TensorNames tensor_names(const std::string& name);

struct TensorPlace {
  std::string layer;                  // ours
  std::string kind;                   // weight, bias
  Shape shape;                        // [K, R, S, C / groups], [out, H, W, C] or [K, 1, 1, 1]
  std::string name;                   // theirs
  std::vector<std::int64_t> extents;  // theirs; of as many values
  bool channels_first = false;        // values lie [K, C, R, S] there
  bool reversed_channels = false;     // blue and red, which it reads, change places there
  double factor = 1;                  // of the values there
};

// In the order of the layers, the weight before the bias. `bgr`: the net reads blue, green, red.
// Caffe's nets do, PyTorch's read red first; what leaves for one or the other reads what is usual
// there, so conv1's channels are reversed where that differs. Throws Error(usage), naming the first
// layer that differs, for alexnet_pytorch and torchvision where the net is not theirs (any number
// of classes is), where dropout cannot be expressed (inference_net.h), and where channels that are
// read in groups would be reversed.
[[nodiscard]] std::vector<TensorPlace> tensor_places(const NetSpec& net, TensorNames names,
                                                     bool bgr);

// Values as they lie in Convoy to those of the other program, and back: the way back gives values
// which lead to exactly the same ones there again, if there are such.
void to_theirs(const TensorPlace& place, std::span<const float> ours, std::span<float> theirs);
void to_ours(const TensorPlace& place, std::span<const float> theirs, std::span<float> ours);

}  // namespace convoy
