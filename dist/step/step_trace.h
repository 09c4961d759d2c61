// Records what this rank does in some steps: phases, layers and collectives, each with begin and
// end. Layers are timed by marks in the stream, so that a GPU's times are its own; steps so
// observed take no graph.
#pragma once

#include <memory>
#include <string>

#include "core/device.h"
#include "core/net/network.h"
#include "dist/step/layer_marks.h"
#include "dist/step/session.h"
#include "dist/step/step_runner.h"
#include "io/run/trace_file.h"

namespace convoy {

class StepTrace : public LayerObserver {
 public:
  // Of `steps` steps from first_step on (counted from 1). Room for all of it is taken here but that
  // for the names of collectives, which are read between steps. Collective: ranks meet, so that
  // their clocks can be laid over each other.
  StepTrace(Session& session, std::int64_t first_step, std::int64_t steps);

  void begin_step(std::int64_t step);
  void begin(std::size_t layer, bool backward) override { layers_.begin(layer, backward); }
  void end(std::size_t layer, bool backward) override { layers_.end(layer, backward); }
  // Something of the host that began at `begin_ns` and ends now.
  void host_span(const std::string& name, std::int64_t begin_ns);
  // Once the step is finished: reads the marks of layers and of the runner, and the rank's record.
  void end_step(const StepRunner& runner);

  [[nodiscard]] const RankTrace& result() const { return trace_; }
  [[nodiscard]] static std::int64_t now_ns();

 private:
  void add(const std::string& name, const char* kind, const Event& begin, const Event& end);
  void add_collectives();

  Session& session_;
  RankTrace trace_;
  std::int64_t step_ = 0;
  std::int64_t begun_ns_ = 0;
  std::unique_ptr<Event> begun_;  // at the same moment in the stream
  LayerMarks layers_;
  std::uint64_t last_collective_ = 0;
};

}  // namespace convoy
