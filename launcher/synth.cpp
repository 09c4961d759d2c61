// `convoy synth`: writes procedural class folders.
#include "io/pack/synth.h"

#include <ostream>

#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

class SynthCommand : public Command {
 public:
  SynthCommand()
      : Command({.name = "synth",
                 .summary = "writes class folders of procedural JPEGs, for demos and tests",
                 .synopsis = "convoy synth --output DIR [options]",
                 .details =
                     "Draws textures and shapes that a small net can learn and writes them as "
                     "JPEGs, one folder per class, under DIR/train and DIR/val. The same options "
                     "give the same images."}) {
    const Bounds<std::int64_t> positive{.low = 1};
    const Bounds<std::int64_t> pixels{.low = 8, .high = 4096};
    options_.path("output", synth_.output, "DIR", "folder that gets train/ and val/");
    options_.number("classes", synth_.classes, {.low = 1, .high = 1000}, "number of classes");
    options_.number("train-images", synth_.train_images, positive, "training images per class");
    options_.number("val-images", synth_.val_images, positive, "validation images per class");
    options_.number("width", synth_.width, pixels, "images' mean width, pixels");
    options_.number("height", synth_.height, pixels, "images' mean height, pixels");
    options_.number("seed", synth_.seed, {}, "seed of all random numbers");
  }

  void parse(const std::vector<std::string>& arguments) override {
    Command::parse(arguments);
    require(synth_.output, "output");
  }

  void run(World*, std::ostream& out) override {
    synthesise(synth_);
    out << fmt::format("{}: {} training and {} validation images in {} classes\n",
                       synth_.output.string(), thousands(synth_.classes * synth_.train_images),
                       thousands(synth_.classes * synth_.val_images), synth_.classes);
  }

 private:
  SynthOptions synth_;
};

}  // namespace

std::unique_ptr<Command> make_synth() { return std::make_unique<SynthCommand>(); }

}  // namespace convoy
