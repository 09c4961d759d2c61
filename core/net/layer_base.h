// What every layer class shares: its name and its local shapes.
#pragma once

#include <string>
#include <utility>

#include "core/net/layer.h"

namespace convoy {

[[nodiscard]] inline Shape local_input(const LayerSpec& spec, const LayerPart& part) {
  return {part.images, spec.in.h, spec.in.w, part.in.size()};
}

[[nodiscard]] inline Shape local_output(const LayerSpec& spec, const LayerPart& part) {
  return {part.images, spec.out.h, spec.out.w, part.out.size()};
}

class LayerBase : public Layer {
 public:
  LayerBase(const LayerSpec& spec, const LayerPart& part)
      : LayerBase(spec.name, local_output(spec, part)) {}
  LayerBase(std::string name, const Shape& output) : name_(std::move(name)), output_(output) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] Shape output() const override { return output_; }

 private:
  std::string name_;
  Shape output_;
};

}  // namespace convoy
