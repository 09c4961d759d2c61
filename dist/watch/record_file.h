// Reads the records of collectives that a run left behind, or that it writes at this moment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dist/watch/record_image.h"

namespace convoy {

class RecordFile {
 public:
  // Throws Error(bad_data) for a file that is no record, is cut or damaged, or is of another
  // version.
  explicit RecordFile(const std::filesystem::path& path);

  // Checked: its numbers lie within bounds, and texts are printable.
  [[nodiscard]] const record::Image& image() const { return *image_; }
  // The process still runs, on this host. False also where it ran on another.
  [[nodiscard]] bool process_lives() const;

 private:
  std::unique_ptr<record::Image> image_;
};

struct RecordSet {
  std::vector<RecordFile> ranks;      // of the newest job, by rank
  std::vector<std::string> problems;  // a sentence for each file that could not be used
};
// All records of a folder.
[[nodiscard]] RecordSet read_records(const std::filesystem::path& folder);

}  // namespace convoy
