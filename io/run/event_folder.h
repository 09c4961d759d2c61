// TensorBoard's event files of a run: metrics, histograms, pictures and text.
//
// Tags: metrics are loss|top1|top5/train|eval, ms/step, ms/data_wait, ..., training/lr|epoch|
// images_per_second|comm_bytes and validation/epoch|views|images; TensorBoard shows the first
// groups of the alphabet opened.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/run/histogram.h"
#include "io/run/metrics.h"

namespace convoy {

struct TaggedHistogram {
  std::string tag;
  Histogram histogram;
};

struct TaggedPicture {
  std::string tag;
  const std::uint8_t* pixels = nullptr;  // [height, width, 3] RGB
  std::int64_t height = 0;
  std::int64_t width = 0;
};

// Writes a file of its own, which is made with the first event and sorts behind those of earlier
// processes. Every call is one event, flushed; it throws Error(resource) where the file cannot be
// written. Numbers are single precision, as TensorBoard reads them.
class EventFolder {
 public:
  // The process goes on after `step` steps.
  EventFolder(std::filesystem::path folder, std::int64_t step);
  // When the events that follow were made, which may be before they are written; at first, when
  // this was constructed.
  void made_at(std::chrono::system_clock::time_point time) { made_at_ = time; }
  void write(const TrainMetrics& metrics);
  void write(const EvalMetrics& metrics);
  void write(std::int64_t step, const std::vector<TaggedHistogram>& histograms);
  void write(std::int64_t step, const std::vector<TaggedPicture>& pictures);
  // What stands at the beginning of every process of a run: preformatted text.
  void write_config(std::int64_t step, const std::string& text);

 private:
  void open();
  void record(const std::string& event);
  std::chrono::system_clock::time_point made_at_ = std::chrono::system_clock::now();
  std::filesystem::path folder_;
  std::int64_t first_step_;
  std::filesystem::path path_;  // of the file, once there is one
  std::ofstream out_;
};

// Before a run resumes after `step` finished steps: cuts the events off that come after its
// checkpoint, as cut_metrics() does, and what a crash left of one; at step 0, all of them. Nothing
// where the folder is missing. Throws Error(resource).
void cut_events(const std::filesystem::path& folder, std::int64_t step);

}  // namespace convoy
