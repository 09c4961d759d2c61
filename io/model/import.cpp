// Finds each tensor of the net in the file, all of them before anything is written.
#include "io/model/import.h"

#include <algorithm>

#include "core/error.h"
#include "io/model/caffe.h"
#include "io/model/finite.h"
#include "io/model/safetensors.h"

namespace convoy {
namespace {

std::size_t index_of(const ModelFile& file, const TensorPlace& place) {
  const auto found = std::ranges::find(file.tensors(), place.name, &StoredTensor::name);
  if (found == file.tensors().end()) {
    fail(ExitCode::bad_checkpoint, "{} holds no {}, which should be the {} of {}",
         file.path().string(), place.name, place.kind, place.layer);
  }
  if (found->extents != place.extents) {
    fail(ExitCode::bad_checkpoint,
         "{} of {} has the shape [{}], and the {} of {} in the net that the options describe has "
         "[{}]",
         place.name, file.path().string(), fmt::join(found->extents, ", "), place.kind, place.layer,
         fmt::join(place.extents, ", "));
  }
  return static_cast<std::size_t>(found - file.tensors().begin());
}

void require_no_more(const ModelFile& file, const std::vector<TensorPlace>& places) {
  for (const StoredTensor& tensor : file.tensors()) {
    if (std::ranges::find(places, tensor.name, &TensorPlace::name) != places.end()) continue;
    fail(ExitCode::bad_checkpoint,
         "{} holds {} [{}], which the net that the options describe does not have",
         file.path().string(), tensor.name, fmt::join(tensor.extents, ", "));
  }
}

}  // namespace

std::unique_ptr<ModelFile> open_model(const std::filesystem::path& path) {
  const std::string ending = path.extension().string();
  if (ending == ".safetensors") return open_safetensors(path);
  if (ending == ".caffemodel") return open_caffemodel(path);
  fail(ExitCode::usage, "{} cannot be imported: Convoy reads .safetensors and .caffemodel{}",
       path.string(), ending == ".onnx" ? ", and only writes .onnx" : "");
}

void import_model(const ModelFile& file, const NetSpec& net, TensorNames names, bool bgr,
                  const CheckpointInfo& info, const std::filesystem::path& path) {
  const std::vector<TensorPlace> places = tensor_places(net, names, bgr);
  file.require_net(net);
  std::vector<std::size_t> indices;
  for (const TensorPlace& place : places) indices.push_back(index_of(file, place));
  require_no_more(file, places);
  CheckpointWriter writer(path, info);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const TensorPlace& place = places[i];
    const std::vector<float> theirs = file.read(indices[i]);
    require_finite(theirs, place.name, file.path().string());
    std::vector<float> ours(theirs.size());
    to_ours(place, theirs, ours);
    writer.create(place.layer, place.kind, place.shape);
    writer.write(place.layer, place.kind, {0, place.shape.n}, ours.data());
  }
  writer.finish();
}

}  // namespace convoy
