// `convoy compare`: the strategies side by side on the same ranks.
#include "dist/measure/compare.h"

#include <ostream>

#include <spdlog/spdlog.h>

#include "core/error.h"
#include "io/files/durable.h"
#include "launcher/commands.h"
#include "launcher/compare_report.h"
#include "launcher/html_page.h"

namespace convoy {
namespace {

class CompareCommand : public JobCommand {
 public:
  CompareCommand()
      : JobCommand({.name = "compare",
                    .summary = "the strategies side by side on the same ranks",
                    .synopsis = "mpirun -n N convoy compare [--compare.strategies NAME,NAME,...] "
                                "[--json FILE] [--html FILE] [options]",
                    .details =
                        "Trains the same net from the same seed and data under several strategies, "
                        "in turns, and reports for each its speed, what a step's time goes to, "
                        "bytes, memory, and how far the losses agree. single runs on rank 0 alone, "
                        "with the threads that a rank has. With --data.train on its images, else "
                        "on random pixels. All nets are in memory together where they fit, and "
                        "are made anew for each turn otherwise.",
                    .parallel = true}) {
    options_.text(
        "compare.strategies", names_, "NAME,NAME,...", "names of strategies",
        [](const std::string&) { return true; },
        "strategies to compare; the first is the reference of the losses; empty: all that fit");
    const Bounds<std::int64_t> some{.low = 1, .high = 1'000'000};
    options_.number("compare.rounds", compare_.rounds, some, "turns of each strategy");
    options_.number("compare.steps", compare_.steps, some, "measured steps of a turn");
    options_.number("compare.warmup", compare_.warmup, {.low = 0, .high = 1'000'000},
                    "steps of a turn before the measured ones");
    options_.choice("compare.hold", compare_.hold, {"auto", "all", "one"},
                    "nets in memory: all together, one after another, or what fits");
    options_.path("json", json_, "FILE", "writes the figures as one JSON object");
    options_.path("html", html_, "FILE", "writes a page with plots that needs no other file");
  }

  void parse(const std::vector<std::string>& arguments) override {
    JobCommand::parse(arguments);
    compare_.job = job_;
    if (!names_.empty()) compare_.strategies = split(names_, ',');
    if (job_.dist.strategy != "auto") {
      warning_ += fmt::format(
          "{}parallel.strategy {} is not used: compare.strategies names what is compared",
          warning_.empty() ? "" : "; ", job_.dist.strategy);
    }
  }

  void run(World* world, std::ostream& out) override {
    if (world->rank() == 0) {
      require_output("json");
      require_output("html");
    }
    const CompareResult result = compare(*world, compare_);
    if (world->rank() != 0) return;
    for (const std::string& warning : result.warnings) spdlog::warn(warning);
    out << compare_text(result, compare_);
    const nlohmann::ordered_json json = compare_json(result, compare_);
    if (!json_.empty()) write_durably(json_, json.dump(1) + '\n');
    if (!html_.empty()) write_durably(html_, html_page("Strategies compared", "compare", json));
  }

 private:
  CompareOptions compare_;
  std::string names_;
  std::filesystem::path json_;
  std::filesystem::path html_;
};

}  // namespace

std::unique_ptr<Command> make_compare() { return std::make_unique<CompareCommand>(); }

}  // namespace convoy
