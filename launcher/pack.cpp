// `convoy pack`: class folders of images into an HDF5 dataset.
#include "io/pack.h"

#include <algorithm>
#include <ostream>

#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

constexpr std::size_t kIssuesShown = 5;

class PackCommand : public Command {
 public:
  PackCommand()
      : Command({.name = "pack",
                 .summary = "turns class folders of images into an HDF5 dataset",
                 .synopsis = "convoy pack --input DIR --output DIR [options]",
                 .details =
                     "Decodes the images of every class folder under the input, resizes the "
                     "shorter side to SIZE, cuts the centre SIZE x SIZE, shuffles all images over "
                     "shards, and writes shards, index.h5 and report.jsonl (images left out or "
                     "repaired)."}) {
    options_.path("input", pack_.input, "DIR", "folder of class folders");
    options_.path("output", pack_.output, "DIR", "folder of the dataset, made by this command");
    options_.number("size", pack_.size, {.low = 1, .high = 4096},
                    "height and width of the stored images, pixels (32 for CIFAR)");
    options_.path("classes", pack_.classes, "DATASET|FILE",
                  "class list to number the labels by, e.g. the training set for a validation "
                  "set; empty: the folders in sorted order");
    options_.number("shard-images", pack_.shard_images, {.low = 0},
                    "images per shard; 0: about 256 MiB a shard");
    options_.number("seed", pack_.seed, {}, "seed of the shuffle over shards");
    options_.number("threads", pack_.threads, {.low = 0, .high = 4096},
                    "decoding threads; 0: one per core");
  }

  void parse(const std::vector<std::string>& arguments) override {
    Command::parse(arguments);
    require(pack_.input, "input");
    require(pack_.output, "output");
  }

  void run(World*, std::ostream& out) override {
    const PackReport report = pack(pack_);
    out << fmt::format("{}: {} images in {} classes, {} shard{}\n", pack_.output.string(),
                       thousands(report.packed), thousands(report.classes), report.shards,
                       report.shards == 1 ? "" : "s");
    if (report.issues.empty()) return;
    const auto left_out = std::ranges::count_if(report.issues, &PackIssue::left_out);
    out << fmt::format("{} left out, {} repaired or converted (all in {}):\n", thousands(left_out),
                       thousands(std::ssize(report.issues) - left_out),
                       (pack_.output / "report.jsonl").string());
    for (std::size_t i = 0; i < std::min(report.issues.size(), kIssuesShown); ++i) {
      out << fmt::format("  {}: {}\n", report.issues[i].file, report.issues[i].what);
    }
    if (report.issues.size() > kIssuesShown) out << "  ...\n";
  }

 private:
  PackOptions pack_;
};

}  // namespace

std::unique_ptr<Command> make_pack() { return std::make_unique<PackCommand>(); }

}  // namespace convoy
