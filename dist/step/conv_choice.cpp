// Reads device.conv, times what it leaves open, and spreads rank 0's choice.
#include "dist/step/conv_choice.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <sstream>

#include "core/error.h"
#include "core/net/weighted_layers.h"
#include "core/ops/operations.h"

namespace convoy {
namespace {

// Direct convolution is taken only where it is clearly quicker, so that a close race does not come
// out differently from run to run.
constexpr double kClearlyQuicker = 0.75;
constexpr std::int64_t kTimedImages = 8;
constexpr int kTimedRounds = 5;

const char* name_of(ConvMethod method) {
  return method == ConvMethod::minimal ? "minimal" : "direct";
}

[[noreturn]] void refuse(const std::string& text) {
  fail(ExitCode::usage,
       "device.conv is '{}'; use auto, minimal, direct, or a list such as "
       "conv1:minimal,conv2:direct",
       text);
}

ConvRequest::Method method_of(const std::string& word, const std::string& text) {
  if (word == "auto") return ConvRequest::Method::automatic;
  if (word == "minimal") return ConvRequest::Method::minimal;
  if (word == "direct") return ConvRequest::Method::direct;
  refuse(text);
}

// A convolution with memory of its own, to be timed.
class Trial {
 public:
  Trial(Device& device, const ConvSpec& spec)
      : spec_(spec),
        op_(device.operations().conv(spec)),
        stream_(device.make_stream()),
        work_(device.allocate(op_->workspace_bytes())) {
    const Shape bias{spec.kernels, 1, 1, 1};
    const Shape x = op_->input_form().shape(spec.x.n);
    Tensor* const tensors[] = {&x_, &dx_, &y_, &dy_, &w_, &dw_, &b_, &db_};
    const Shape shapes[] = {x, x, spec.y(), spec.y(), spec.weights(), spec.weights(), bias, bias};
    for (std::size_t i = 0; i < std::size(tensors); ++i) {
      buffers_.push_back(
          device.allocate(static_cast<std::size_t>(shapes[i].count()) * sizeof(float)));
      *tensors[i] = {buffers_.back().data(), shapes[i], DType::f32};
    }
  }

  // Milliseconds of a forward and backward pass.
  double run() {
    const OpContext context{*stream_, work_.data()};
    const auto start = std::chrono::steady_clock::now();
    op_->forward(context, x_, w_, b_, y_);
    if (spec_.needs_dx) op_->backward_data(context, dy_, w_, dx_, nullptr);
    op_->backward_weights(context, x_, dy_, dw_, db_);
    stream_->synchronize();
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - start;
    return passed.count();
  }

 private:
  ConvSpec spec_;
  std::unique_ptr<ConvOp> op_;
  std::unique_ptr<Stream> stream_;
  Buffer work_;
  std::vector<Buffer> buffers_;
  Tensor x_, dx_, y_, dy_, w_, dw_, b_, db_;
};

// Times both methods in turns, so that other work on the machine slows both alike; the best of a
// few rounds, of which the first only warms up.
void time_methods(Device& device, ConvSpec spec, ConvChoice::Line& line) {
  spec.x.n = std::min(spec.x.n, kTimedImages);
  spec.sum_parts = 1;
  spec.exact_zeros = false;  // looks at values, and there are none here
  spec.method = ConvMethod::minimal;
  Trial minimal(device, spec);
  spec.method = ConvMethod::direct;
  Trial direct(device, spec);
  for (int round = 0; round <= kTimedRounds; ++round) {
    const double minimal_ms = minimal.run();
    const double direct_ms = direct.run();
    if (round == 0) continue;
    line.minimal_ms = round == 1 ? minimal_ms : std::min(line.minimal_ms, minimal_ms);
    line.direct_ms = round == 1 ? direct_ms : std::min(line.direct_ms, direct_ms);
  }
}

template <typename Plan, typename Layers>
std::vector<Plan*> convolutions_of(Layers& layers) {
  std::vector<Plan*> convolutions;
  for (auto& planned : layers) {
    auto* layer = std::get_if<LayerPlan>(&planned);
    if (layer != nullptr && std::holds_alternative<ConvLayer>(layer->spec->kind))
      convolutions.push_back(layer);
  }
  return convolutions;
}

// Throws where minimal filtering is asked for and cannot do the layer.
void require_possible(const ConvRequest& request, const LayerPlan& plan, const Device& device) {
  const auto& conv = std::get<ConvLayer>(plan.spec->kind);
  const std::string& layer = plan.spec->name;
  if (device.kind() != DeviceKind::cpu && request.of(layer) == ConvRequest::Method::minimal)
    fail(ExitCode::usage,
         "device.conv asks for minimal filtering of {}, which is made for CPUs; leave device.conv "
         "out, as {} picks its own kernels",
         layer, device.kernels());
  if (request.of(layer) != ConvRequest::Method::minimal ||
      minimal_fits(conv_spec(*plan.spec, conv, plan.part)))
    return;
  fail(ExitCode::usage,
       "device.conv asks for minimal filtering of {0}, whose {1} x {1} kernels with stride {2} in "
       "{3} group(s) it cannot do (with a stride it does the first layer alone, in one group); use "
       "auto, or {0}:direct",
       layer, conv.kernel, conv.stride, conv.groups);
}

ConvChoice::Line choose(const ConvRequest& request, const LayerPlan& plan, Device& device) {
  ConvChoice::Line line{plan.spec->name};
  const ConvSpec spec = conv_spec(*plan.spec, std::get<ConvLayer>(plan.spec->kind), plan.part);
  const ConvRequest::Method asked = request.of(line.layer);
  if (asked == ConvRequest::Method::minimal) {
    line.method = ConvMethod::minimal;
  } else if (asked == ConvRequest::Method::automatic && minimal_fits(spec)) {
    time_methods(device, spec, line);
    line.method = line.direct_ms < kClearlyQuicker * line.minimal_ms ? ConvMethod::direct
                                                                     : ConvMethod::minimal;
  }
  return line;
}

}  // namespace

ConvRequest::ConvRequest(const std::string& text) {
  if (text.find(':') == std::string::npos) {
    all_ = method_of(text, text);
    return;
  }
  if (text.back() == ',') refuse(text);
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const auto colon = item.find(':');
    if (colon == std::string::npos || colon == 0) refuse(text);
    if (!named_.emplace(item.substr(0, colon), method_of(item.substr(colon + 1), text)).second)
      refuse(text);
  }
}

