// The registration of every job option: key, field, range, and a description with its unit.
#include <algorithm>

#include <fmt/ranges.h>

#include "core/error.h"
#include "core/recipe.h"
#include "core/schedule.h"
#include "dist/partition/strategy.h"
#include "dist/step/conv_choice.h"
#include "launcher/described_net.h"
#include "launcher/options.h"

namespace convoy {
namespace {

using Whole = Bounds<std::int64_t>;
using Real = Bounds<double>;

Whole at_least(std::int64_t low) { return {.low = low}; }
Real not_negative() { return {.low = 0}; }
Real above_zero() { return {.low = 0, .low_open = true}; }
Real from_zero_to_below_one() { return {.low = 0, .high = 1, .high_open = true}; }

bool is_schedule(const std::string& text) {
  try {
    const Schedule schedule(text, 0.1);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void add_model(OptionTable& table, ModelOptions& model) {
  table.mapped(
      "model.net", model.net, "NET", resolve_net,
      fmt::format("a net by description instead of the options below but model.classes: a "
                  "file, the description itself with ';' between its statements, or one of "
                  "{}; empty: AlexNet as the options say",
                  fmt::join(net_names(), ", ")));
  table.number("model.towers", model.towers, Whole{.low = 1, .high = 2},
               "groups of conv2, conv4 and conv5; 2 is the paper's net");
  table.number("model.width", model.width, Real{.low = 0, .high = 16, .low_open = true},
               "factor on all kernel and neuron counts but the classes; the results are rounded to "
               "multiples of 8 in each tower");
  table.number("model.input", model.input, at_least(1), "height and width of the crop, pixels");
  table.number("model.classes", model.classes, at_least(0),
               "outputs of fc8; 0: as many as the training set has, 1000 where there is none");
  table.list("model.kernels", model.kernels, at_least(1),
             "kernels of conv1 to conv5, both towers together");
  table.list("model.neurons", model.neurons, at_least(1),
             "neurons of fc6 and fc7, both towers together");
  table.number("model.conv1-kernel", model.conv1_kernel, at_least(1),
               "height and width of conv1's kernels, pixels");
  table.number("model.conv1-stride", model.conv1_stride, at_least(1), "conv1's stride, pixels");
  table.number("model.conv1-pad", model.conv1_pad, at_least(0),
               "zeros around conv1's input on all four sides, pixels");
  table.number("model.conv1-pad-end", model.conv1_pad_end, at_least(0),
               "further zeros below and to the right, pixels (a 224 crop takes 3)");
  table.boolean("model.pool-round-up", model.pool_round_up,
                "the last pooling window may reach over the edge");
  table.choice("model.order", model.order, {"relu-norm-pool", "2012"},
               "order around pooling: the paper's text, or that of the code released for 2012");
  table.choice("model.lrn-scope", model.lrn_scope, {"tower", "all"},
               "channels that a response normalisation window may reach");
  table.number("model.lrn-size", model.lrn_size, at_least(1),
               "channels in a response normalisation window");
  table.number("model.lrn-alpha", model.lrn_alpha, not_negative(),
               "response normalisation's alpha");
  table.boolean("model.lrn-alpha-divided", model.lrn_alpha_divided,
                "alpha is divided by the window's size");
  table.number("model.lrn-beta", model.lrn_beta, not_negative(), "response normalisation's beta");
  table.number("model.lrn-k", model.lrn_k, above_zero(), "response normalisation's k");
  table.boolean("model.spatial-norm", model.spatial_norm,
                "the 2012 code's further normalisation over 5x5 pixels after norm2");
  table.number("model.drop", model.drop, from_zero_to_below_one(),
               "probability that dropout drops a value; 0: no dropout");
  table.boolean("model.drop-inverted", model.drop_inverted,
                "dropout scales in training, by 1/(1-drop), and not when testing");
  table.boolean("model.drop-before", model.drop_before,
                "dropout stands before fc6 and fc7, not after them");
  table.list("model.weight-std", model.weight_std, not_negative(),
             "standard deviation of the initial weights, conv1 to fc8");
  table.list("model.bias", model.bias, Real{}, "initial biases, conv1 to fc8");
  table.boolean("model.fc-uniform", model.fc_uniform,
                "fc6 to fc8 start uniform in +-1/sqrt(inputs), weights and biases");
}

void add_data(OptionTable& table, DataOptions& data, PreprocessOptions& preprocess) {
  table.path("data.train", data.train, "DIR", "packed training set");
  table.path("data.val", data.val, "DIR",
             "packed validation set; empty: no evaluation while training");
  table.number("data.threads", data.threads, Bounds<int>{.low = 1, .high = 1024},
               "reader threads per rank");
  table.number("data.ahead", data.ahead, Bounds<int>{.low = 2, .high = 1024},
               "batches read ahead of the training step");
  table.choice("data.verify", data.verify, {"first", "always", "never"},
               "when an image's checksum is checked: at its first read, at every read, never");
  table.choice("data.shuffle", data.shuffle, {"full", "block"},
               "order of the training images in an epoch: full permutes all; block permutes "
               "blocks of neighbours in a shard and mixes those of 4 at a time in each of up to 16 "
               "lanes of the batch, so that disks and parallel file systems read in long runs");
  table.number("data.block-images", data.block_images, Whole{.low = 1, .high = 1 << 24},
               "images of a block of data.shuffle block");
  table.choice("data.read", data.read, {"cached", "direct"},
               "images through the system's page cache, or past it");
  table.choice("data.share", data.share, {"auto", "on", "off"},
               "ranks of the same images on one host read and decode each once, into memory that "
               "they share; auto: for JPEG images on CPUs");
  table.choice("data.mean", preprocess.mean, {"none", "channel", "centre", "crop"},
               "mean that is subtracted: none, one number per colour, the mean image's centre, or "
               "the mean image at the crop's own place");
  table.boolean("data.unit-scale", preprocess.unit_scale,
                "(x/255 - m)/s with ImageNet's usual m and s instead of a mean");
  table.boolean("data.bgr", preprocess.bgr, "channels in the order blue, green, red");
  table.boolean("data.random-crop", preprocess.random_crop,
                "training crops at random places; false: the centre");
  table.boolean("data.mirror", preprocess.mirror, "mirror half of the training images");
  table.number("data.colour-noise", preprocess.colour_noise, not_negative(),
               "standard deviation of the colour noise along the training set's principal "
               "components, in their own deviations; 0: off");
  table.number("data.noise-divisor", preprocess.noise_divisor, above_zero(),
               "training input is divided by this while colour noise is on");
  table.number("data.noise-epochs", preprocess.noise_epochs, at_least(0),
               "colour noise in the first epochs only; 0: always");
}

void add_solver(OptionTable& table, SolverOptions& solver) {
  const std::string grammar = "constant, plateau, steps:N:F, epochs:E=F,E=F,... or exponential:K:F";
  const auto schedule_or_empty = [](const std::string& text) {
    return text.empty() || is_schedule(text);
  };
  table.choice("solver.kind", solver.kind, {"sgd", "adam"}, "update rule");
  table.number("solver.batch", solver.batch, Whole{.low = 1, .high = 1 << 20},
               "images of a training step, all ranks together");
  table.number("solver.lr", solver.lr, not_negative(), "base learning rate; 0 freezes the net");
  table.number("solver.momentum", solver.momentum, from_zero_to_below_one(), "momentum of sgd");
  table.number("solver.weight-decay", solver.weight_decay, not_negative(),
               "decay of the weights, per learning rate");
  table.number("solver.bias-lr-factor", solver.bias_lr_factor, not_negative(),
               "the biases' learning rate, relative to the weights'");
  table.number("solver.bias-decay-factor", solver.bias_decay_factor, not_negative(),
               "the biases' decay, relative to the weights'");
  table.text("solver.schedule", solver.schedule, "SCHEDULE", grammar, is_schedule,
             "learning rate over the run: " + grammar);
  table.text("solver.bias-schedule", solver.bias_schedule, "SCHEDULE", grammar + ", or empty",
             schedule_or_empty, "the biases' schedule; empty: as solver.schedule");
  table.text("solver.conv1-schedule", solver.conv1_schedule, "SCHEDULE", grammar + ", or empty",
             schedule_or_empty, "schedule of the first layer, conv1; empty: as solver.schedule");
  table.number("solver.plateau-factor", solver.plateau_factor,
               Real{.low = 0, .high = 1, .low_open = true},
               "factor on the learning rate at a plateau of the validation error");
  table.number("solver.plateau-patience", solver.plateau_patience, at_least(1),
               "epochs without a lower validation error that make a plateau");
  table.number("solver.plateau-drops", solver.plateau_drops, at_least(0),
               "most drops of a plateau schedule");
}

void add_dist(OptionTable& table, DistOptions& dist) {
  std::vector<std::string> strategies = strategy_names();
  if (std::find(strategies.begin(), strategies.end(), "auto") == strategies.end()) {
    strategies.insert(strategies.begin(), "auto");
  }
  table.choice("parallel.strategy", dist.strategy, strategies,
               "how ranks share the work; auto: single on one rank, data on several");
  table.choice("parallel.owt-scheme", dist.owt_scheme, {"all", "turns"},
               "images that pass the fully connected layers of strategy owt: of all ranks at once, "
               "or of one rank at a time");
  table.choice("dist.backend", dist.backend, {"auto", "nccl", "mpi"},
               "what carries the exchanges; auto: NCCL between GPUs, MPI and shared memory between "
               "CPUs; with mpi, ranks may share a GPU");
  table.number("dist.timeout", dist.timeout, not_negative(),
               "seconds; a rank that waits longer for others ends the job; 0: waits for ever");
  table.number("dist.bucket-mb", dist.bucket_mb, Real{.low = 0.001, .high = 8000},
               "gradients that are reduced together, 10^6 bytes");
}

void add_run(OptionTable& table, RunOptions& run) {
  // Random numbers count steps in 32 bits.
  constexpr Whole kSteps{.low = 0, .high = 0xFFFFFFFF};
  table.path("run.dir", run.dir, "DIR", "run directory; everything a run writes goes there");
  table.path("run.weights", run.weights, "FILE",
             "checkpoint whose weights a new run begins with (of convoy train or import); empty: "
             "random ones");
  table.number("run.seed", run.seed, Bounds<std::uint64_t>{}, "seed of all random numbers");
  table.number("run.steps", run.steps, kSteps, "steps of the run; 0: by run.epochs");
  table.number("run.epochs", run.epochs, Whole{.low = 1, .high = 1'000'000}, "epochs of the run");
  table.number("run.log-every", run.log_every, at_least(1), "steps between lines of metrics.jsonl");
  table.number("run.eval-every", run.eval_every, at_least(0),
               "epochs between evaluations; 0: only at the end");
  table.choice("run.eval-views", run.eval_views, std::vector<int>{1, 10},
               "views of an image in evaluations: its centre, or 10 (paper, section 4.1)");
  table.number("run.checkpoint-every", run.checkpoint_every, at_least(0),
               "steps between checkpoints, besides those at the end of each epoch; 0: only those");
  table.number(
      "run.checkpoint-minutes", run.checkpoint_minutes, not_negative(),
      "minutes after which a checkpoint is written if none was meanwhile; 0: no such limit");
  table.number(
      "run.keep", run.keep, at_least(0),
      "newest checkpoints that are kept, besides the newest that has shown itself good; 0: "
      "all");
  table.boolean("run.keep-best", run.keep_best,
                "keep the checkpoint with the best validation top-1 as best.h5");
  table.number("run.trace-steps", run.trace_steps, Whole{.low = 0, .high = 10'000},
               "steps in which every rank records what it does and when, for convoy show trace; "
               "steps are a little slower meanwhile; 0: none");
  table.number("run.trace-from", run.trace_from, at_least(1), "the first of them");
  table.boolean("run.tensorboard", run.tensorboard,
                "write TensorBoard's event files into the run directory's folder tensorboard");
  table.number("run.histogram-every", run.histogram_every, at_least(0),
               "steps between histograms of weights and gradients, and pictures of the first "
               "layer's kernels, in the event files, besides those at the beginning and the end; "
               "0: none");
  table.number("run.max-loss", run.max_loss, not_negative(),
               "a loss above this ends the run as diverged; 0: 50 times log(classes + 1)");
}

bool is_conv_request(const std::string& text) {
  try {
    const ConvRequest request(text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void add_device(OptionTable& table, DeviceOptions& device) {
  table.choice("device.kind", device.kind, {"auto", "cpu", "cuda"},
               "what a rank computes on; auto: a GPU where there is one");
  table.choice(
      "device.precision", device.precision, {"auto", "fp32", "tf32", "bf16"},
      "how a GPU multiplies: fp32 throughout, tf32 products (auto), or bf16 activations and "
      "weights over fp32 parameters; CPUs compute in fp32");
  table.boolean("device.deterministic", device.deterministic,
                "GPU: only kernels whose sums do not depend on timing");
  table.boolean("device.graph", device.graph,
                "GPU: a training step that no other rank takes part in is one CUDA graph");
  table.text(
      "device.kernels", device.kernels, "FILE", "a path, or empty",
      [](const std::string&) { return true; },
      "GPU: kernels.txt of an earlier run, whose kernels are taken without timing them again");
  table.number("device.workspace-mb", device.workspace_mb, Real{.low = 0, .high = 65536},
               "GPU: scratch memory of one operation at most, 10^6 bytes");
  table.number("device.threads", device.threads, Bounds<int>{.low = 0, .high = 4096},
               "threads per rank; 0: the cores it may run on, divided by the ranks on its host");
  table.text("device.conv", device.conv, "METHOD",
             "auto, minimal, direct, or a list such as conv1:minimal,conv2:direct", is_conv_request,
             "how convolutions are computed: direct (oneDNN), by minimal filtering (fewer "
             "products), or auto: what is quicker here");
}

}  // namespace

OptionTable job_table(JobOptions& job) {
  OptionTable table;
  std::vector<std::string> names;
  for (const Recipe& recipe : recipes()) names.push_back(recipe.name);
  table.choice("recipe", job.recipe, names,
               "named set of model, solver and preprocessing values to start from");
  add_model(table, job.model);
  add_data(table, job.data, job.preprocess);
  add_solver(table, job.solver);
  add_dist(table, job.dist);
  add_run(table, job.run);
  add_device(table, job.device);
  return table;
}

}  // namespace convoy
