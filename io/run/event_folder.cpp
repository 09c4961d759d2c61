// Makes events and appends them.
#include "io/run/event_folder.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

#include <tensorboard.pb.h>

#include "core/error.h"
#include "io/files/durable.h"
#include "io/images/write_png.h"
#include "io/run/event_names.h"
#include "io/run/record_file.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
namespace board = tensorboard;

using Time = std::chrono::system_clock::time_point;

double seconds(Time time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

board::Event event_at(std::int64_t step, Time made_at) {
  board::Event event;
  event.set_wall_time(seconds(made_at));
  event.set_step(step);
  return event;
}

void add(board::Event& event, const std::string& tag, double number) {
  board::Summary::Value& value = *event.mutable_summary()->add_value();
  value.set_tag(tag);
  value.set_simple_value(static_cast<float>(number));
}

// Bins that hold values are buckets; neighbouring ones between them that hold none are one.
void fill(board::HistogramProto& to, const Histogram& from) {
  to.set_num(static_cast<double>(from.values()));
  to.set_min(std::isfinite(from.least) ? static_cast<double>(from.least) : 0);
  to.set_max(std::isfinite(from.most) ? static_cast<double>(from.most) : 0);
  to.set_sum(from.sum);
  to.set_sum_squares(from.squares);
  for (std::size_t bin = 0; bin < Histogram::kBins; ++bin) {
    if (from.counts[bin] == 0) continue;
    const bool gap = to.bucket_size() > 0 && *to.bucket_limit().rbegin() < lower_edge(bin);
    if (gap) {
      to.add_bucket_limit(lower_edge(bin));
      to.add_bucket(0);
    }
    to.add_bucket_limit(lower_edge(bin + 1));
    to.add_bucket(static_cast<double>(from.counts[bin]));
  }
}

}  // namespace

EventFolder::EventFolder(fs::path folder, std::int64_t step)
    : folder_(std::move(folder)), first_step_(step) {}

void EventFolder::write(const TrainMetrics& metrics) {
  board::Event event = event_at(metrics.step, made_at_);
  add(event, "loss/train", metrics.loss);
  add(event, "top1/train", metrics.top1);
  add(event, "top5/train", metrics.top5);
  add(event, "training/epoch", static_cast<double>(metrics.epoch));
  add(event, "training/lr", metrics.lr);
  add(event, "training/images_per_second", metrics.images_per_second);
  add(event, "training/comm_bytes", static_cast<double>(metrics.comm_bytes));
  add(event, "ms/step", metrics.ms.step);
  add(event, "ms/data_wait", metrics.ms.data_wait);
  add(event, "ms/forward", metrics.ms.forward);
  add(event, "ms/backward", metrics.ms.backward);
  add(event, "ms/comm_exposed", metrics.ms.comm_exposed);
  add(event, "ms/update", metrics.ms.update);
  record(event.SerializeAsString());
}

void EventFolder::write(const EvalMetrics& metrics) {
  board::Event event = event_at(metrics.step, made_at_);
  add(event, kEvaluationTag, metrics.loss);
  add(event, "top1/eval", metrics.top1);
  add(event, "top5/eval", metrics.top5);
  add(event, "validation/epoch", static_cast<double>(metrics.epoch));
  add(event, "validation/views", metrics.views);
  add(event, "validation/images", static_cast<double>(metrics.images));
  record(event.SerializeAsString());
}

void EventFolder::write(std::int64_t step, const std::vector<TaggedHistogram>& histograms) {
  board::Event event = event_at(step, made_at_);
  for (const TaggedHistogram& one : histograms) {
    board::Summary::Value& value = *event.mutable_summary()->add_value();
    value.set_tag(one.tag);
    fill(*value.mutable_histo(), one.histogram);
  }
  record(event.SerializeAsString());
}

void EventFolder::write(std::int64_t step, const std::vector<TaggedPicture>& pictures) {
  constexpr std::int32_t rgb = 3;
  board::Event event = event_at(step, made_at_);
  for (const TaggedPicture& picture : pictures) {
    board::Summary::Value& value = *event.mutable_summary()->add_value();
    value.set_tag(picture.tag);
    board::Image& image = *value.mutable_image();
    image.set_height(static_cast<std::int32_t>(picture.height));
    image.set_width(static_cast<std::int32_t>(picture.width));
    image.set_colorspace(rgb);
    image.set_encoded_image_string(
        encode_png(picture.tag, picture.pixels, picture.height, picture.width));
  }
  record(event.SerializeAsString());
}

void EventFolder::write_config(std::int64_t step, const std::string& text) {
  constexpr std::int32_t string_type = 7;
  constexpr std::int32_t tensor_class = 2;
  board::Event event = event_at(step, made_at_);
  board::Summary::Value& value = *event.mutable_summary()->add_value();
  value.set_tag(kConfigTag);
  value.mutable_metadata()->mutable_plugin_data()->set_plugin_name("text");
  value.mutable_metadata()->set_data_class(tensor_class);
  value.mutable_tensor()->set_dtype(string_type);
  value.mutable_tensor()->mutable_tensor_shape()->add_dim()->set_size(1);
  value.mutable_tensor()->add_string_val("```\n" + text + "```\n");  // Markdown
  record(event.SerializeAsString());
}

// TensorBoard reads files in the order of their names, whatever the clock says.
void EventFolder::open() {
  create_folders(folder_);
  std::int64_t number = std::chrono::duration_cast<std::chrono::seconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  for (const fs::path& earlier : event_files(folder_))
    number = std::max(number, event_file_number(earlier) + 1);
  path_ = folder_ / event_file_name(number);
  errno = 0;
  out_.open(path_, std::ios::binary);
  if (!out_) fail(ExitCode::resource, "cannot open {}: {}", path_.string(), std::strerror(errno));
  board::Event version;
  version.set_wall_time(seconds(made_at_));
  version.set_file_version("brain.Event:2");
  record(version.SerializeAsString());
  // A reader that has seen events which were cut since forgets them at this.
  constexpr std::int32_t start_of_session = 1;
  board::Event start = event_at(first_step_ + 1, made_at_);
  start.mutable_session_log()->set_status(start_of_session);
  record(start.SerializeAsString());
}

void EventFolder::record(const std::string& event) {
  if (path_.empty()) open();
  errno = 0;
  out_ << framed(event) << std::flush;
  if (!out_)
    fail(ExitCode::resource, "cannot write to {}: {}", path_.string(), std::strerror(errno));
}

}  // namespace convoy