ConvRequest::Method ConvRequest::of(const std::string& layer) const {
  const auto named = named_.find(layer);
  return named == named_.end() ? all_ : named->second;
}

void ConvRequest::require_known(const std::vector<std::string>& layers) const {
  for (const auto& [name, method] : named_) {
    if (std::ranges::find(layers, name) != layers.end()) continue;
    fail(ExitCode::usage, "device.conv names the layer '{}'; the net's convolutions are {}", name,
         fmt::join(layers, ", "));
  }
}

std::string ConvChoice::text() const {
  if (lines.empty()) return "auto";
  std::string text;
  for (const Line& line : lines) {
    if (!text.empty()) text += ',';
    text += line.layer + ':' + name_of(line.method);
  }
  return text;
}

std::string ConvChoice::report() const {
  if (lines.empty()) return "convolutions: by the GPU's library";
  std::string text = "convolutions:";
  for (const Line& line : lines) {
    text += fmt::format(" {} {}", line.layer, name_of(line.method));
    if (line.minimal_ms > 0)
      text +=
          fmt::format(" (minimal {:.1f} ms, direct {:.1f} ms)", line.minimal_ms, line.direct_ms);
    text += &line == &lines.back() ? "" : ",";
  }
  return text;
}

void check_conv_request(const std::string& request_text, const std::vector<PlannedLayer>& plan,
                        const Device& device) {
  const auto convolutions = convolutions_of<const LayerPlan>(plan);
  std::vector<std::string> names;
  for (const LayerPlan* layer : convolutions) names.push_back(layer->spec->name);
  const ConvRequest request(request_text);
  request.require_known(names);
  for (const LayerPlan* layer : convolutions) require_possible(request, *layer, device);
}

ConvChoice choose_conv_methods(const std::string& request_text, std::vector<PlannedLayer>& plan,
                               Device& device, Communicator& everyone) {
  check_conv_request(request_text, plan, device);
  const ConvRequest request(request_text);
  const auto convolutions = convolutions_of<LayerPlan>(plan);

  ConvChoice choice;
  if (device.kind() != DeviceKind::cpu) return choice;
  choice.lines.resize(convolutions.size());
  std::vector<char> chosen(convolutions.size());
  if (everyone.rank() == 0) {
    for (std::size_t i = 0; i < convolutions.size(); ++i) {
      choice.lines[i] = choose(request, *convolutions[i], device);
      chosen[i] = choice.lines[i].method == ConvMethod::minimal ? 1 : 0;
    }
  }
  everyone.broadcast("convolutions", chosen.data(), chosen.size(), 0);
  for (std::size_t i = 0; i < convolutions.size(); ++i) {
    const ConvMethod method = chosen[i] != 0 ? ConvMethod::minimal : ConvMethod::direct;
    choice.lines[i].layer = convolutions[i]->spec->name;
    choice.lines[i].method = method;
    convolutions[i]->part.method = method;
  }
  return choice;
}

}  // namespace convoy
