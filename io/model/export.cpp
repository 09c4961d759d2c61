// Brings a checkpoint's tensors into the order of another program, and chooses the format.
#include "io/model/export.h"

#include <algorithm>

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

void write_as_safetensors(const OutgoingModel& model, TensorNames names, const fs::path& output,
                          ExportReport& report) {
  const bool as_module = names == TensorNames::torch;
  const std::string source =
      as_module ? torch_module(model.net, output.filename().string()) : "";  // or it is refused
  write_safetensors(output, model);
  if (!as_module) return;
  const fs::path module = beside(output, ".py");
  write_durably(module, source);
  report.files.push_back(module);
}

void write_as_caffe(const OutgoingModel& model, const CheckpointInfo& info,
                    const PreprocessOptions& preprocess, const fs::path& output,
                    ExportReport& report) {
  write_caffemodel(output, model);
  report.files.push_back(beside(output, ".prototxt"));
  write_prototxt(report.files.back(), model.net);
  if (preprocess.unit_scale) {
    report.notes.emplace_back(
        "a caffemodel cannot say how pixels become input: this net wants them divided by the usual "
        "deviations, too (data.unit-scale)");
  }
  if (!needs_mean_image(preprocess)) return;
  const fs::path mean = beside(output, ".binaryproto");
  write_caffe_mean(mean, {info.image_size, info.mean_image});
  report.files.push_back(mean);
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
  ExportReport report{{options.output}, net.parameters(), {}};
  if (ending == ".onnx") {
    write_onnx(options.output, model, options.softmax);
  } else if (ending == ".caffemodel") {
    write_as_caffe(model, info, preprocess, options.output, report);
  } else {
    write_as_safetensors(model, names, options.output, report);
  }
  return report;
}

}  // namespace convoy
