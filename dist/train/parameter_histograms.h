// Histograms of whole logical parameters and their gradients, the same numbers whatever the
// strategy: ranks count the rows that they answer for, and sums are added row by row.
#pragma once

#include <cstdint>
#include <vector>

#include "dist/checkpoint/row_owners.h"
#include "dist/step/session.h"
#include "io/run/event_folder.h"

namespace convoy {

class ParameterHistograms {
 public:
  // `session` must outlive this. Collective.
  explicit ParameterHistograms(Session& session);

  // Between steps; on rank 0, tags are "weight/conv1", "bias/conv1", and of the gradients of the
  // step that was finished last, where asked for, "weight_gradient/conv1" and so on. Elsewhere they
  // say nothing. Collective.
  [[nodiscard]] std::vector<TaggedHistogram> take(bool gradients);

  // The kernels of the first layer whole, on every rank. Collective.
  [[nodiscard]] std::vector<float> first_kernels();
  [[nodiscard]] const Parameter& first_layer() const { return *parameters()[first_layer_]; }

 private:
  [[nodiscard]] std::span<Parameter* const> parameters() const {
    return session_.network().parameters();
  }
  struct Local;
  [[nodiscard]] Local count_own(std::size_t parameter, bool gradient);
  // Calls body(values, rows) for runs of the rows of a tensor that this rank answers for; the
  // values are in host memory.
  template <typename Body>
  void for_own_rows(std::size_t parameter, bool gradient, const Body& body);

  Session& session_;
  std::vector<std::vector<OwnedRows>> owners_;
  std::size_t first_layer_;
  Buffer host_;  // where the device's memory is not the host's
};

}  // namespace convoy
