// Times ways of doing one piece of work on the GPU.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "core/cuda/context.h"

namespace convoy {

// The name under which a choice is recorded: what is done, by which library, on which GPU.
[[nodiscard]] std::string work_name(const CudaContext& context, const std::string& what,
                                    const std::string& library);

// The index of the quickest of `count` ways; `run` queues one of them. A way that its library turns
// out not to run is left out. Throws that error where none is left.
[[nodiscard]] std::size_t quickest(Device& device, std::size_t count,
                                   const std::function<void(std::size_t, Stream&)>& run);

// Throws Error(usage): a recorded kernel is not there. It is not timed again, because the other
// ranks, and the run's earlier steps, computed with it.
[[noreturn]] void refuse_choice(const std::string& work, const std::string& kernel);

}  // namespace convoy
