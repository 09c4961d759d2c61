// Whoever wants gradients of parameters as soon as they are final, while they lie in a cache.
#pragma once

#include <cstdint>

namespace convoy {

// Gradients of one parameter: `rows` times `count` of them, the first at `first`, rows `row` floats
// apart.
struct GradientBlock {
  const float* first = nullptr;
  std::int64_t count = 0;
  std::int64_t rows = 1;
  std::int64_t row = 0;
};

class GradientSink {
 public:
  virtual ~GradientSink() = default;
  // Whether somebody reads the gradients after the step: else a block need not be stored in its
  // place.
  [[nodiscard]] virtual bool stores() const = 0;
  // These come soon, from this thread: what finished() will need may be fetched meanwhile. Not
  // every block is expected.
  virtual void expect(const GradientBlock& block) = 0;
  // These are final and lie in `values`, rows `values_row` floats apart, in a cache. Called by the
  // thread that made them, so from several at once where they come out of an operation's team. A
  // backward pass tells of every gradient once, in any order; once it has, it no longer reads the
  // values of those parameters.
  virtual void finished(const GradientBlock& block, const float* values,
                        std::int64_t values_row) = 0;
};

}  // namespace convoy
