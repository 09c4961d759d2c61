// Every `--section.key` of a job, and how its value is found: defaults, then the recipe, then the
// configuration file, then the command line.
#pragma once

#include <string>
#include <vector>

#include "dist/job.h"
#include "io/run/checkpoint.h"
#include "launcher/assignments.h"
#include "launcher/option_table.h"

namespace convoy {

// All fields of `job`, `recipe` first, then the sections model, data, solver, parallel, dist, run,
// device.
[[nodiscard]] OptionTable job_table(JobOptions& job);

// Sets model, solver, preprocessing and epochs of `job` as the recipe says.
void apply_recipe(JobOptions& job, const std::string& name);

// Fills `job` by the order of precedence; `file` and `line` are assignments for job_table's keys.
// The recipe is the one that the command line names, else the file, else `paper`. Sets
// job.render.
void resolve_job(JobOptions& job, std::vector<Assignment> file, const Origin& file_origin,
                 const std::vector<Assignment>& line, const Origin& line_origin);

// Where job.model.net is given: refuses assignments of options that shape AlexNet, and sets the
// input's size as the description says.
void require_one_net(JobOptions& job, const std::vector<Assignment>& file,
                     const Origin& file_origin, const std::vector<Assignment>& line,
                     const Origin& line_origin);

// What a person should know who names a recipe on the command line while the file sets some of its
// values otherwise (the file wins); empty where there is nothing to say.
[[nodiscard]] std::string recipe_warning(const JobOptions& job, const std::vector<Assignment>& file,
                                         const std::string& file_name,
                                         const std::vector<Assignment>& line);

// All values as INI text (with a described net, without those that shape AlexNet); parse_job reads
// it again.
[[nodiscard]] std::string render_job(const JobOptions& job);

// The job that INI text describes, e.g. that of a checkpoint; `name` stands in messages.
[[nodiscard]] JobOptions parse_job(const std::string& ini, const std::string& name);

// The job of the run that wrote a checkpoint, `path`; model.classes is never 0 in it. Throws
// Error(bad_checkpoint) where its configuration cannot be read.
[[nodiscard]] JobOptions job_of(const CheckpointReader& checkpoint,
                                const std::filesystem::path& path);

// Replaces `job` by that of the run in job.run.dir, with what `file` and `line` (which wins) say
// otherwise. Throws Error(usage), naming key and both values, where that would be another run: only
// how long it trains, what it writes and reads besides, and how ranks share the work may change.
void continue_job(JobOptions& job, const std::vector<Assignment>& file, const Origin& file_origin,
                  const std::vector<Assignment>& line, const Origin& line_origin);

// A key whose value differs between two jobs.
struct Difference {
  std::string key;
  std::string here;
  std::string there;
};
// What `job` has otherwise than the paper, among the keys that recipes set.
[[nodiscard]] std::vector<Difference> differences_from_paper(const JobOptions& job);

}  // namespace convoy
