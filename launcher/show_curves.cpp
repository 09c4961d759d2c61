// `convoy show curves`: runs' losses, errors, rates and times on one page.
#include <ostream>

#include "core/error.h"
#include "io/files/durable.h"
#include "launcher/commands.h"
#include "launcher/curves_report.h"
#include "launcher/html_page.h"

namespace convoy {
namespace {

class ShowCurvesCommand : public Command {
 public:
  ShowCurvesCommand()
      : Command({.name = "show curves",
                 .summary = "one HTML page with the curves of one or more runs",
                 .synopsis = "convoy show curves RUN... --output FILE",
                 .details =
                     "Draws losses, error rates, learning rate, speed and where a step's time goes "
                     "from the metrics of runs, also of those that still train. The page needs no "
                     "other file and no network."}) {
    options_.path("output", output_, "FILE", "HTML page to write");
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments, arguments.size());
    assign(options_, line.assignments, origin());
    if (line.positional.empty()) {
      fail(ExitCode::usage, "show curves needs run directories: {}", info().synopsis);
    }
    require(output_, "output");
    runs_.assign(line.positional.begin(), line.positional.end());
    require_output("output", runs_);
  }

  void run(World*, std::ostream& out) override {
    write_durably(output_, html_page("Training curves", "curves", curves_json(runs_)));
    out << fmt::format("{}: the curves of {} run{}\n", output_.string(), runs_.size(),
                       runs_.size() == 1 ? "" : "s");
  }

 private:
  std::filesystem::path output_;
  std::vector<std::filesystem::path> runs_;
};

}  // namespace

std::unique_ptr<Command> make_show_curves() { return std::make_unique<ShowCurvesCommand>(); }

}  // namespace convoy
