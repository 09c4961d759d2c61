// Precedence of defaults, recipe, file and command line.
#include "launcher/options.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/net/spec.h"
#include "core/recipe.h"

namespace convoy {
namespace {

constexpr std::string_view kPaper = "paper";

std::vector<Assignment> only(const std::vector<Assignment>& assignments, std::string_view key) {
  std::vector<Assignment> chosen;
  std::copy_if(assignments.begin(), assignments.end(), std::back_inserter(chosen),
               [&](const Assignment& assignment) { return assignment.key == key; });
  return chosen;
}

bool sets(const std::vector<Assignment>& assignments, std::string_view key) {
  return std::ranges::any_of(assignments, [&](const Assignment& a) { return a.key == key; });
}

// With a description, the options that shape AlexNet have nothing to say.
bool shapes_alexnet(const std::string& key) {
  return key.starts_with("model.") && key != "model.net" && key != "model.classes";
}

void refuse_shapes(const std::vector<Assignment>& assignments, const Origin& origin) {
  for (const Assignment& assignment : assignments) {
    if (shapes_alexnet(assignment.key))
      fail(ExitCode::usage,
           "{}{}{} shapes AlexNet, but model.net describes the whole net; leave one of them out, "
           "or change a copy of the net's file",
           origin.prefix, origin.dashes, assignment.key);
  }
}

}  // namespace

void require_one_net(JobOptions& job, const std::vector<Assignment>& file,
                     const Origin& file_origin, const std::vector<Assignment>& line,
                     const Origin& line_origin) {
  if (job.model.net.empty()) return;
  refuse_shapes(file, file_origin);
  refuse_shapes(line, line_origin);
  job.model.input = build_net(job.model).input.h;
}

void apply_recipe(JobOptions& job, const std::string& name) {
  const Recipe& recipe = find_recipe(name);
  job.recipe = recipe.name;
  job.model = recipe.model;
  job.solver = recipe.solver;
  job.preprocess = recipe.preprocess;
  job.run.epochs = recipe.epochs;
}

std::string recipe_warning(const JobOptions& job, const std::vector<Assignment>& file,
                           const std::string& file_name, const std::vector<Assignment>& line) {
  if (!sets(line, "recipe")) return {};
  JobOptions here = job;
  JobOptions plain = job;
  apply_recipe(plain, job.recipe);
  const OptionTable here_table = job_table(here);
  const OptionTable plain_table = job_table(plain);
  std::string keys;
  for (const Assignment& a : file) {
    if (a.key == "recipe" || sets(line, a.key)) continue;
    if (here_table.value(a.key) == plain_table.value(a.key)) continue;
    keys += (keys.empty() ? "" : ", ") + a.key;
  }
  if (keys.empty()) return {};
  return fmt::format("{} sets values otherwise than recipe {}, and they stay as the file says: {}",
                     file_name, job.recipe, keys);
}

std::string render_job(const JobOptions& job) {
  JobOptions copy = job;
  const OptionTable table = job_table(copy);
  if (job.model.net.empty()) return render_ini(table);
  OptionTable described;
  std::vector<std::string> keys = table.keys();
  std::erase_if(keys, shapes_alexnet);
  described.add(table, keys);
  return render_ini(described);
}

void resolve_job(JobOptions& job, std::vector<Assignment> file, const Origin& file_origin,
                 const std::vector<Assignment>& line, const Origin& line_origin) {
  // A net that the command line replaces is not looked for: its file may be elsewhere by now.
  if (sets(line, "model.net"))
    std::erase_if(file, [](const Assignment& a) { return a.key == "model.net"; });
  const OptionTable table = job_table(job);
  assign(table, only(file, "recipe"), file_origin);
  assign(table, only(line, "recipe"), line_origin);
  const std::string recipe = job.recipe;
  apply_recipe(job, recipe);
  assign(table, file, file_origin);
  assign(table, line, line_origin);
  require_one_net(job, file, file_origin, line, line_origin);
  job.recipe = recipe;  // the file's own line came after the command line's
  job.render = render_job;
}

JobOptions parse_job(const std::string& ini, const std::string& name) {
  JobOptions job;
  const Origin origin = file_origin(name);
  resolve_job(job, parse_ini(ini, job_table(job), origin), origin, {}, origin);
  return job;
}

JobOptions job_of(const CheckpointReader& checkpoint, const std::filesystem::path& path) {
  JobOptions job;
  try {
    job = parse_job(checkpoint.info().config, path.string() + ", its configuration");
  } catch (const Error& error) {
    throw Error(ExitCode::bad_checkpoint, error.what());
  }
  if (job.model.classes == 0) job.model.classes = std::ssize(checkpoint.info().classes);
  return job;
}

std::vector<Difference> differences_from_paper(const JobOptions& job) {
  JobOptions here = job;
  JobOptions paper = job;
  apply_recipe(paper, std::string(kPaper));
  const OptionTable here_table = job_table(here);
  const OptionTable paper_table = job_table(paper);
  std::vector<Difference> differences;
  for (const Option& option : here_table.options()) {
    const std::string there = paper_table.value(option.key);
    const bool counts = job.model.net.empty() || !shapes_alexnet(option.key);
    if (option.key != "recipe" && counts && option.get() != there) {
      differences.push_back({option.key, option.get(), there});
    }
  }
  return differences;
}

}  // namespace convoy
