// Cuts event files where a run resumes. Events stand in the order of their steps, and those of one
// step in the order in which they were made, so what goes is the end of a file.
#include <string>
#include <system_error>

#include <tensorboard.pb.h>

#include "core/error.h"
#include "io/run/event_folder.h"
#include "io/run/event_names.h"
#include "io/run/record_file.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

bool stays(const tensorboard::Event& event, std::int64_t step) {
  if (event.summary().value_size() == 0) return true;  // the head of a file
  const std::string& tag = event.summary().value(0).tag();
  const bool made_again = tag == kEvaluationTag || tag == kConfigTag;
  return made_again ? event.step() < step : event.step() <= step;
}

struct Kept {
  std::uint64_t bytes = 0;
  bool anything = false;  // beside the head
};

Kept kept_of(const fs::path& file, std::int64_t step) {
  Kept kept;
  RecordReader reader(file);
  for (std::string record; reader.next(record); kept.bytes = reader.end()) {
    tensorboard::Event event;
    if (!event.ParseFromString(record) || !stays(event, step)) break;
    kept.anything = kept.anything || event.has_summary();
  }
  return kept;
}

}  // namespace

void cut_events(const fs::path& folder, std::int64_t step) {
  for (const fs::path& file : event_files(folder)) {
    const Kept kept = kept_of(file, step);
    std::error_code error;
    if (!kept.anything)
      fs::remove(file, error);
    else if (fs::file_size(file) != kept.bytes)
      fs::resize_file(file, kept.bytes, error);
    if (error) fail(ExitCode::resource, "cannot cut {}: {}", file.string(), error.message());
  }
}

}  // namespace convoy
