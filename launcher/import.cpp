// `convoy import`: weights of other programs as a checkpoint.
#include "io/model/import.h"

#include <ostream>

#include "core/error.h"
#include "io/dataset/class_list.h"
#include "io/dataset/dataset_index.h"
#include "io/model/caffe.h"
#include "io/model/finite.h"
#include "io/model/metadata.h"
#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

class ImportCommand : public JobCommand {
 public:
  ImportCommand()
      : JobCommand(
            {.name = "import",
             .summary = "makes a checkpoint of weights in a safetensors or caffemodel file",
             .synopsis = "convoy import --input FILE --output CHECKPOINT [--names NAMES] "
                         "[--classes DATASET|FILE] [--mean DATASET|FILE] [options]",
             .details =
                 "A file that convoy export wrote as safetensors holds its net, preprocessing, "
                 "mean and classes; options change what it says. For any other file the options "
                 "describe the net (--recipe caffe for bvlc_alexnet), --classes and --mean give "
                 "what the file lacks. Every tensor must have the name and shape that the net "
                 "asks for, and no further one may be there; a caffemodel's layers must be the "
                 "net's. The checkpoint serves convoy eval, and convoy train --run.weights."}) {
    options_.path("input", input_, "FILE", "the weights: .safetensors or .caffemodel");
    options_.path("output", output_, "FILE", "the checkpoint to write");
    options_.choice("names", names_, {"torch", "convoy", "alexnet-pytorch", "torchvision"},
                    "names and layout of the tensors of a .safetensors file that Convoy did not "
                    "write");
    options_.path("classes", classes_, "DATASET|FILE",
                  "class list in the order of the outputs; empty: the file's, or class-0, class-1, "
                  "...");
    options_.path("mean", mean_, "DATASET|FILE",
                  "the mean image that the net's input lacks: of a packed dataset, or Caffe's "
                  ".binaryproto; empty: the file's");
  }

  void parse(const std::vector<std::string>& arguments) override {
    JobCommand::parse(arguments);
    require(input_, "input");
    require(output_, "output");
    require_output("output");
  }

  void run(World*, std::ostream& out) override {
    const std::unique_ptr<ModelFile> file = open_model(input_);
    CheckpointInfo info;
    bool as_written = false;  // the file's configuration holds as it is
    if (auto found = info_in(file->metadata(), input_)) {
      as_written = !resolve_over(found->config, input_.string() + ", its configuration");
      info = std::move(*found);
    }
    const TensorNames names = names_of(*file);
    take_classes(info);
    const NetSpec net = build_net(job_.model);
    take_mean(info, net);
    if (!as_written) info.config = render_job(job_);
    import_model(*file, net, names, job_.preprocess.bgr, info, output_);
    out << fmt::format("{}: {} parameters of {} ({}), {} classes\n", output_.string(),
                       thousands(net.parameters()), input_.string(), name_of(names),
                       thousands(std::ssize(info.classes)));
  }

 private:
  [[nodiscard]] TensorNames names_of(const ModelFile& file) const {
    const std::optional<TensorNames> told = names_in(file.metadata());
    if (input_.extension() == ".caffemodel") {
      if (names_.empty()) return TensorNames::caffe;
      fail(ExitCode::usage, "--names {} is for .safetensors files; leave it out for {}", names_,
           input_.string());
    }
    if (names_.empty() && !told) {
      fail(ExitCode::usage,
           "{} does not say whose names its tensors have; give --names torch, convoy, "
           "alexnet-pytorch or torchvision",
           input_.string());
    }
    if (!names_.empty() && told && tensor_names(names_) != *told) {
      fail(ExitCode::usage, "the tensors of {} have the names {}, not {}; leave --names out",
           input_.string(), name_of(*told), names_);
    }
    return told ? *told : tensor_names(names_);
  }

  void take_classes(CheckpointInfo& info) {
    if (!classes_.empty()) info.classes = read_class_list(classes_);
    require_class_list(info.classes, classes_.empty() ? input_ : classes_);
    const auto count = static_cast<std::int64_t>(info.classes.size());
    if (job_.model.classes == 0) job_.model.classes = count > 0 ? count : kUsualClasses;
    // A list that is given names every output; what Convoy wrote names as many as it was trained
    // on.
    if (!classes_.empty() && count != job_.model.classes) {
      fail(ExitCode::usage, "{} names {} classes, and the net has {} outputs; a line for each",
           classes_.string(), count, job_.model.classes);
    }
    if (count > job_.model.classes) {
      fail(ExitCode::bad_checkpoint, "{} names {} classes, and its net has {} outputs",
           input_.string(), count, job_.model.classes);
    }
    if (count == 0) name_outputs(info.classes, job_.model.classes);
  }

  void take_mean(CheckpointInfo& info, const NetSpec& net) const {
    std::error_code ignored;
    if (fs::is_directory(mean_, ignored)) {
      const DatasetIndex index = read_index(mean_);
      info.image_size = index.image_size;
      info.mean_image = index.mean_image;
      info.pca = index.pca;
      info.fingerprint = index.fingerprint();
    } else if (!mean_.empty()) {
      MeanImage mean = read_caffe_mean(mean_);
      info.image_size = mean.size;
      info.mean_image = std::move(mean.pixels);
    }
    require_finite(info.mean_image, "the mean image", (mean_.empty() ? input_ : mean_).string());
    if (!needs_mean_image(job_.preprocess)) return;
    if (info.mean_image.empty()) {
      fail(ExitCode::usage,
           "the net subtracts a mean image (data.mean {}), and {} holds none; give --mean, a "
           "packed dataset or Caffe's .binaryproto",
           job_.preprocess.mean, input_.string());
    }
    if (info.image_size < net.input.h) {
      fail(ExitCode::usage,
           "the mean image has {0}x{0} pixels, fewer than the net's input, {1}x{1}",
           info.image_size, net.input.h);
    }
  }

  static constexpr std::int64_t kUsualClasses = 1000;  // ImageNet's

  fs::path input_;
  fs::path output_;
  std::string names_;
  fs::path classes_;
  fs::path mean_;
};

}  // namespace

std::unique_ptr<Command> make_import() { return std::make_unique<ImportCommand>(); }

}  // namespace convoy
