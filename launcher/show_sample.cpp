// `convoy show sample`: the images of training as the net sees them.
#include <ostream>

#include "core/error.h"
#include "dist/train/dataset_options.h"
#include "dist/train/sample_inputs.h"
#include "io/images/captioned_sheet.h"
#include "launcher/commands.h"
#include "launcher/predictions.h"

namespace convoy {
namespace {

class ShowSampleCommand : public JobCommand {
 public:
  ShowSampleCommand()
      : JobCommand({.name = "show sample",
                    .summary = "training images as the net sees them: cut, mirrored, recoloured",
                    .synopsis = "convoy show sample (--run.dir DIR | --data.train DIR) --output "
                                "FILE [--config FILE] [options]",
                    .details =
                        "Draws the inputs of the first steps, or of those after --step, through "
                        "the order, reader and input transformation of training; only mean and "
                        "scale are undone. With --run.dir, those of that run."}) {
    options_.path("output", output_, "FILE", "PNG to write");
    options_.number("images", images_, {.low = 1, .high = 1024}, "inputs that are drawn");
    options_.number("step", step_, {.low = 0, .high = 0xFFFFFFF0},
                    "steps of the run before the first that is drawn");
  }

  void parse(const std::vector<std::string>& arguments) override {
    JobCommand::parse(arguments);
    if (!job_.run.dir.empty()) go_on();
    require(output_, "output");
    require(job_.data.train, "data.train");
    require_output("output");
  }

  void run(World*, std::ostream& out) override {
    const Dataset dataset = open_dataset(job_.data.train, job_.data);
    const std::vector<SampledInput> inputs = sample_inputs(dataset, job_, step_, images_);
    std::vector<CaptionedPicture> pictures;
    for (const SampledInput& input : inputs) {
      const ClassInfo& info = dataset.classes()[static_cast<std::size_t>(input.label)];
      pictures.push_back({input.pixels,
                          {info.words.empty() ? info.name : info.words,
                           fmt::format("{},{}{}", input.record.top, input.record.left,
                                       input.record.mirror != 0 ? ", mirrored" : "")},
                          {}});
    }
    const std::int64_t size = job_.model.input;
    write_captioned_sheet(output_, pictures, size, sheet_columns(pictures, size));
    out << fmt::format(
        "{}: {} inputs of steps {} to {}; below each its class, and the row and "
        "column at which it was cut\n",
        output_.string(), inputs.size(), inputs.front().step, inputs.back().step);
  }

 private:
  std::filesystem::path output_;
  std::int64_t images_ = 16;
  std::int64_t step_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_show_sample() { return std::make_unique<ShowSampleCommand>(); }

}  // namespace convoy
