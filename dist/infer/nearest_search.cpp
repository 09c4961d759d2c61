// Passes blocks of rows as the weights of a fully connected layer, whose biases are -|f|^2 / 2.
#include "dist/infer/nearest_search.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/ops/operations.h"

namespace convoy {
namespace {

constexpr std::int64_t kBlockFloats = std::int64_t{4} << 20;  // of features at a time
constexpr std::int64_t kSpare = 16;  // candidates beyond those asked for, for rounding's sake

// The best scores of a query so far.
class Candidates {
 public:
  explicit Candidates(std::int64_t most) : most_(static_cast<std::size_t>(most)) {}

  void offer(std::int64_t row, float score) {
    if (best_.size() == most_ && score <= best_.front().score) return;
    if (best_.size() == most_) {
      std::ranges::pop_heap(best_, std::greater{}, &One::score);
      best_.pop_back();
    }
    best_.push_back({row, score});
    std::ranges::push_heap(best_, std::greater{}, &One::score);
  }
  [[nodiscard]] std::vector<std::int64_t> rows() const {
    std::vector<std::int64_t> rows;
    for (const One& one : best_) rows.push_back(one.row);
    return rows;
  }

 private:
  struct One {
    std::int64_t row = 0;
    float score = 0;
  };
  std::size_t most_;
  std::vector<One> best_;  // a heap, the worst in front
};

// Scores [Q, block] of blocks of rows.
class Scores {
 public:
  Scores(Device& device, std::span<const float> queries, std::int64_t values,
         std::int64_t block_rows)
      : device_(device),
        stream_(device.make_stream()),
        queries_(std::ssize(queries) / values),
        values_(values),
        x_(device.allocate(queries.size_bytes())),
        w_(device.allocate(static_cast<std::size_t>(block_rows * values) * sizeof(float))),
        b_(device.allocate(static_cast<std::size_t>(block_rows) * sizeof(float))),
        y_(device.allocate(static_cast<std::size_t>(block_rows * queries_) * sizeof(float))) {
    device.copy_to_device(x_.data(), queries.data(), x_.bytes(), *stream_);
    stream_->synchronize();
  }

  // features [rows, D] and their biases to scores [Q, rows].
  void compute(std::int64_t rows, const float* features, const float* biases, float* scores) {
    if (rows != rows_) prepare(rows);
    const auto bytes = [](std::int64_t floats) {
      return static_cast<std::size_t>(floats) * sizeof(float);
    };
    void* const w = device_.host_addressable() ? const_cast<float*>(features) : w_.data();
    if (w == w_.data()) device_.copy_to_device(w, features, bytes(rows * values_), *stream_);
    device_.copy_to_device(b_.data(), biases, bytes(rows), *stream_);
    layer_->forward({*stream_, workspace_.data()}, {x_.data(), {queries_, 1, 1, values_}},
                    {w, {rows, 1, 1, values_}}, {b_.data(), {rows, 1, 1, 1}},
                    {y_.data(), {queries_, 1, 1, rows}});
    device_.copy_to_host(scores, y_.data(), bytes(rows * queries_), *stream_);
    stream_->synchronize();
  }

 private:
  void prepare(std::int64_t rows) {
    rows_ = rows;
    layer_ = device_.operations().fully_connected({.images = queries_, .in = values_, .out = rows});
    workspace_ = device_.allocate(layer_->workspace_bytes());
  }

  Device& device_;
  std::unique_ptr<Stream> stream_;
  std::int64_t queries_;
  std::int64_t values_;
  Buffer x_;
  Buffer w_;
  Buffer b_;
  Buffer y_;
  Buffer workspace_;
  std::int64_t rows_ = 0;
  std::unique_ptr<FullyConnectedOp> layer_;
};

double exact_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

}  // namespace

std::vector<std::vector<Neighbour>> nearest_rows(Device& device, const FeatureReader& features,
                                                 std::span<const float> queries,
                                                 std::int64_t count) {
  const std::int64_t values = features.values();
  const std::int64_t images = features.images();
  const std::int64_t number = std::ssize(queries) / values;
  const std::int64_t block = std::clamp<std::int64_t>(kBlockFloats / values, 1, images);
  std::vector<Candidates> candidates(static_cast<std::size_t>(number), Candidates(count + kSpare));

  std::vector<float> rows(static_cast<std::size_t>(block * values));
  std::vector<float> scores(static_cast<std::size_t>(block * number));
  std::vector<float> biases;
  for (const float half : features.half_squares()) biases.push_back(-half);
  Scores of(device, queries, values, block);
  for (std::int64_t begin = 0; begin < images; begin += block) {
    const std::int64_t size = std::min(block, images - begin);
    features.read({begin, begin + size}, rows.data());
    of.compute(size, rows.data(), biases.data() + begin, scores.data());
    for (std::int64_t q = 0; q < number; ++q) {
      const float* const row_scores = scores.data() + q * size;
      for (std::int64_t i = 0; i < size; ++i)
        candidates[static_cast<std::size_t>(q)].offer(begin + i, row_scores[i]);
    }
  }

  std::vector<std::vector<Neighbour>> nearest(static_cast<std::size_t>(number));
  std::vector<float> one(static_cast<std::size_t>(values));
  for (std::size_t q = 0; q < nearest.size(); ++q) {
    const auto query = queries.subspan(q * static_cast<std::size_t>(values), one.size());
    for (const std::int64_t row : candidates[q].rows()) {
      features.read({row, row + 1}, one.data());
      nearest[q].push_back({row, exact_distance(query, one)});
    }
    std::ranges::sort(nearest[q], [](const Neighbour& a, const Neighbour& b) {
      return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
    });
    nearest[q].resize(std::min(nearest[q].size(), static_cast<std::size_t>(count)));
  }
  return nearest;
}

}  // namespace convoy
