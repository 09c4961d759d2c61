// `convoy index`: the index of a folder of shards that other tools wrote.
#include <ostream>

#include "core/error.h"
#include "io/pack/index_folder.h"
#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

class IndexCommand : public Command {
 public:
  IndexCommand()
      : Command({.name = "index",
                 .summary = "makes a dataset of HDF5 shards that other tools wrote",
                 .synopsis = "convoy index DIR [--classes DATASET|FILE]",
                 .details =
                     "DIR holds .h5 files, each with `images` uint8 [n, S, S, 3] RGB and `labels` "
                     "[n] of any integer type, stored in any way. Every image is read once, for "
                     "the mean image, the principal components of colour and checksums; the "
                     "files stay as they are, and index.h5 is written beside them."}) {
    options_.path("classes", index_.classes, "DATASET|FILE",
                  "class list that names the labels; empty: class-0, class-1, ...");
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments, 1);
    assign(options_, line.assignments, origin());
    if (line.positional.empty())
      fail(ExitCode::usage, "index needs the folder of the shards: {}", info().synopsis);
    index_.folder = line.positional.front();
  }

  void run(World*, std::ostream& out) override {
    const IndexReport report = index_folder(index_);
    out << fmt::format("{}: {} image{} in {} class{}, {} shard{}\n", index_.folder.string(),
                       thousands(report.images), report.images == 1 ? "" : "s",
                       thousands(report.classes), report.classes == 1 ? "" : "es", report.shards,
                       report.shards == 1 ? "" : "s");
  }

 private:
  IndexOptions index_;
};

}  // namespace

std::unique_ptr<Command> make_index() { return std::make_unique<IndexCommand>(); }

}  // namespace convoy
