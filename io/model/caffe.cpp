// Blobs of weights and means, out and in.
#include "io/model/caffe.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/text_format.h>

#include "core/error.h"
#include "io/files/durable.h"
#include "io/model/caffe_net.h"
#include "io/model/message_file.h"
#include "io/model/model_bytes.h"

namespace convoy {
namespace {

void read_message(const std::filesystem::path& path, const char* what,
                  google::protobuf::MessageLite& message) {
  const ModelBytes bytes(path);
  google::protobuf::io::FileInputStream file(bytes.descriptor());
  if (!message.ParseFromZeroCopyStream(&file))
    fail(ExitCode::bad_checkpoint, "{} is not a whole {}", path.string(), what);
}

void set(caffe::Blob& blob, const std::vector<std::int64_t>& extents,
         const std::vector<float>& values) {
  for (const std::int64_t extent : extents) blob.mutable_shape()->add_dim(extent);
  blob.mutable_data()->Add(values.begin(), values.end());
}

// The number of values that a shape stands for, or nothing where it is not what the blob has.
bool fits(const std::vector<std::int64_t>& extents, std::int64_t values) {
  std::int64_t count = 1;
  for (const std::int64_t extent : extents) {
    if (extent < 0 || (extent > 0 && count > values / extent)) return false;
    count *= extent;
  }
  return count == values;
}

std::int64_t value_count(const caffe::Blob& blob) {
  return blob.data_size() > 0 ? blob.data_size() : blob.double_data_size();
}

std::vector<float> values_of(const caffe::Blob& blob) {
  if (blob.data_size() > 0) return {blob.data().begin(), blob.data().end()};
  std::vector<float> values;
  for (const double value : blob.double_data()) values.push_back(static_cast<float>(value));
  return values;
}

class CaffeFile : public ModelFile {
 public:
  explicit CaffeFile(const std::filesystem::path& path) : path_(path) {
    caffe::Net net;
    read_message(path, "caffemodel", net);
    net_ = as_new_form(std::move(net));
    if (net_.layer().empty())
      fail(ExitCode::bad_checkpoint, "{} is not a caffemodel: it has no layers", path.string());
    std::set<std::string> names;
    for (const caffe::Layer& layer : net_.layer()) {
      if (layer.blobs().empty()) continue;
      if (!names.insert(layer.name()).second) {
        fail(ExitCode::bad_checkpoint, "{} has two layers '{}' with weights", path.string(),
             layer.name());
      }
      take(layer);
    }
  }

  const std::filesystem::path& path() const override { return path_; }
  const std::vector<StoredTensor>& tensors() const override { return tensors_; }
  const Metadata& metadata() const override { return metadata_; }
  std::vector<float> read(std::size_t index) const override { return values_of(*blobs_.at(index)); }
  void require_net(const NetSpec& net) const override { require_caffe_net(net_, net, path_); }

 private:
  void take(const caffe::Layer& layer) {
    const bool rows = layer.type() == "InnerProduct";
    for (int i = 0; i < layer.blobs_size(); ++i) {
      const caffe::Blob& blob = layer.blobs(i);
      std::vector<std::int64_t> extents;
      if (blob.has_shape()) {
        extents.assign(blob.shape().dim().begin(), blob.shape().dim().end());
      } else {  // always four; the first ones are 1 where there are fewer
        extents = {blob.num(), blob.channels(), blob.height(), blob.width()};
        const std::size_t axes = i > 0 ? 1 : rows ? 2 : 4;
        while (extents.size() > axes && extents.front() == 1) extents.erase(extents.begin());
      }
      const std::string name = layer.name() + (i == 0   ? ".weight"
                                               : i == 1 ? ".bias"
                                                        : fmt::format(".blob{}", i));
      if (!fits(extents, value_count(blob))) {
        fail(ExitCode::bad_checkpoint, "{} is damaged: {} has the shape [{}] and {} values",
             path_.string(), name, fmt::join(extents, ", "), value_count(blob));
      }
      tensors_.push_back({name, extents});
      blobs_.push_back(&blob);
    }
  }

  std::filesystem::path path_;
  caffe::Net net_;
  std::vector<StoredTensor> tensors_;
  std::vector<const caffe::Blob*> blobs_;
  Metadata metadata_;
};

}  // namespace

void write_caffemodel(const std::filesystem::path& path, const OutgoingModel& model) {
  caffe::Net net = caffe_net(model.net);
  std::map<std::string, caffe::Layer*> layers;
  for (caffe::Layer& layer : *net.mutable_layer()) layers[layer.name()] = &layer;
  for (const TensorPlace& place : model.places)  // the weight first, then the bias
    set(*layers.at(place.layer)->add_blobs(), place.extents, model.values(place));
  write_message(path, net);
}

void write_prototxt(const std::filesystem::path& path, const NetSpec& net) {
  std::string text;
  if (!google::protobuf::TextFormat::PrintToString(caffe_net(net), &text))
    fail(ExitCode::resource, "{} cannot be written as text", path.string());
  write_durably(path, text);
}

std::unique_ptr<ModelFile> open_caffemodel(const std::filesystem::path& path) {
  return std::make_unique<CaffeFile>(path);
}

void write_caffe_mean(const std::filesystem::path& path, const MeanImage& mean) {
  caffe::Blob blob;
  blob.set_num(1);
  blob.set_channels(3);
  blob.set_height(mean.size);
  blob.set_width(mean.size);
  const auto pixels = static_cast<std::size_t>(mean.size * mean.size);
  for (const std::size_t channel : {2u, 1u, 0u})
    for (std::size_t i = 0; i < pixels; ++i) blob.add_data(mean.pixels.at(3 * i + channel));
  write_message(path, blob);
}

MeanImage read_caffe_mean(const std::filesystem::path& path) {
  caffe::Blob blob;
  read_message(path, "mean image of Caffe's (.binaryproto)", blob);
  std::vector<std::int64_t> extents{blob.num(), blob.channels(), blob.height(), blob.width()};
  if (blob.has_shape()) extents.assign(blob.shape().dim().begin(), blob.shape().dim().end());
  if (extents.size() == 3) extents.insert(extents.begin(), 1);
  if (extents.size() != 4 || extents[0] != 1 || extents[1] != 3 || extents[2] != extents[3] ||
      extents[2] < 1 || !fits(extents, value_count(blob))) {
    fail(ExitCode::bad_checkpoint,
         "{} is not a mean image: it has the shape [{}] and {} values instead of three square "
         "planes",
         path.string(), fmt::join(extents, ", "), value_count(blob));
  }
  const std::vector<float> planes = values_of(blob);
  if (!std::ranges::all_of(planes, [](float v) { return std::isfinite(v); }))
    fail(ExitCode::bad_checkpoint, "{} holds values that are not finite", path.string());
  MeanImage mean{extents[2], std::vector<float>(planes.size())};
  const std::size_t pixels = planes.size() / 3;
  for (std::size_t i = 0; i < planes.size(); ++i)
    mean.pixels[3 * (i % pixels) + 2 - i / pixels] = planes[i];
  return mean;
}

}  // namespace convoy
