// `convoy show nearest`: the training images that a net finds most like given ones.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <ostream>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "core/error.h"
#include "dist/infer/features.h"
#include "dist/infer/nearest_search.h"
#include "dist/train/dataset_options.h"
#include "io/files/temporary_folder.h"
#include "io/images/captioned_sheet.h"
#include "io/read/square_reader.h"
#include "launcher/checkpoint_command.h"
#include "launcher/commands.h"
#include "launcher/report_files.h"
#include "launcher/table.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBatch = 64;  // images passed together

std::vector<std::string> nearest_keys() {
  std::vector<std::string> keys{"data.threads", "data.verify", "data.read"};
  for (std::string& key : device_keys()) keys.push_back(std::move(key));
  return keys;
}

class ShowNearestCommand : public CheckpointCommand {
 public:
  ShowNearestCommand()
      : CheckpointCommand(
            {.name = "show nearest",
             .summary = "the training images most like given ones (paper, figure 4)",
             .synopsis = "convoy show nearest (--checkpoint FILE | --run.dir DIR) IMAGE|FOLDER... "
                         "[--data DIR] [--output FILE] [options]",
             .details =
                 "Lists for each image those of a dataset whose activations in the last hidden "
                 "layer lie nearest, by Euclidean distance. These features of the dataset are "
                 "computed once and kept; they are computed anew when the weights or the dataset "
                 "change.",
             .parallel = true},
            nearest_keys()) {
    options_.path("data", data_, "DIR",
                  "packed dataset to search; empty: the data.train of the checkpoint's run");
    options_.number("count", count_, {.low = 1, .high = 100}, "images listed for each");
    options_.path("features", features_, "FILE",
                  "file that keeps the dataset's features; empty: features.h5 in the run "
                  "directory, with --checkpoint none");
    options_.path("output", output_, "FILE", "PNG with a row for each image; empty: none");
  }

  void parse(const std::vector<std::string>& arguments) override {
    const CommandLine line = read(arguments, arguments.size());
    resolve(line);
    if (line.positional.empty()) {
      fail(ExitCode::usage, "show nearest needs images or folders: {}", info().synopsis);
    }
    paths_.assign(line.positional.begin(), line.positional.end());
    require_output("output", paths_);
    convoy::require_output(features_, {});  // what is there and no file of features, is refused
  }

  void run(World* world, std::ostream& out) override {
    const CheckpointReader checkpoint(checkpoint_path());
    const JobOptions job = job_of(checkpoint);
    const Dataset dataset = open_dataset(data_.empty() ? job.data.train : data_, given().data);
    Predictor predictor(*world, checkpoint, job, kBatch, 1);
    const FeatureReader features = features_of(predictor, checkpoint, dataset, out);
    read_queries(predictor, out);
    if (queries_.empty()) fail(ExitCode::bad_data, "none of the {} files could be used", damaged_);

    const auto start = std::chrono::steady_clock::now();
    const auto nearest = nearest_rows(features, query_features_, count_, usable_cores());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    out << table_of(nearest, dataset)
        << fmt::format("{} images searched for {} in {:.2f} s\n", thousands(features.images()),
                       queries_.size(), took.count());
    if (!output_.empty()) write_sheet(nearest, dataset);
    out.flush();
    if (damaged_ > 0) {
      fail(ExitCode::bad_data, "{} of {} files could not be used, as said above", damaged_,
           damaged_ + std::ssize(queries_));
    }
  }

 private:
  struct Query {
    std::string name;
    std::vector<std::uint8_t> square;
  };

