// `convoy show trace`: what each rank did in some steps, for trace viewers.
#include <algorithm>
#include <ostream>

#include "core/error.h"
#include "io/files/durable.h"
#include "launcher/commands.h"
#include "launcher/trace_report.h"

namespace convoy {
namespace {

class ShowTraceCommand : public Command {
 public:
  ShowTraceCommand()
      : Command({.name = "show trace",
                 .summary = "what each rank did in some steps, as Chrome-trace JSON",
                 .synopsis = "convoy show trace RUN --output FILE",
                 .details =
                     "Joins the traces that the ranks of a run left (train with --run.trace-steps "
                     "N) into one file for Perfetto (ui.perfetto.dev) or chrome://tracing: a track "
                     "a rank with phases and layers, and its collectives beside it. Clocks of "
                     "different hosts are laid over each other where the ranks met."}) {
    options_.path("output", output_, "FILE", "JSON file to write");
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments, 1);
    assign(options_, line.assignments, origin());
    if (line.positional.empty()) {
      fail(ExitCode::usage, "show trace needs a run directory: {}", info().synopsis);
    }
    require(output_, "output");
    run_ = line.positional.front();
    require_output("output", {run_});
  }

  void run(World*, std::ostream& out) override {
    const std::vector<RankTrace> traces = read_traces(run_);
    write_durably(output_, chrome_trace(traces).dump() + '\n');
    std::int64_t last = traces.front().first_step;
    for (const TraceSpan& span : traces.front().spans) last = std::max(last, span.step);
    out << fmt::format("{}: steps {} to {} on {} rank{}\n", output_.string(),
                       traces.front().first_step, last, traces.size(),
                       traces.size() == 1 ? "" : "s");
  }

 private:
  std::filesystem::path output_;
  std::filesystem::path run_;
};

}  // namespace

std::unique_ptr<Command> make_show_trace() { return std::make_unique<ShowTraceCommand>(); }

}  // namespace convoy
