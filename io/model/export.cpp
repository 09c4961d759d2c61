// Brings a checkpoint's tensors into the order of another program, and chooses the format.
#include "io/model/export.h"

#include <algorithm>
#include <deque>
#include <fstream>

#include "core/error.h"
#include "io/files/durable.h"
#include "io/model/caffe.h"
#include "io/model/finite.h"
#include "io/model/metadata.h"
#include "io/model/onnx.h"
#include "io/model/safetensors.h"
#include "io/model/torch_module.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

std::vector<float> their_values(const CheckpointReader& checkpoint, const std::string& where,
                                const TensorPlace& place) {
  std::vector<float> ours(static_cast<std::size_t>(place.shape.count()));
  checkpoint.read(place.layer, place.kind, place.shape, {0, place.shape.n}, ours.data());
  require_finite(ours, place.layer + "." + place.kind, where);
  std::vector<float> theirs(ours.size());
  to_theirs(place, ours, theirs);
  return theirs;
}

fs::path beside(fs::path output, const char* ending) { return output.replace_extension(ending); }

// The files of one export: none of them is there before all are written.
class OutgoingFiles {
 public:
  // Where the next one is to be written. Throws Error(usage) where it cannot replace what is there.
  fs::path add(const fs::path& path) {
    names_.push_back(path);
    return files_.emplace_back(path).partial();
  }
  std::vector<fs::path> commit() {
    for (AsideFile& file : files_) file.commit();
    return names_;
  }

 private:
  std::deque<AsideFile> files_;
  std::vector<fs::path> names_;
};

// Somebody's own program beside the weights is not overwritten.
void require_module_of_export(const fs::path& path, const std::string& module) {
  std::ifstream file(path, std::ios::binary);
  std::string first;
  if (!std::getline(file, first) || module.starts_with(first + '\n')) return;
  fail(ExitCode::usage,
       "{} would be overwritten, and convoy export did not write it; give --output another name",
       path.string());
}

void write_as_safetensors(const OutgoingModel& model, TensorNames names, const fs::path& output,
                          OutgoingFiles& files) {
  const fs::path weights = files.add(output);
  if (names == TensorNames::torch) {
    const fs::path path = beside(output, ".py");
    const std::string module = torch_module(model.net, output.filename().string());
    const fs::path partial = files.add(path);
    require_module_of_export(path, module);
    write_durably(partial, module);
  }
  write_safetensors(weights, model);
}

void write_as_caffe(const OutgoingModel& model, const CheckpointInfo& info,
                    const PreprocessOptions& preprocess, const fs::path& output,
                    OutgoingFiles& files, ExportReport& report) {
  const fs::path weights = files.add(output);
  const fs::path net = files.add(beside(output, ".prototxt"));
  if (needs_mean_image(preprocess))
    write_caffe_mean(files.add(beside(output, ".binaryproto")), {info.image_size, info.mean_image});
  write_prototxt(net, model.net);
  write_caffemodel(weights, model);
  if (preprocess.unit_scale) {
    report.notes.emplace_back(
        "a caffemodel cannot say how pixels become input: this net wants them divided by the usual "
        "deviations, too (data.unit-scale)");
  }
}

TensorNames names_of(const ExportOptions& options, const std::string& ending) {
  const bool named = !options.names.empty();
  if (ending != ".safetensors" && named) {
    fail(ExitCode::usage,
         "--names {} is for .safetensors files; {} names its tensors in its own way", options.names,
         options.output.string());
  }
  if (ending != ".onnx" && options.softmax) {
    fail(ExitCode::usage, "--softmax is for .onnx files; {} holds weights only",
         options.output.string());
  }
  if (ending == ".caffemodel") return TensorNames::caffe;
  return named ? tensor_names(options.names) : TensorNames::torch;
}

}  // namespace

ExportReport export_model(const CheckpointReader& checkpoint, const NetSpec& net,
                          const PreprocessOptions& preprocess, const ExportOptions& options) {
  const std::string ending = options.output.extension().string();
  if (ending != ".safetensors" && ending != ".onnx" && ending != ".caffemodel") {
    fail(ExitCode::usage,
         "{} does not say its format; end its name with .safetensors, .onnx or .caffemodel",
         options.output.string());
  }
  const TensorNames names = names_of(options, ending);
  const CheckpointInfo& info = checkpoint.info();
  OutgoingModel model{net, tensor_places(net, names, preprocess.bgr), {}, {}};
  model.values = [&](const TensorPlace& place) {
    return their_values(checkpoint, "the checkpoint", place);
  };
  model.metadata = metadata_of(info, preprocess, net, names);
  ExportReport report{{}, net.parameters(), {}};
  OutgoingFiles files;
  if (ending == ".onnx") {
    write_onnx(files.add(options.output), model, options.softmax);
  } else if (ending == ".caffemodel") {
    write_as_caffe(model, info, preprocess, options.output, files, report);
  } else {
    write_as_safetensors(model, names, options.output, files);
  }
  report.files = files.commit();
  return report;
}

}  // namespace convoy
