// `convoy predict`: what a checkpoint's net sees in image files.
#include <algorithm>
#include <ostream>

#include "core/error.h"
#include "dist/infer/predictor.h"
#include "io/dataset/class_list.h"
#include "io/images/captioned_sheet.h"
#include "io/read/square_reader.h"
#include "launcher/checkpoint_command.h"
#include "launcher/commands.h"
#include "launcher/predictions.h"
#include "launcher/table.h"

namespace convoy {
namespace {

class PredictCommand : public CheckpointCommand {
 public:
  PredictCommand()
      : CheckpointCommand(
            {.name = "predict",
             .summary = "the likeliest classes of image files, as table, JSON lines or PNG sheet",
             .synopsis = "convoy predict (--checkpoint FILE | --run.dir DIR) IMAGE|FOLDER... "
                         "[options]",
             .details =
                 "Asks a checkpoint's net about JPEG and PNG files, and all files below folders. "
                 "Images are decoded, resized and cut as pack and eval do it; preprocessing and "
                 "classes come from the checkpoint. Where a file's folder has the name of a "
                 "class, that is taken as the right label. A file that cannot be used gets a line "
                 "that says why, the rest go on, and the exit code is 3.",
             .parallel = true},
            device_keys()) {
    options_.choice("views", predict_.views, std::vector<int>{1, 10},
                    "views of an image: its centre, or 10 (paper, section 4.1)");
    options_.number("batch", predict_.batch, {.low = 1, .high = 4096},
                    "images passed together at most");
    options_.number("threads", predict_.threads, {.low = 0, .high = 4096},
                    "threads that decode and resize; 0: one per core");
    options_.path("classes", classes_path_, "FILE|DATASET",
                  "names and words of the net's outputs, instead of the checkpoint's: a line each");
    options_.flag("json", json_, "print a JSON object a line");
    options_.flag("logits", logits_, "JSON lines carry all logits");
    options_.path("sheet", sheet_, "FILE",
                  "PNG that shows pictures, right labels and five bars each; empty: none");
    options_.number("sheet-images", sheet_images_, {.low = 1, .high = 1024},
                    "pictures in it at most, the first ones");
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments, arguments.size());
    resolve(line);
    if (line.positional.empty()) {
      fail(ExitCode::usage, "predict needs images or folders: {}", info().synopsis);
    }
    if (logits_ && !json_) fail(ExitCode::usage, "--logits are for JSON lines; add --json");
    if (logits_ && predict_.views != 1) {
      fail(ExitCode::usage,
           "--logits are those of one view, and with --views 10 probabilities are averaged; leave "
           "out one of them");
    }
    paths_.assign(line.positional.begin(), line.positional.end());
  }

  void run(World* world, std::ostream& out) override {
    const CheckpointReader checkpoint(checkpoint_path());
    predict_.job = job_of(checkpoint);
    read_classes(checkpoint);
    // Before the rest is named: no folder is right by a name that nobody gave.
    const RightLabels labels(classes_, classes_path_.empty() ? checkpoint.path() : classes_path_);
    name_outputs(classes_, outputs_of(checkpoint, predict_.job));
    predict_.files = list_image_files(paths_);
    require_output("sheet", predict_.files);
    predict(*world, checkpoint, predict_, [&](const Prediction& prediction) {
      const std::optional<std::int32_t> label = labels.of(prediction.file);
      count(prediction, label);
      if (json_) {
        out << prediction_json(prediction, label, classes_, logits_)
                   .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
            << '\n';
      } else {
        out << lines_of(prediction, label);
      }
      if (!sheet_.empty()) show(prediction, label);
    });
    if (!json_) out << summary();
    if (!pictures_.empty()) {
      const std::int64_t size = checkpoint.info().image_size;
      write_captioned_sheet(sheet_, pictures_, size, sheet_columns(pictures_, size));
    }
    out.flush();
    if (damaged_ > 0) {
      fail(ExitCode::bad_data, "{} of {} files could not be used, as said above", damaged_,
           predict_.files.size());
    }
  }

