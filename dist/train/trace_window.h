// The steps of a run that are traced (run.trace-from, run.trace-steps): begins a trace in time, and
// leaves it in the run directory after the last of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "dist/job.h"
#include "dist/step/step_trace.h"

namespace convoy {

class TraceWindow {
 public:
  // The run ends after last_step.
  TraceWindow(Session& session, const RunOptions& options, std::int64_t last_step)
      : session_(session),
        folder_(options.dir),
        begin_(options.trace_from),
        end_(std::min(options.trace_from + options.trace_steps, last_step + 1)) {}

  // The observer of a step (counted from 1) that begins; null where it is not traced. Collective
  // where a trace begins with it.
  LayerObserver* begin_step(std::int64_t step) {
    if (!trace_ && step >= begin_ && step < end_) trace_.emplace(session_, step, end_ - step);
    if (!trace_) return nullptr;
    trace_->begin_step(step);
    return &*trace_;
  }
  // Does some of the host's work within a step.
  template <typename Work>
  void timed(const char* name, Work&& work) {
    const std::int64_t begin_ns = trace_ ? StepTrace::now_ns() : 0;
    std::forward<Work>(work)();
    if (trace_) trace_->host_span(name, begin_ns);
  }
  // The step is finished; true where a trace was written with it. Throws Error(resource).
  bool end_step(std::int64_t step, const StepRunner& runner) {
    if (!trace_) return false;
    trace_->end_step(runner);
    if (step + 1 < end_) return false;
    write_trace(folder_, trace_->result());
    trace_.reset();
    return true;
  }

 private:
  Session& session_;
  std::filesystem::path folder_;
  std::int64_t begin_;
  std::int64_t end_;
  std::optional<StepTrace> trace_;
};

}  // namespace convoy
