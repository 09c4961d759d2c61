// Whoever wants gradients of parameters as soon as they are final, while they lie in a cache.
#pragma once

#include <cstdint>

namespace convoy {

class GradientSink {
 public:
  virtual ~GradientSink() = default;
  // The `count` gradients from `first` on are final. Called by the thread that made them, so from
  // several at once where they come out of an operation's team. A backward pass tells of every
  // gradient once, in any order; once it has, it no longer reads the values of those parameters.
  virtual void finished(const float* first, std::int64_t count) = 0;
};

}  // namespace convoy
