// `convoy show filters`: the kernels of the first layer as a picture.
#include <algorithm>
#include <cmath>
#include <ostream>

#include "core/error.h"
#include "core/net/spec.h"
#include "io/images/kernel_sheet.h"
#include "launcher/checkpoint_command.h"
#include "launcher/commands.h"

namespace convoy {
namespace {

class ShowFiltersCommand : public CheckpointCommand {
 public:
  ShowFiltersCommand()
      : CheckpointCommand(
            {.name = "show filters",
             .summary = "the first layer's kernels as a picture (paper, figure 3)",
             .synopsis =
                 "convoy show filters (--checkpoint FILE | --run.dir DIR) --output FILE [options]",
             .details = "Draws the kernels of the first layer in rows of 16, those of each tower "
                        "in a block "
                        "of its own. Mid-grey is a weight of 0."},
            {}) {
    options_.path("output", output_, "FILE", "PNG to write");
    options_.choice("scale", scale_, {"each", "all"},
                    "the largest weight, which is black or white, is that of each kernel, or of "
                    "all");
  }

  void parse(const std::vector<std::string>& arguments) override {
    CheckpointCommand::parse(arguments);
    require(output_, "output");
    require_output("output");
  }

  void run(World*, std::ostream& out) override {
    const CheckpointReader checkpoint(checkpoint_path());
    const JobOptions job = job_of(checkpoint);
    const NetSpec net = build_net(job.model);
    const LayerSpec& layer = first_layer(checkpoint, net);
    const Shape shape = layer.weight_shape();
    std::vector<float> weights(static_cast<std::size_t>(shape.count()));
    checkpoint.read(layer.name, "weight", shape, {0, shape.n}, weights.data());
    if (!std::ranges::all_of(weights, [](float w) { return std::isfinite(w); })) {
      fail(ExitCode::bad_checkpoint,
           "{} holds NaN or infinity in weight of {}: the run had diverged when it was written; "
           "use an earlier checkpoint",
           checkpoint.path().string(), layer.name);
    }
    const std::int64_t towers = shape.n % net.towers == 0 ? net.towers : 1;
    draw_kernels({.weights = weights,
                  .kernels = shape.n,
                  .rows = shape.h,
                  .columns = shape.w,
                  .bgr = job.preprocess.bgr,
                  .blocks = towers,
                  .together = scale_ == "all"})
        .save(output_);
    out << fmt::format("{}: {} kernels of {} x {} x 3 in {} block{}, after step {} of {}\n",
                       output_.string(), shape.n, shape.h, shape.w, towers, towers == 1 ? "" : "s",
                       checkpoint.info().step, checkpoint.path().string());
  }

 private:
  // With weights.
  static const LayerSpec& first_layer(const CheckpointReader& checkpoint, const NetSpec& net) {
    const auto layer = std::ranges::find_if(
        net.layers, [](const LayerSpec& one) { return one.weight_shape().n > 0; });
    if (layer->weight_shape().c == 3) return *layer;
    const Shape shape = layer->weight_shape();
    fail(ExitCode::bad_checkpoint,
         "the kernels of {} in {} have the shape [{}, {}, {}, {}]; only those that read 3 colours "
         "can be drawn",
         layer->name, checkpoint.path().string(), shape.n, shape.h, shape.w, shape.c);
  }

  std::filesystem::path output_;
  std::string scale_ = "each";
};

}  // namespace

std::unique_ptr<Command> make_show_filters() { return std::make_unique<ShowFiltersCommand>(); }

}  // namespace convoy
