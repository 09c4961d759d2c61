// One sentence a matter, made from the job's values; the paper's stand in it as the paper has them.
#include "launcher/difference_words.h"

#include <algorithm>
#include <string_view>

#include <fmt/ranges.h>

#include "launcher/table.h"

namespace convoy {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::string_view kInputSize = "input size";

std::string net(const JobOptions&) {
  return "the layers above, by a description; the paper's is AlexNet";
}

std::string classes(const JobOptions& job) {
  return fmt::format("{} outputs; the paper's net has 1000", job.model.classes);
}

std::string towers(const JobOptions&) {
  return "one column: the kernels of conv2, conv4 and conv5 read all maps of the layer below; the "
         "paper's read only those of their own tower, one on each of two GPUs";
}

std::string input_size(const JobOptions& job) {
  const ModelOptions& m = job.model;
  std::string text = fmt::format("crops of {0}x{0} pixels", m.input);
  if (m.conv1_pad > 0) text += fmt::format(", padded by {} on each side", m.conv1_pad);
  if (m.conv1_pad_end > 0)
    text += fmt::format(", padded by {} more below and right", m.conv1_pad_end);
  return text +
         "; the paper's text says 224x224, which its 11x11 kernels at stride 4 do not cover "
         "evenly: its 55x55 maps need 227, or 3 zeros at an edge";
}

std::string size(const JobOptions& job) {
  const ModelOptions& m = job.model;
  return fmt::format(
      "{} kernels in conv1 to conv5, {} neurons in fc6 and fc7, all times {}; conv1 {}x{} at "
      "stride "
      "{}; the paper has 96,256,384,384,256 and 4096,4096, and 11x11 at stride 4",
      fmt::join(m.kernels, ","), fmt::join(m.neurons, ","), m.width, m.conv1_kernel, m.conv1_kernel,
      m.conv1_stride);
}

std::string order(const JobOptions&) {
  return "conv1 is normalised and pooled before its ReLU, and conv5 is pooled before its own; in "
         "the paper's text each convolution's ReLU comes first";
}

std::string lrn(const JobOptions& job) {
  const ModelOptions& m = job.model;
  const auto n = static_cast<double>(m.lrn_size);
  const double factor = m.lrn_alpha_divided ? m.lrn_alpha / n : m.lrn_alpha;
  return fmt::format(
      "values are divided by ({} + {:g} times the sum of {} squares)^{}{}; the paper by (2 + "
      "0.0001 "
      "times the sum of 5 squares)^0.75{}",
      m.lrn_k, factor, m.lrn_size, m.lrn_beta,
      m.lrn_alpha_divided
          ? fmt::format(", as alpha {:g} is divided by the window's size here", m.lrn_alpha)
          : "",
      m.towers == 2 && m.lrn_scope == "all" ? "; here the windows reach over the towers' edge"
                                            : "");
}

std::string spatial_norm(const JobOptions&) {
  return "after norm2 each map is normalised once more, over 5x5 pixels; the paper has no such "
         "layer";
}

std::string pooling(const JobOptions&) {
  return "a window that would reach over the edge is left out; with full-size inputs none does, so "
         "this changes nothing";
}

std::string drop_place(const JobOptions&) {
  return "before fc6 and before fc7: it drops inputs from conv5 and from fc6, and fc8 reads all of "
         "fc7; in the paper it drops outputs of fc6 and of fc7";
}

std::string drop_scale(const JobOptions& job) {
  return fmt::format(
      "each value is dropped with probability {}; {}; the paper drops half in training and halves "
      "all outputs when testing",
      job.model.drop,
      job.model.drop_inverted ? "the rest are enlarged in training to make up for it, and testing "
                                "changes nothing"
                              : "testing scales outputs down");
}

std::string initialisation(const JobOptions& job) {
  const auto& std_of = job.model.weight_std;
  if (job.model.fc_uniform) {
    return fmt::format(
        "convolutions' weights are normal with deviation {}, conv1 to conv5; weights and biases of "
        "fc6 to fc8 are uniform within 1/sqrt(inputs) of 0; the paper's weights are all normal "
        "with deviation 0.01",
        fmt::join(std_of.begin(), std_of.begin() + 5, ","));
  }
  return fmt::format(
      "weights are normal with deviation {}, conv1 to fc8; the paper's all have 0.01",
      fmt::join(std_of, ","));
}

std::string biases(const JobOptions& job) {
  return fmt::format(
      "they start at {}, conv1 to fc8; the paper's at 1 in conv2, conv4, conv5, fc6 and fc7, else "
      "at 0",
      fmt::join(job.model.bias, ","));
}

std::string optimiser(const JobOptions& job) {
  const SolverOptions& s = job.solver;
  const std::string here =
      s.kind == "adam"
          ? fmt::format(
                "Adam, which scales each weight's step by the size of its own gradients, at "
                "{:g}, decay {:g}",
                s.lr, s.weight_decay)
          : fmt::format("stochastic gradient descent at {:g}, momentum {:g}, decay {:g}", s.lr,
                        s.momentum, s.weight_decay);
  return here + "; the paper's is stochastic gradient descent at 0.01, momentum 0.9, decay 0.0005";
}

std::string schedule(const JobOptions& job) {
  const SolverOptions& s = job.solver;
  std::string text = fmt::format("{} over {} epochs", s.schedule, job.run.epochs);
  if (!s.bias_schedule.empty()) text += ", biases " + s.bias_schedule;
  if (!s.conv1_schedule.empty()) text += ", conv1 " + s.conv1_schedule;
  return text +
         "; the paper divides the rate by 10 by hand, three times, where the validation "
         "error stands still";
}

std::string bias_rates(const JobOptions& job) {
  return fmt::format(
      "they learn at {:g} times the weights' rate, with {:g} times the weights' decay; the paper "
      "tells no difference",
      job.solver.bias_lr_factor, job.solver.bias_decay_factor);
}

std::string batch(const JobOptions& job) {
  return fmt::format("{} images a step; the paper's has 128", job.solver.batch);
}

std::string preprocessing(const JobOptions& job) {
  const PreprocessOptions& p = job.preprocess;
  std::string text;
  if (p.unit_scale) {
    text =
        "pixels are brought to 0..1, then each colour to mean 0 and deviation 1 by ImageNet's "
        "usual figures, so that values are some 60 times smaller";
  } else if (p.mean == "none") {
    text = "pixels stay 0..255";
  } else {
    text = fmt::format("pixels stay 0..255, less the training set's mean ({})", p.mean);
  }
  if (p.bgr) text += "; colours in the order blue, green, red";
  return text + "; the paper keeps 0..255 and subtracts the mean image";
}

std::string augmentation(const JobOptions& job) {
  const PreprocessOptions& p = job.preprocess;
  std::string noise = "no colour noise";
  if (p.colour_noise > 0) {
    noise = fmt::format("colour noise of {:g}", p.colour_noise);
    if (p.noise_epochs > 0) noise += fmt::format(" in the first {} epochs", p.noise_epochs);
    if (p.noise_divisor != 1) noise += fmt::format(", and all divided by {:g}", p.noise_divisor);
  }
  return fmt::format(
      "{}, {}, {}; the paper cuts crops at random places, mirrors half, and adds colour noise of "
      "0.1",
      p.random_crop ? "random crops" : "the centre of each image only",
      p.mirror ? "half mirrored" : "never mirrored", noise);
}

struct Matter {
  std::string_view name;
  std::vector<std::string_view> keys;
  std::string (*say)(const JobOptions&);
};

const std::vector<Matter>& matters() {
  static const std::vector<Matter> all{
      {"net", {"model.net"}, net},
      {"classes", {"model.classes"}, classes},
      {"towers", {"model.towers"}, towers},
      {kInputSize, {"model.input", "model.conv1-pad", "model.conv1-pad-end"}, input_size},
      {"size",
       {"model.width", "model.kernels", "model.neurons", "model.conv1-kernel",
        "model.conv1-stride"},
       size},
      {"order", {"model.order"}, order},
      {"LRN",
       {"model.lrn-alpha", "model.lrn-alpha-divided", "model.lrn-k", "model.lrn-size",
        "model.lrn-beta", "model.lrn-scope"},
       lrn},
      {"extra normalisation", {"model.spatial-norm"}, spatial_norm},
      {"pooling", {"model.pool-round-up"}, pooling},
      {"dropout's place", {"model.drop-before"}, drop_place},
      {"dropout's scale", {"model.drop", "model.drop-inverted"}, drop_scale},
      {"initialisation", {"model.weight-std", "model.fc-uniform"}, initialisation},
      {"initial biases", {"model.bias"}, biases},
      {"optimiser",
       {"solver.kind", "solver.lr", "solver.momentum", "solver.weight-decay"},
       optimiser},
      {"learning rate's course",
       {"solver.schedule", "solver.bias-schedule", "solver.conv1-schedule", "run.epochs"},
       schedule},
      {"biases' rate", {"solver.bias-lr-factor", "solver.bias-decay-factor"}, bias_rates},
      {"batch", {"solver.batch"}, batch},
      {"preprocessing", {"data.mean", "data.unit-scale", "data.bgr"}, preprocessing},
      {"augmentation",
       {"data.random-crop", "data.mirror", "data.colour-noise", "data.noise-divisor",
        "data.noise-epochs"},
       augmentation}};
  return all;
}

void add_line(std::string& text, std::string_view name, const std::string& words) {
  text += wrapped(fmt::format("{}: {}.", name, words), 2, kWidth) + '\n';
}

}  // namespace

std::string matter_of(std::string_view key) {
  for (const Matter& matter : matters())
    if (std::ranges::find(matter.keys, key) != matter.keys.end()) return std::string(matter.name);
  return {};
}

std::string difference_words(const JobOptions& job, const std::vector<Difference>& differences) {
  std::string text;
  for (const Matter& matter : matters()) {
    const bool differs = std::ranges::any_of(
        differences, [&](const Difference& d) { return matter_of(d.key) == matter.name; });
    if (differs || matter.name == kInputSize) add_line(text, matter.name, matter.say(job));
  }
  JobOptions copy = job;
  const OptionTable table = job_table(copy);
  for (const Difference& d : differences)
    if (matter_of(d.key).empty()) add_line(text, d.key, table.find(d.key)->description);
  return text;
}

}  // namespace convoy
