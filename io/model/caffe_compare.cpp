// Holds the layers of a caffemodel against those that the net would have there.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/ops/pool.h"
#include "io/model/caffe_net.h"

namespace convoy {
namespace {

// They do not change what the net computes from its input, or the layers beside them say it.
constexpr std::array<std::string_view, 16> kAside{
    "Input",      "Data",    "ImageData", "HDF5Data",        "MemoryData", "DummyData",
    "WindowData", "Dropout", "Accuracy",  "SoftmaxWithLoss", "Softmax",    "Split",
    "Slice",      "Concat",  "Flatten",   "Silence"};
constexpr std::array<std::string_view, 5> kComputing{"Convolution", "InnerProduct", "LRN",
                                                     "Pooling", "ReLU"};

bool contains(const auto& names, const std::string& type) {
  return std::ranges::find(names, std::string_view(type)) != names.end();
}

std::vector<const caffe::Layer*> computing_layers(const caffe::Net& net) {
  std::vector<const caffe::Layer*> layers;
  for (const caffe::Layer& layer : net.layer())
    if (!contains(kAside, layer.type())) layers.push_back(&layer);
  return layers;
}

// Both ways of saying one number for height and width; none: they differ.
std::optional<std::int64_t> one(std::int64_t all, bool has_h, std::int64_t h, bool has_w,
                                std::int64_t w) {
  if (!has_h && !has_w) return all;
  if (h == w) return h;
  return std::nullopt;
}

std::int64_t first_of(const auto& list, std::int64_t otherwise) {
  return list.empty() ? otherwise : std::int64_t{list[0]};
}

std::string text(std::optional<std::int64_t> value) {
  return value ? fmt::format("{}", *value) : "another one each way";
}

// What is compared, as one text that also stands in the sentence.
std::string described(const caffe::Layer& layer) {
  const auto named = [&](const std::string& rest) {
    return fmt::format("{}{}", layer.type(), rest);
  };
  if (layer.type() == "Convolution") {
    const caffe::Convolution& c = layer.convolution_param();
    const bool square = std::all_of(c.kernel_size().begin(), c.kernel_size().end(),
                                    [&](auto k) { return k == c.kernel_size(0); });
    return named(fmt::format(
        " of {} kernels of {}, stride {}, pad {}, {} group(s)", c.num_output(),
        square ? text(one(first_of(c.kernel_size(), 0), c.has_kernel_h(), c.kernel_h(),
                          c.has_kernel_w(), c.kernel_w()))
               : "another size each way",
        text(one(first_of(c.stride(), 1), c.has_stride_h(), c.stride_h(), c.has_stride_w(),
                 c.stride_w())),
        text(one(first_of(c.pad(), 0), c.has_pad_h(), c.pad_h(), c.has_pad_w(), c.pad_w())),
        c.group()));
  }
  if (layer.type() == "InnerProduct")
    return named(fmt::format(" of {} neurons", layer.inner_product_param().num_output()));
  if (layer.type() == "LRN") {
    const caffe::Lrn& n = layer.lrn_param();
    return named(fmt::format(" {} {}, alpha {:.6g}, beta {:.6g}, k {:.6g}",
                             n.norm_region() == 0 ? "across" : "within", n.local_size(), n.alpha(),
                             n.beta(), n.k()));
  }
  if (layer.type() == "Pooling") {
    const caffe::Pooling& p = layer.pooling_param();
    return named(fmt::format(
        " by {} over {}, stride {}, pad {}{}", p.pool() == 0 ? "maximum" : "another rule",
        text(one(p.kernel_size(), p.has_kernel_h(), p.kernel_h(), p.has_kernel_w(), p.kernel_w())),
        text(one(p.stride(), p.has_stride_h(), p.stride_h(), p.has_stride_w(), p.stride_w())),
        text(one(p.pad(), p.has_pad_h(), p.pad_h(), p.has_pad_w(), p.pad_w())),
        p.global_pooling() ? ", of whole maps" : ""));
  }
  return layer.type();
}

// Rounding up or down is a difference only where the maps come out otherwise.
void require_same_rounding(const std::vector<const caffe::Layer*>& theirs, const NetSpec& net,
                           const std::filesystem::path& path) {
  auto their = theirs.begin();
  for (const LayerSpec& layer : net.layers) {
    const auto* pool = std::get_if<PoolLayer>(&layer.kind);
    if (pool == nullptr) continue;
    their = std::find_if(their, theirs.end(), [](const auto* l) { return l->type() == "Pooling"; });
    const bool up = (*their)->pooling_param().round_mode() == 0;
    const Shape out = PoolSpec{layer.in, pool->kernel, pool->stride, up}.y();
    if (out != layer.out) {
      fail(ExitCode::bad_checkpoint,
           "{} holds another net: its '{}' makes {}x{} maps of {}x{}, and {} makes {}x{}; see "
           "--model.pool-round-up (in a net's description: round-up)",
           path.string(), (*their)->name(), out.h, out.w, layer.in.h, layer.in.w, layer.name,
           layer.out.h, layer.out.w);
    }
    ++their;
  }
}

}  // namespace

void require_caffe_net(const caffe::Net& found, const NetSpec& net,
                       const std::filesystem::path& path) {
  const caffe::Net wanted = caffe_net(net);
  const std::vector<const caffe::Layer*> theirs = computing_layers(found);
  const std::vector<const caffe::Layer*> ours = computing_layers(wanted);
  for (std::size_t i = 0; i < std::max(theirs.size(), ours.size()); ++i) {
    if (i < theirs.size() && !contains(kComputing, theirs[i]->type())) {
      fail(ExitCode::bad_checkpoint,
           "{} has the layer '{}' of type {}, which no net of Convoy's has", path.string(),
           theirs[i]->name(), theirs[i]->type());
    }
    const std::string their = i < theirs.size() ? described(*theirs[i]) : "no further layer";
    const std::string our = i < ours.size() ? described(*ours[i]) : "no further layer";
    if (their == our) continue;
    fail(
        ExitCode::bad_checkpoint,
        "{} holds another net: it has {} ({}), where the net that the options describe has {} ({})",
        path.string(), i < theirs.size() ? "'" + theirs[i]->name() + "'" : "an end", their,
        i < ours.size() ? ours[i]->name() : "an end", our);
  }
  require_same_rounding(theirs, net, path);
}

}  // namespace convoy
