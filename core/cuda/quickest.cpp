// Each way runs once to warm up, then a few times; the best time of each counts.
#include "core/cuda/quickest.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "core/error.h"

namespace convoy {
namespace {

constexpr int kRuns = 4;
constexpr double kTooSlow = 3;  // times the best so far: not worth more runs

}  // namespace

std::string work_name(const CudaContext& context, const std::string& what,
                      const std::string& library) {
  return fmt::format("{}{} by {} on {}", what, context.deterministic ? " deterministic" : "",
                     library, context.device.kernels());
}

std::size_t quickest(Device& device, std::size_t count,
                     const std::function<void(std::size_t, Stream&)>& run) {
  if (count == 1) return 0;
  const std::unique_ptr<Stream> stream = device.make_stream();
  const std::unique_ptr<Event> begin = device.make_event(true);
  const std::unique_ptr<Event> end = device.make_event(true);
  std::size_t best = count;
  double best_ms = std::numeric_limits<double>::infinity();
  std::optional<Error> failure;
  for (std::size_t i = 0; i < count; ++i) try {
      run(i, *stream);
      for (int r = 0; r < kRuns; ++r) {
        begin->record(*stream);
        run(i, *stream);
        end->record(*stream);
        stream->synchronize();
        const double ms = end->milliseconds_since(*begin);
        if (ms < best_ms) {
          best_ms = ms;
          best = i;
        }
        if (ms > kTooSlow * best_ms) break;
      }
    } catch (const Error& error) {
      failure = error;
    }
  if (best == count) throw Error(*failure);
  return best;
}

void refuse_choice(const std::string& work, const std::string& kernel) {
  fail(ExitCode::usage,
       "the recorded kernel '{}' for '{}' cannot be made here; with the same --device.workspace-mb "
       "it can, and without its record it is chosen anew",
       kernel, work);
}

}  // namespace convoy