 private:
  void read_classes(const CheckpointReader& checkpoint) {
    classes_ = checkpoint.info().classes;
    if (classes_path_.empty()) return;
    std::vector<ClassInfo> given = read_class_list(classes_path_);
    const std::int64_t outputs = outputs_of(checkpoint, predict_.job);
    if (std::ssize(given) != outputs) {
      fail(ExitCode::bad_data, "{} names {} classes, and the net of {} has {} outputs",
           classes_path_.string(), given.size(), checkpoint.path().string(), outputs);
    }
    classes_ = std::move(given);
  }

  [[nodiscard]] const ClassInfo& class_of(std::int32_t label) const {
    return classes_[static_cast<std::size_t>(label)];
  }

  void count(const Prediction& prediction, std::optional<std::int32_t> label) {
    if (!prediction.error.empty()) {
      ++damaged_;
      return;
    }
    ++predicted_;
    if (!label) return;
    ++labelled_;
    const std::vector<std::int32_t> top = top_classes(prediction.probabilities);
    top1_ += top.front() == *label ? 1 : 0;
    top5_ += std::ranges::find(top, *label) != top.end() ? 1 : 0;
  }

  [[nodiscard]] std::string lines_of(const Prediction& prediction,
                                     std::optional<std::int32_t> label) const {
    const std::string name = prediction.file.string();
    if (!prediction.error.empty()) return fmt::format("{} {}\n\n", name, prediction.error);
    std::string text = name;
    if (label) text += fmt::format(", which is {}", class_text(class_of(*label)));
    for (const std::string& note : prediction.notes) text += fmt::format(" ({})", note);
    text += '\n';
    for (const std::int32_t c : top_classes(prediction.probabilities)) {
      text += fmt::format("  {:>8} {} {}\n",
                          percent(prediction.probabilities[static_cast<std::size_t>(c)]),
                          label == c ? '*' : ' ', class_text(class_of(c)));
    }
    return text + '\n';
  }

  [[nodiscard]] std::string summary() const {
    std::string text =
        fmt::format("{} image{}, {} view{} each", thousands(predicted_), predicted_ == 1 ? "" : "s",
                    predict_.views, predict_.views == 1 ? "" : "s");
    if (labelled_ > 0) {
      const auto n = static_cast<double>(labelled_);
      text += fmt::format("; of {} with a right label (*): top-1 {}, top-5 {}",
                          thousands(labelled_), percent(static_cast<double>(top1_) / n),
                          percent(static_cast<double>(top5_) / n));
    }
    return text + '\n';
  }

  void show(const Prediction& prediction, std::optional<std::int32_t> label) {
    if (!prediction.error.empty() || std::ssize(pictures_) >= sheet_images_) return;
    CaptionedPicture& picture = pictures_.emplace_back();
    picture.pixels.assign(prediction.square.begin(), prediction.square.end());
    const auto short_name = [&](std::int32_t c) {
      return class_of(c).words.empty() ? class_of(c).name : class_of(c).words;
    };
    picture.lines.push_back(label ? short_name(*label) : prediction.file.filename().string());
    for (const std::int32_t c : top_classes(prediction.probabilities)) {
      picture.bars.push_back(
          {short_name(c), prediction.probabilities[static_cast<std::size_t>(c)], label == c});
    }
  }

  PredictOptions predict_;
  std::vector<std::filesystem::path> paths_;
  std::filesystem::path classes_path_;
  std::vector<ClassInfo> classes_;
  bool json_ = false;
  bool logits_ = false;
  std::filesystem::path sheet_;
  std::int64_t sheet_images_ = 64;
  std::vector<CaptionedPicture> pictures_;
  std::int64_t predicted_ = 0;
  std::int64_t damaged_ = 0;
  std::int64_t labelled_ = 0;
  std::int64_t top1_ = 0;
  std::int64_t top5_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_predict() { return std::make_unique<PredictCommand>(); }

}  // namespace convoy