  FeatureReader features_of(Predictor& predictor, const CheckpointReader& checkpoint,
                            const Dataset& dataset, std::ostream& out) {
    const FeatureOrigin origin{weights_fingerprint(checkpoint), dataset.fingerprint()};
    fs::path path = features_;
    if (path.empty() && !given().run.dir.empty()) path = given().run.dir / "features.h5";
    std::error_code missing;
    const bool outdated = !path.empty() && fs::exists(path, missing);
    if (outdated) {
      FeatureReader kept(path);  // refuses any other file, which must not be overwritten
      if (kept.origin() == origin && kept.images() == dataset.size() &&
          kept.values() == predictor.features())
        return kept;
    }
    if (path.empty()) {
      out << "the dataset's features are not kept; --features FILE would\n";
    } else if (features_.empty() && ::access(given().run.dir.c_str(), W_OK) != 0) {
      spdlog::warn(
          "the dataset's features are not kept, for {} cannot be written ({}); --features FILE "
          "keeps them elsewhere",
          given().run.dir.string(), std::strerror(errno));
    } else {
      if (outdated) {
        out << fmt::format("{} was made from other weights or another dataset; it is made anew\n",
                           path.string());
      }
      write_features(predictor, dataset, given().data, origin, path);
      out << fmt::format("{} keeps {} features of each of {} images\n", path.string(),
                         predictor.features(), thousands(dataset.size()));
      return FeatureReader(path);
    }
    const TemporaryFolder folder;
    path = folder.path() / "features.h5";
    write_features(predictor, dataset, given().data, origin, path);
    return FeatureReader(path);  // the file lives as long as it is open
  }

  void read_queries(Predictor& predictor, std::ostream& out) {
    const std::vector<fs::path> files = list_image_files(paths_);
    SquareReader reader(files, predictor.image_size(), usable_cores(), 2 * kBatch);
    std::int64_t filled = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
      const ReadSquare read = reader.next();
      if (read.error.empty()) {
        queries_.push_back({files[i].string(), {read.pixels.begin(), read.pixels.end()}});
        predictor.place(filled++, read.pixels);
      } else {
        ++damaged_;
        out << fmt::format("{} {}\n", files[i].string(), read.error);
      }
      if (filled < kBatch && i + 1 < files.size()) continue;
      if (filled > 0) predictor.run();
      for (std::int64_t place = 0; place < filled; ++place) {
        const auto row = predictor.hidden(place);
        query_features_.insert(query_features_.end(), row.begin(), row.end());
      }
      filled = 0;
    }
  }

  [[nodiscard]] static const ClassInfo& class_of(const Dataset& dataset, std::int64_t sample) {
    return dataset.classes()[static_cast<std::size_t>(dataset.label(sample))];
  }

  [[nodiscard]] std::string table_of(const std::vector<std::vector<Neighbour>>& nearest,
                                     const Dataset& dataset) const {
    TextTable table({{"image", Align::left},
                     {"distance"},
                     {"class", Align::left},
                     {"words", Align::left},
                     {"in", Align::left},
                     {"at"}});
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      for (std::size_t i = 0; i < nearest[q].size(); ++i) {
        const Neighbour& one = nearest[q][i];
        const ImageSource source = dataset.source(one.row);
        const ClassInfo& info = class_of(dataset, one.row);
        table.row({i == 0 ? queries_[q].name : "", fmt::format("{:.4g}", one.distance), info.name,
                   info.words, source.shard, fmt::format("{}", source.row)});
      }
    }
    return table.text();
  }

  void write_sheet(const std::vector<std::vector<Neighbour>>& nearest,
                   const Dataset& dataset) const {
    const std::int64_t size = dataset.image_size();
    std::vector<CaptionedPicture> pictures;
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      pictures.push_back(
          {queries_[q].square, {fs::path(queries_[q].name).filename().string(), "nearest:"}, {}});
      for (const Neighbour& one : nearest[q]) {
        CaptionedPicture& picture = pictures.emplace_back();
        picture.pixels.resize(static_cast<std::size_t>(size * size * 3));
        dataset.read_crop(one.row, 0, 0, size, picture.pixels.data());
        const ClassInfo& info = class_of(dataset, one.row);
        picture.lines = {info.words.empty() ? info.name : info.words,
                         fmt::format("at {:.4g}", one.distance)};
      }
    }
    write_captioned_sheet(output_, pictures, size, 1 + std::ssize(nearest.front()));
  }

  fs::path data_;
  fs::path features_;
  fs::path output_;
  std::int64_t count_ = 6;
  std::vector<fs::path> paths_;
  std::vector<Query> queries_;
  std::vector<float> query_features_;  // [queries, D]
  std::int64_t damaged_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_show_nearest() { return std::make_unique<ShowNearestCommand>(); }

}  // namespace convoy
