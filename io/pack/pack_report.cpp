// Writes and reads report.jsonl.
#include "io/pack/pack_report.h"

#include <string>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/files/durable.h"
#include "io/files/text_file.h"

namespace convoy {
namespace {

std::filesystem::path report_path(const std::filesystem::path& output) {
  return output / "report.jsonl";
}

}  // namespace

void write_report(const std::filesystem::path& output, const std::vector<PackIssue>& issues) {
  std::string text;
  for (const PackIssue& issue : issues) {
    const nlohmann::ordered_json line{
        {"file", issue.file}, {"left_out", issue.left_out}, {"what", issue.what}};
    // File names need not be UTF-8, JSON must be.
    text += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  write_durably(report_path(output), text);
}

std::vector<PackIssue> read_report(const std::filesystem::path& output) {
  const std::filesystem::path path = report_path(output);
  std::vector<PackIssue> issues;
  for (const TextLine& line : text_lines(read_small_file(path, "the report"))) {
    try {
      const auto object = nlohmann::json::parse(line.text);
      issues.push_back({object.at("file"), object.at("left_out"), object.at("what")});
    } catch (const nlohmann::json::exception&) {
      fail(ExitCode::bad_data, "line {} of {} is damaged", line.number, path.string());
    }
  }
  return issues;
}

}  // namespace convoy
