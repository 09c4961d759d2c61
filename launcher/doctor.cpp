// `convoy doctor`: checks a machine or an allocation before a long run.
#include "dist/doctor/doctor.h"

#include <algorithm>
#include <array>
#include <ostream>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "launcher/commands.h"
#include "launcher/table.h"

namespace convoy {
namespace {

constexpr std::size_t kTextColumn = 18;
constexpr std::size_t kWidth = 100;

std::string line(const Finding& finding) {
  return fmt::format("{:<5} {:<11} {}\n", finding.good ? "ok" : "FIX", finding.topic,
                     wrapped(finding.text, kTextColumn, kWidth));
}

class DoctorCommand : public JobCommand {
 public:
  DoctorCommand()
      : JobCommand(
            {.name = "doctor",
             .summary = "checks a machine or an allocation before a long run",
             .synopsis = "[mpirun -n N] convoy doctor [--config FILE] [--data.train DIR] "
                         "[--run.dir DIR] [--json] [options]",
             .details =
                 "Takes the options of the run to come and looks, on every rank, at what that run "
                 "would meet: the program's file and its libraries against those it was built "
                 "with, ranks, cores and GPUs of each host, clocks, latency and bandwidth of every "
                 "pair of hosts, the datasets and how quickly they are read, whether net, "
                 "strategy, "
                 "batch and images fit together, free disk and the time for checkpoints. A line "
                 "each: ok, or what to do about it. Ends with the "
                 "exit code that the run would end with. Takes some seconds and writes only a "
                 "passing file of 64 MiB into the run directory.",
             .parallel = true}) {
    options_.flag("json", json_, "print one JSON object a line");
  }

  void run(World* world, std::ostream& out) override {
    const std::vector<Finding> findings = examine(*world, job_);
    if (world->rank() == 0) print(findings, out);
    const auto worst = std::ranges::find(findings, false, &Finding::good);
    std::array<double, 2> verdict{0, 0};  // faults, exit code; known to rank 0
    if (world->rank() == 0 && worst != findings.end()) {
      verdict = {static_cast<double>(std::ranges::count(findings, false, &Finding::good)),
                 static_cast<double>(worst->code)};
    }
    world->split(0)->maximum("verdict", verdict);
    if (verdict[0] == 0) return;
    out.flush();
    fail(static_cast<ExitCode>(verdict[1]), "{:.0f} finding(s) should be put right before a run",
         verdict[0]);
  }

 private:
  void print(const std::vector<Finding>& findings, std::ostream& out) const {
    for (const Finding& finding : findings) {
      if (json_) {
        out << nlohmann::ordered_json{{"topic", finding.topic},
                                      {"ok", finding.good},
                                      {"text", finding.text}}
                   .dump()
            << '\n';
      } else {
        out << line(finding);
      }
    }
  }

  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_doctor() { return std::make_unique<DoctorCommand>(); }

}  // namespace convoy
