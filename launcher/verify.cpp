// `convoy verify`: reads a whole dataset and says what is wrong with it.
#include "io/pack/verify.h"

#include <ostream>

#include "core/error.h"
#include "io/dataset/dataset_index.h"
#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

class VerifyCommand : public Command {
 public:
  VerifyCommand()
      : Command({.name = "verify",
                 .summary = "reads a whole dataset and lists everything that is wrong with it",
                 .synopsis = "convoy verify DATASET [options]",
                 .details =
                     "Compares every image and shard with its checksum, labels with the classes, "
                     "and counts with the index; looks for shards that are missing or that the "
                     "index does not name. Goes on to the end, prints a line for each fault, and "
                     "ends with exit code 3 if there is one. --sheet writes random images, ordered "
                     "by label, side by side into a PNG and prints what they are."}) {
    options_.path("sheet", verify_.sheet, "FILE", "PNG to write random images to; empty: none");
    options_.number("sheet-images", verify_.sheet_images, {.low = 1, .high = 1024},
                    "number of images in it");
    options_.number("seed", verify_.seed, {}, "seed of their choice");
    options_.number("threads", verify_.threads, {.low = 0, .high = 4096},
                    "reading threads; 0: one per core");
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments, 1);
    assign(options_, line.assignments, origin());
    if (line.positional.empty()) {
      fail(ExitCode::usage, "verify needs the folder of a dataset: {}", info().synopsis);
    }
    verify_.dataset = line.positional.front();
    require_output("sheet", {verify_.dataset});
  }

  void run(World*, std::ostream& out) override {
    const VerifyReport report = verify_dataset(verify_);
    const std::string dataset = verify_.dataset.string();
    if (!report.sheet.empty()) out << sheet_table(report.sheet) << '\n';
    for (const std::string& note : report.notes) out << fmt::format("note: {}\n", note);
    for (const std::string& fault : report.faults) out << fmt::format("fault: {}\n", fault);
    out.flush();
    if (!report.faults.empty()) {
      fail(ExitCode::bad_data, "{} has {} fault{}, listed above: it must not be trained on",
           dataset, report.faults.size(), report.faults.size() == 1 ? "" : "s");
    }
    out << fmt::format("{}: {} images in {} classes and {} shard{} are as they were packed\n",
                       dataset, thousands(report.images), thousands(report.classes),
                       thousands(report.shards), report.shards == 1 ? "" : "s");
  }

 private:
  [[nodiscard]] std::string sheet_table(const std::vector<SheetImage>& images) const {
    const std::vector<ClassInfo> classes = read_index(verify_.dataset).classes;
    TextTable table({{"row"},
                     {"column"},
                     {"label"},
                     {"class", Align::left},
                     {"words", Align::left},
                     {"image", Align::left},
                     {"in", Align::left},
                     {"at"}});
    for (const SheetImage& image : images) {
      const ClassInfo& info = classes[static_cast<std::size_t>(image.label)];
      table.row({fmt::format("{}", image.row), fmt::format("{}", image.column),
                 fmt::format("{}", image.label), info.name, info.words, image.id, image.shard,
                 fmt::format("{}", image.image)});
    }
    return fmt::format("{} shows:\n{}", verify_.sheet.string(), table.text());
  }

  VerifyOptions verify_;
};

}  // namespace

std::unique_ptr<Command> make_verify() { return std::make_unique<VerifyCommand>(); }

}  // namespace convoy
