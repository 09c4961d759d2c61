// Fills batches with what threads have read, and tells of files in order.
#include "dist/infer/predict.h"

#include <algorithm>
#include <utility>

#include "dist/infer/predictor.h"
#include "io/read/square_reader.h"

namespace convoy {
namespace {

// A file of the batch that is being filled.
struct Read {
  std::size_t file = 0;
  std::int64_t place = 0;  // in the batch
  std::vector<std::uint8_t> square;
  std::vector<std::string> notes;
  std::string error;
};

// As many in each batch as need be, so that the last one is not mostly empty.
std::int64_t even_batch(std::int64_t files, std::int64_t most) {
  const std::int64_t batches = std::max<std::int64_t>(1, (files + most - 1) / most);
  return std::max<std::int64_t>(1, (files + batches - 1) / batches);
}

}  // namespace

void predict(World& world, const CheckpointReader& checkpoint, const PredictOptions& options,
             const std::function<void(const Prediction&)>& each) {
  const auto files = static_cast<std::int64_t>(options.files.size());
  const std::int64_t batch = even_batch(files, options.batch);
  // First: it reads while weights are loaded.
  SquareReader reader(options.files, checkpoint.info().image_size,
                      options.threads > 0 ? options.threads : usable_cores(),
                      static_cast<int>(2 * batch));
  Predictor predictor(world, checkpoint, options.job, batch, options.views);

  std::vector<Read> waiting;
  std::int64_t filled = 0;
  for (std::int64_t file = 0; file < files; ++file) {
    const ReadSquare read = reader.next();
    Read& one = waiting.emplace_back();
    one.file = static_cast<std::size_t>(file);
    one.place = filled;
    one.error = read.error;
    if (read.error.empty()) {
      one.square.assign(read.pixels.begin(), read.pixels.end());
      one.notes.assign(read.notes.begin(), read.notes.end());
      predictor.place(filled++, read.pixels);
    }
    if (filled < batch && file + 1 < files) continue;
    if (filled > 0) predictor.run();
    for (const Read& done : waiting) {
      Prediction prediction{options.files[done.file], done.error, done.notes, done.square, {}, {}};
      if (done.error.empty()) {
        prediction.probabilities = predictor.probabilities(done.place);
        prediction.logits = predictor.logits(done.place);
      }
      each(prediction);
    }
    waiting.clear();
    filled = 0;
  }
}

}  // namespace convoy
