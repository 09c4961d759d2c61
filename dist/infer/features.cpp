// Evaluates a dataset batch by batch, and keeps features instead of sums.
#include "dist/infer/features.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "io/read/batch_plan.h"
#include "io/read/reader.h"
#include "io/run/progress.h"

namespace convoy {

void write_features(Predictor& predictor, const Dataset& dataset, const DataOptions& data,
                    const FeatureOrigin& origin, const std::filesystem::path& path) {
  const std::int64_t size = predictor.image_size();
  if (dataset.image_size() != size) {
    fail(ExitCode::bad_data,
         "{} holds images of {} x {} pixels, and the net was trained on images of {} x {}; pack it "
         "with --size {}",
         dataset.folder().string(), dataset.image_size(), dataset.image_size(), size, size, size);
  }
  Session& session = predictor.session();
  const std::int64_t batch = predictor.images();
  const EvalPlan plan(dataset, session.net().input.h, 1, batch, {0, batch});
  Reader reader(dataset, plan, session.reader_options(dataset, data));
  FeatureWriter writer(path, origin, dataset.size(), predictor.features());
  Progress progress("features", "images", dataset.size());
  std::vector<float> rows;
  for (std::int64_t begin = 0; begin < dataset.size(); begin += batch) {
    predictor.run(reader.next());
    const std::int64_t end = std::min(dataset.size(), begin + batch);
    rows.clear();
    for (std::int64_t place = 0; place < end - begin; ++place) {
      const auto row = predictor.hidden(place);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    writer.write({begin, end}, rows.data());
    progress.update(end);
  }
  writer.finish();
}

}  // namespace convoy
