// Writes a line for each layer with weights, and a line for each step of the forward pass.
#include "io/model/torch_module.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/model/inference_net.h"

namespace convoy {
namespace {

// Where the module of a layer stands. No word of Python's and no attribute of nn.Module ends in a
// digit; other names may be such (class, forward), or no words there (a-b), and go straight into
// the table that state_dict() has its names from.
std::string place_of(const std::string& layer) {
  if (layer == "training") {
    fail(ExitCode::usage,
         "modules of PyTorch keep a switch of their own under the name {}; give that layer another "
         "name, or use --names convoy",
         layer);
  }
  const bool attribute =
      layer.back() >= '0' && layer.back() <= '9' && layer.find('-') == std::string::npos;
  return attribute ? "self." + layer : fmt::format("self._modules[\"{}\"]", layer);
}

struct Source {
  std::string modules;
  std::string forward;
  bool maps = true;  // not yet rows of numbers

  void module(const std::string& name, const std::string& made) {
    modules += fmt::format("        {} = {}\n", place_of(name), made);
  }
  void step(const std::string& expression) {
    forward += fmt::format("        x = {}\n", expression);
  }
  void call(const std::string& name, bool relu) {
    step(fmt::format(fmt::runtime(relu ? "F.relu({}(x))" : "{}(x)"), place_of(name)));
  }
};

void add(Source& to, const LayerSpec& layer, const ConvLayer& conv) {
  std::string options;
  if (conv.stride > 1) options += fmt::format(", stride={}", conv.stride);
  if (conv.pad_begin == conv.pad_end) {
    if (conv.pad_begin > 0) options += fmt::format(", padding={}", conv.pad_begin);
  } else {
    to.step(fmt::format("F.pad(x, ({0}, {1}, {0}, {1}))", conv.pad_begin, conv.pad_end));
  }
  if (conv.groups > 1) options += fmt::format(", groups={}", conv.groups);
  to.module(layer.name,
            fmt::format("nn.Conv2d({}, {}, {}{})", layer.in.c, conv.kernels, conv.kernel, options));
  to.call(layer.name, conv.relu);
}

void add(Source& to, const LayerSpec& layer, const FullyConnectedLayer& fc) {
  if (to.maps) to.step("torch.flatten(x, 1)");
  to.maps = false;
  to.module(layer.name, fmt::format("nn.Linear({}, {})", layer.in.per_row(), fc.neurons));
  to.call(layer.name, fc.relu);
}

void add(Source& to, const LayerSpec&, const LrnLayer& norm) {
  // PyTorch divides alpha by the size.
  to.step(fmt::format("response_norm(x, {}, {}, {}, {}, towers={})", norm.size,
                      norm.alpha * static_cast<double>(norm.size), norm.beta, norm.k, norm.groups));
}

void add(Source& to, const LayerSpec&, const SpatialNormLayer& norm) {
  const auto area = static_cast<double>(norm.size * norm.size);
  to.step(fmt::format("x / ({} + {} * F.avg_pool2d(x * x, {}, 1, {})) ** {}", norm.k,
                      norm.alpha * area, norm.size, norm.size / 2, norm.beta));
}

void add(Source& to, const LayerSpec&, const PoolLayer& pool) {
  to.step(fmt::format("F.max_pool2d(x, {}, {}{})", pool.kernel, pool.stride,
                      pool.round_up ? ", ceil_mode=True" : ""));
}

void add(Source& to, const LayerSpec&, const ReluLayer&) { to.step("F.relu(x)"); }

void add(Source& to, const LayerSpec&, const DropoutLayer& drop) {
  to.step(fmt::format("F.dropout(x, {}, self.training)", drop.drop));
}

// As Python writes a text; JSON's quotes are Python's.
std::string quoted(const std::string& text) {
  using Json = nlohmann::json;
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

constexpr const char* kModule =
    R"(# The net of the weights beside it, as `convoy export` wrote both.
#
# Input: float [N, 3, {size}, {size}], red first; the file's metadata say how pixels become it. Output:
# logits [N, {classes}].
import os

import torch
import torch.nn.functional as F
from torch import nn


def response_norm(x, size, alpha, beta, k, towers):
    """Normalises over neighbouring maps; with towers, windows end at a tower's edge."""
    parts = [F.local_response_norm(part, size, alpha, beta, k) for part in x.chunk(towers, 1)]
    return torch.cat(parts, 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
{modules}
    def forward(self, x):
{forward}        return x


def load(path=os.path.join(os.path.dirname(os.path.abspath(__file__)), {weights})):
    """The trained net, ready for inference."""
    from safetensors.torch import load_file

    net = Net()
    net.load_state_dict(load_file(path))
    return net.eval()
)";

}  // namespace

std::string torch_module(const NetSpec& net, const std::string& weights) {
  Source source;
  for (const LayerSpec& layer : layers_with_dropout(net))
    std::visit([&](const auto& kind) { add(source, layer, kind); }, layer.kind);
  return fmt::format(fmt::runtime(kModule), fmt::arg("weights", quoted(weights)),
                     fmt::arg("size", net.input.h), fmt::arg("classes", net.classes),
                     fmt::arg("modules", source.modules), fmt::arg("forward", source.forward));
}

}  // namespace convoy
