// What a description's layers are held to, and how their weights begin.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/net/spec.h"
#include "core/net/statements.h"

namespace convoy {

inline constexpr std::int64_t kMostPixels = 4096;  // on a side of a map

// How a layer's weights begin, as far as the statement says.
struct DescribedWeights {
  std::optional<double> spread;
  bool he = false;  // instead of `spread`
  std::optional<double> bias;
  bool uniform = false;

  // For weights that read so many inputs; refuses contradictions.
  [[nodiscard]] Initialisation of(std::int64_t inputs, const StatementReader& statement) const;
};

// Keeps a net's figures far below what 64 bits hold, whatever the batch.
class NetSize {
 public:
  // Refuses a layer whose statement makes the net too large; its own counts are asked for only
  // after that.
  void add(const LayerSpec& layer, const StatementReader& statement);

 private:
  double parameters_ = 0;
  double multiply_adds_ = 0;  // of an image, and a value for every output
};

// Refuses fewer kernels or neurons than the net has towers.
void require_outputs(const LayerSpec& layer, const NetSpec& net, const StatementReader& statement);

// Refuses a name that another layer has, or another part of a step.
void require_free(const std::string& name, const NetSpec& net, const StatementReader& statement);

}  // namespace convoy
