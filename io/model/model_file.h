// Files of weights that other programs write and read: what the formats have in common.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/net/spec.h"
#include "io/model/tensor_places.h"

namespace convoy {

// Texts that travel with the weights, by name (metadata.h says which).
using Metadata = std::map<std::string, std::string>;

// A net on its way out.
struct OutgoingModel {
  NetSpec net;
  std::vector<TensorPlace> places;
  std::function<std::vector<float>(const TensorPlace&)> values;  // in the other program's order
  Metadata metadata;
};

struct StoredTensor {
  std::string name;
  std::vector<std::int64_t> extents;
};

// A file of weights that was opened: what it says of itself has been checked, so that reading stays
// inside it. All errors are Error(bad_checkpoint) and name the file.
class ModelFile {
 public:
  virtual ~ModelFile() = default;
  [[nodiscard]] virtual const std::filesystem::path& path() const = 0;
  [[nodiscard]] virtual const std::vector<StoredTensor>& tensors() const = 0;
  [[nodiscard]] virtual const Metadata& metadata() const = 0;  // empty where the format has none
  // Values of tensors()[index].
  [[nodiscard]] virtual std::vector<float> read(std::size_t index) const = 0;
  // Throws where the file describes its net, and that is not this one, naming the first layer that
  // differs.
  virtual void require_net(const NetSpec& net) const = 0;
};

}  // namespace convoy
