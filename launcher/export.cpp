// `convoy export`: a checkpoint's net as a file that other programs read.
#include "io/model/export.h"

#include <ostream>

#include "core/error.h"
#include "launcher/checkpoint_path.h"
#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

class ExportCommand : public Command {
 public:
  ExportCommand()
      : Command({.name = "export",
                 .summary = "writes a checkpoint's net as safetensors, ONNX or caffemodel",
                 .synopsis = "convoy export (--checkpoint FILE | --run.dir DIR) --output FILE "
                             "[--names NAMES] [--softmax]",
                 .details =
                     "The ending of --output says the format: .safetensors (--names says for which "
                     "program), .onnx (the net as a graph for inference, for batches of any size) "
                     "or .caffemodel. Values are brought into the order of the other program, "
                     "response normalisation and dropout into its form. What leaves for PyTorch or "
                     "as ONNX reads red, green, blue, what leaves for Caffe blue, green, red. How "
                     "pixels become the net's input, and the classes, stand in the file's "
                     "metadata; for Caffe the net (.prototxt) and its mean image (.binaryproto) "
                     "are written beside it, for names torch a PyTorch module (.py)."}) {
    options_.path("checkpoint", checkpoint_, "FILE", "checkpoint to export");
    options_.add(job_table(given_), {"run.dir"});
    options_.path("output", export_.output, "FILE",
                  "what to write: NAME.safetensors, NAME.onnx or NAME.caffemodel");
    options_.choice("names", export_.names, {"torch", "convoy", "alexnet-pytorch", "torchvision"},
                    "names and layout of tensors in .safetensors files: torch (conv1.weight, as "
                    "PyTorch's modules take them; the default), convoy (as in checkpoints), or "
                    "those of alexnet-pytorch or torchvision, for a net that is theirs");
    options_.flag("softmax", export_.softmax, "ONNX: the graph ends with probabilities");
  }

  void parse(const std::vector<std::string>& arguments) override {
    Command::parse(arguments);
    if (checkpoint_.empty() == given_.run.dir.empty()) {
      fail(ExitCode::usage,
           "export needs either --checkpoint FILE or --run.dir DIR, whose newest checkpoint is "
           "taken");
    }
    require(export_.output, "output");
    require_output("output");
  }

  void run(World*, std::ostream& out) override {
    if (checkpoint_.empty()) checkpoint_ = newest_checkpoint(given_.run.dir);
    const CheckpointReader checkpoint(checkpoint_);
    const JobOptions job = job_of(checkpoint, checkpoint_);
    const ExportReport report =
        export_model(checkpoint, build_net(job.model), job.preprocess, export_);
    for (const std::string& note : report.notes) out << fmt::format("note: {}\n", note);
    out << fmt::format("{}: {} parameters of {}", export_.output.string(),
                       thousands(report.parameters), checkpoint_.string());
    for (std::size_t i = 1; i < report.files.size(); ++i)
      out << fmt::format("; beside it {}", report.files[i].filename().string());
    out << '\n';
  }

 private:
  std::filesystem::path checkpoint_;
  JobOptions given_;  // run.dir
  ExportOptions export_;
};

}  // namespace

std::unique_ptr<Command> make_export() { return std::make_unique<ExportCommand>(); }

}  // namespace convoy
