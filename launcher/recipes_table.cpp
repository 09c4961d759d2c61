// Rows are the options of the job's table; columns are padded, so that the text reads as it is.
#include "launcher/recipes_table.h"

#include <algorithm>
#include <vector>

#include "core/net/spec.h"
#include "core/recipe.h"
#include "launcher/options.h"
#include "launcher/table.h"

namespace convoy {
namespace {

using Row = std::vector<std::string>;

std::string markdown(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 3);
  for (const Row& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < widths.size(); ++c)
      text += fmt::format("| {:<{}} ", rows[r][c], widths[c]);
    text += "|\n";
    if (r > 0) continue;
    for (const std::size_t width : widths) text += '|' + std::string(width + 2, '-');
    text += "|\n";
  }
  return text;
}

}  // namespace

std::string recipes_table() {
  std::vector<JobOptions> jobs;
  Row head{"option"};
  Row parameters{"parameters"};
  for (const Recipe& recipe : recipes()) {
    jobs.emplace_back();
    apply_recipe(jobs.back(), recipe.name);
    head.push_back(recipe.name);
    parameters.push_back(thousands(build_alexnet(recipe.model).parameters()));
  }
  std::vector<OptionTable> tables;
  for (JobOptions& job : jobs) tables.push_back(job_table(job));
  std::vector<Row> rows{head};
  for (const std::string& key : tables.front().keys()) {
    Row row{key};
    for (const OptionTable& table : tables) {
      const std::string value = table.value(key);
      row.push_back(value.empty() ? "(empty)" : value);
    }
    const bool alike = std::all_of(row.begin() + 1, row.end(),
                                   [&](const std::string& value) { return value == row[1]; });
    if (key != "recipe" && !alike) rows.push_back(row);
  }
  rows.push_back(parameters);
  return markdown(rows);
}

}  // namespace convoy
