// Passes blocks of rows as the weights of a fully connected layer, whose biases are -|f|^2 / 2.
#include "dist/infer/nearest_search.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <thread>

#include "core/device.h"
#include "core/ops/operations.h"

namespace convoy {
namespace {

constexpr std::int64_t kBlockFloats = std::int64_t{1}
                                      << 20;  // of features at a time: a cache's worth
constexpr std::int64_t kSpare = 16;  // candidates beyond those asked for, for rounding's sake

// The best scores of a query so far.
class Candidates {
 public:
  explicit Candidates(std::int64_t most) : most_(static_cast<std::size_t>(most)) {}

  void offer(std::int64_t row, float score) {
    if (std::isnan(score)) return;  // near nothing
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

// Scores [Q, rows] of blocks of rows, on the calling thread alone.
class Scores {
 public:
  Scores(std::span<const float> queries, std::int64_t values)
      : device_(make_device({.kind = "cpu", .threads = 1}, {})),
        stream_(device_->make_stream()),
        queries_(queries),
        values_(values) {}

  // features [rows, D] and their biases to scores.
  void compute(std::int64_t rows, const float* features, const float* biases, float* scores) {
    const std::int64_t n = std::ssize(queries_) / values_;
    if (rows != rows_) {
      rows_ = rows;
      layer_ = device_->operations().fully_connected({.images = n, .in = values_, .out = rows});
      workspace_ = device_->allocate(layer_->workspace_bytes());
    }
    layer_->forward({*stream_, workspace_.data()}, read_only(queries_.data(), {n, 1, 1, values_}),
                    read_only(features, {rows, 1, 1, values_}), read_only(biases, {rows, 1, 1, 1}),
                    {scores, {n, 1, 1, rows}});
  }

 private:
  static Tensor read_only(const float* values, const Shape& shape) {
    return {const_cast<float*>(values), shape};
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  std::span<const float> queries_;
  std::int64_t values_;
  Buffer workspace_;
  std::int64_t rows_ = 0;
  std::unique_ptr<FullyConnectedOp> layer_;
};

// Offers the rows of a range to each query's candidates.
void search(const FeatureReader& features, std::span<const float> queries, Range range,
            std::vector<Candidates>& candidates) {
  const std::int64_t values = features.values();
  const std::int64_t block = std::max<std::int64_t>(1, kBlockFloats / values);
  std::vector<float> rows(static_cast<std::size_t>(block * values));
  std::vector<float> biases(static_cast<std::size_t>(block));
  std::vector<float> scores(static_cast<std::size_t>(block) * candidates.size());
  Scores of(queries, values);
  for (std::int64_t begin = range.begin; begin < range.end; begin += block) {
    const std::int64_t size = std::min(block, range.end - begin);
    features.read({begin, begin + size}, rows.data());
    std::transform(features.half_squares().begin() + begin,
                   features.half_squares().begin() + begin + size, biases.begin(), std::negate{});
    of.compute(size, rows.data(), biases.data(), scores.data());
    const float* score = scores.data();
    for (Candidates& of_query : candidates)
      for (std::int64_t i = 0; i < size; ++i) of_query.offer(begin + i, *score++);
  }
}

double exact_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return std::isnan(sum) ? std::numeric_limits<double>::infinity() : std::sqrt(sum);
}

}  // namespace

std::vector<std::vector<Neighbour>> nearest_rows(const FeatureReader& features,
                                                 std::span<const float> queries, std::int64_t count,
                                                 int threads) {
  const auto values = static_cast<std::size_t>(features.values());
  const std::size_t number = queries.size() / values;
  const std::vector<Candidates> none(number, Candidates(count + kSpare));
  std::vector<std::vector<Candidates>> found(static_cast<std::size_t>(threads), none);
  std::vector<std::exception_ptr> failures(found.size());
  {
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < found.size(); ++t) {
      workers.emplace_back([&, t] {
        const auto part = static_cast<std::int64_t>(t);
        const Range rows{features.images() * part / threads,
                         features.images() * (part + 1) / threads};
        try {
          search(features, queries, rows, found[t]);
        } catch (...) {
          failures[t] = std::current_exception();
        }
      });
    }
  }
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);

  std::vector<std::vector<Neighbour>> nearest(number);
  std::vector<float> one(values);
  for (std::size_t q = 0; q < number; ++q) {
    for (const auto& part : found) {
      for (const std::int64_t row : part[q].rows()) {
        features.read({row, row + 1}, one.data());
        nearest[q].push_back({row, exact_distance(queries.subspan(q * values, values), one)});
      }
    }
    std::ranges::sort(nearest[q], [](const Neighbour& a, const Neighbour& b) {
      return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
    });
    nearest[q].resize(std::min(nearest[q].size(), static_cast<std::size_t>(count)));
  }
  return nearest;
}

}  // namespace convoy
