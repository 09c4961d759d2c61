// Configuration: INI text and command lines for the options of a training run. What is taken must
// read back from its own rendering.
#include <sstream>
#include <vector>

#include "launcher/assignments.h"
#include "launcher/options.h"
#include "tests/faults/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  const std::string text(reinterpret_cast<const char*>(data), size);
  fuzz::only_errors({ExitCode::usage}, [&] {
    const JobOptions job = parse_job(text, "fuzz.ini");
    const std::string rendered = render_job(job);
    if (render_job(parse_job(rendered, "again.ini")) != rendered) std::abort();
  });
  fuzz::only_errors({ExitCode::usage}, [&] {
    std::vector<std::string> arguments;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) arguments.push_back(line);
    JobOptions job;
    const OptionTable table = job_table(job);
    const Origin origin = command_line_origin("train");
    resolve_job(job, {}, origin, parse_command_line(arguments, table, origin).assignments, origin);
  });
  return 0;
}
