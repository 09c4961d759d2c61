// `convoy pack`: images in folders, lists or tars into an HDF5 dataset.
#include "io/pack/pack.h"

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
                 .summary = "turns images in folders, lists or tars into an HDF5 dataset",
                 .synopsis = "convoy pack --input DIR|TAR|LIST --output DIR [options]",
                 .details =
                     "Packs a folder of class folders, ILSVRC's training tar (a tar of a tar a "
                     "class), a tar of class folders, ILSVRC's validation images (a flat tar or "
                     "folder, with --labels and --devkit), or a list file of lines 'PATH CLASS'; "
                     "what the input holds decides. Tars are read where they are. Resizes the "
                     "shorter side to SIZE, cuts the centre SIZE x SIZE, shuffles all images over "
                     "shards, and writes shards, report.jsonl (images left out or repaired) and "
                     "index.h5. Started under mpirun, the ranks share the shards. Stopped, it goes "
                     "on where it was when started again with the same options; the dataset is the "
                     "same to the byte whatever the ranks, threads and stops.",
                 .parallel = true}) {
    options_.path("input", pack_.input, "PATH", "folder, tar or list of images");
    options_.path("output", pack_.output, "DIR", "folder of the dataset, made by this command");
    options_.number("size", pack_.size, {.low = 1, .high = 4096},
                    "height and width of the stored images, pixels (32 for CIFAR)");
    options_.path("classes", pack_.classes, "DATASET|FILE",
                  "class list to number the labels by, e.g. the training set for a validation "
                  "set; empty: the classes found, in sorted order");
    options_.path("labels", pack_.labels, "FILE",
                  "classes of a flat tar or folder: lines 'FILE CLASS', or ILSVRC's ground truth, "
                  "an id a line in the order of file names; empty: the devkit's");
    options_.path("devkit", pack_.devkit, "PATH",
                  "ILSVRC's devkit (folder or .tar.gz), its meta.mat, or a text of lines 'ID WNID "
                  "words': translates ids, and names the classes in words");
    options_.number("shard-images", pack_.shard_images, {.low = 0},
                    "images per shard; 0: about 256 MiB a shard");
    options_.number("seed", pack_.seed, {}, "seed of the shuffle over shards");
    options_.number("threads", pack_.threads, {.low = 0, .high = 4096},
                    "decoding threads a rank; 0: its share of the cores");
    options_.choice("data.encoding", pack_.encoding, {"raw", "jpeg"},
                    "how images are stored: pixels, or the resized image as JPEG, which takes "
                    "less room and has to be decoded at every read");
    options_.number("data.jpeg-quality", pack_.jpeg_quality, {.low = 1, .high = 100},
                    "quality of stored JPEGs (their colours keep full resolution)");
  }

  void parse(const std::vector<std::string>& arguments) override {
    Command::parse(arguments);
    require(pack_.input, "input");
    require(pack_.output, "output");
  }

  void run(World* world, std::ostream& out) override {
    const auto all = world->split(0);
    const PackReport report = pack(pack_, {.rank = world->rank(),
                                           .size = world->size(),
                                           .ranks_on_host = world->local_ranks(),
                                           .barrier = [&] { all->barrier("pack"); }});
    if (world->rank() != 0) return;
    out << fmt::format("{}: {} image{} in {} class{}, {} shard{}\n", pack_.output.string(),
                       thousands(report.packed), report.packed == 1 ? "" : "s",
                       thousands(report.classes), report.classes == 1 ? "" : "es", report.shards,
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
