// What may be given otherwise to a run that goes on, and what makes it the run that it is.
#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "core/error.h"
#include "dist/step/conv_choice.h"
#include "launcher/options.h"

namespace convoy {
namespace {

// Whole sections, and keys. Datasets are compared by fingerprint once they are open.
constexpr std::array<std::string_view, 2> kFreeSections{"dist", "parallel"};
constexpr std::array<std::string_view, 23> kFreeKeys{
    "run.dir",
    "run.steps",
    "run.epochs",
    "run.log-every",
    "run.eval-every",
    "run.checkpoint-every",
    "run.checkpoint-minutes",
    "run.keep",
    "run.keep-best",
    "run.max-loss",
    "data.train",
    "data.val",
    "data.threads",
    "data.ahead",
    "data.verify",
    "device.kind",
    "device.threads",
    "device.graph",
    "device.workspace-mb",
    "run.trace-from",
    "run.trace-steps",
    "run.tensorboard",
    "run.histogram-every",
};

bool may_change(const Option& option) {
  return std::ranges::find(kFreeSections, option.section()) != kFreeSections.end() ||
         std::ranges::find(kFreeKeys, option.key) != kFreeKeys.end();
}

// device.conv: `settled` names every convolution, "conv1:minimal,conv2:direct"; `asked` may leave
// them open or say the same in other words.
bool allows_methods(const std::string& asked, const std::string& settled) {
  const ConvRequest request(asked);
  const ConvRequest choice(settled);
  return std::ranges::all_of(split(settled, ','), [&](const std::string& item) {
    const std::string layer = item.substr(0, item.find(':'));
    const ConvRequest::Method method = request.of(layer);
    return method == ConvRequest::Method::automatic || method == choice.of(layer);
  });
}

// The run has settled what a person may have left open, and may leave open again.
bool allows(const std::string& key, const std::string& asked, const std::string& settled) {
  if (key == "device.conv") return allows_methods(asked, settled);
  return asked == settled || (key == "model.classes" && asked == "0");
}

void assign_where_free(const OptionTable& table, const std::vector<Assignment>& assignments,
                       const Origin& origin, const std::string& run_dir) {
  for (const Assignment& assignment : assignments) {
    const Option& option = *table.find(assignment.key);
    const std::string before = option.get();
    assign(table, {assignment}, origin);
    const std::string asked = option.get();
    if (may_change(option)) continue;
    if (!allows(option.key, asked, before)) {
      fail(ExitCode::usage,
           "{}{}{} is {} for the run in {}, and cannot become {}: it would be another run; leave "
           "the option out, or choose another --run.dir",
           origin.prefix, origin.dashes, option.key, before.empty() ? "empty" : before, run_dir,
           asked.empty() ? "empty" : asked);
    }
    assign(table, {{option.key, before}}, origin);
  }
}

}  // namespace

void continue_job(JobOptions& job, const std::vector<Assignment>& file, const Origin& file_origin,
                  const std::vector<Assignment>& line, const Origin& line_origin) {
  const std::filesystem::path run_dir = job.run.dir;
  const std::filesystem::path path = run_dir / "config.ini";
  JobOptions run = parse_job(read_text_file(path), path.string());
  const OptionTable table = job_table(run);
  std::vector<Assignment> not_on_line;  // of the file
  std::ranges::copy_if(file, std::back_inserter(not_on_line), [&](const Assignment& a) {
    return std::ranges::find(line, a.key, &Assignment::key) == line.end();
  });
  assign_where_free(table, not_on_line, file_origin, run_dir.string());
  assign_where_free(table, line, line_origin, run_dir.string());
  require_one_net(run, file, file_origin, line, line_origin);
  job = run;
  job.run.dir = run_dir;  // it may have been moved
}

}  // namespace convoy
