// Counts on every rank and adds the counts up.
#include "dist/train/parameter_histograms.h"

#include <algorithm>
#include <limits>
#include <span>

#include <fmt/format.h>

namespace convoy {
namespace {

constexpr std::int64_t kPieceBytes = 8 << 20;  // of a device's memory, copied at once; about

// Gradients reach the parameters of the first layer last.
std::size_t weight_of_first_layer(std::span<Parameter* const> parameters) {
  const auto weight =
      std::find_if(parameters.rbegin(), parameters.rend(),
                   [](const Parameter* parameter) { return !parameter->is_bias(); });
  return static_cast<std::size_t>(parameters.rend() - weight) - 1;
}

// moments: of each row.
void count_rows(const float* values, std::int64_t rows, std::int64_t per_row, int threads,
                Histogram& whole, Moments* moments) {
#pragma omp parallel num_threads(threads) if (rows > threads)
  {
    Histogram part;
#pragma omp for schedule(static)
    for (std::int64_t row = 0; row < rows; ++row) {
      moments[row] = count({values + row * per_row, static_cast<std::size_t>(per_row)}, part);
    }
#pragma omp critical
    add(part, whole);
  }
}

std::string tag_of(const Parameter& parameter, bool gradient) {
  return fmt::format("{}{}/{}", parameter.kind, gradient ? "_gradient" : "", parameter.layer);
}

}  // namespace

// What a rank has counted; rows that others answer for are zeros.
struct ParameterHistograms::Local {
  Histogram histogram;
  std::vector<Moments> rows;
};

ParameterHistograms::ParameterHistograms(Session& session)
    : session_(session),
      owners_(row_owners(session.everyone(), session.network())),
      first_layer_(weight_of_first_layer(parameters())) {
  if (session.device().host_addressable()) return;
  std::int64_t longest = 0;
  for (const Parameter* parameter : parameters())
    longest = std::max(longest, parameter->logical.per_row());
  const auto row_bytes = static_cast<std::size_t>(longest) * sizeof(float);
  host_ =
      session.device().allocate_host(std::max(static_cast<std::size_t>(kPieceBytes), row_bytes));
}

template <typename Body>
void ParameterHistograms::for_own_rows(std::size_t parameter, bool gradient, const Body& body) {
  const Parameter& tensor = *parameters()[parameter];
  const float* const local = (gradient ? tensor.gradient : tensor.value).f32();
  const std::int64_t per_row = tensor.logical.per_row();
  for (const OwnedRows& owned : owners_[parameter]) {
    if (owned.rank != session_.world().rank()) continue;
    const float* const values = local + (owned.rows.begin - tensor.rows.begin) * per_row;
    if (session_.device().host_addressable()) {
      body(values, owned.rows);
      continue;
    }
    auto* const copy = static_cast<float*>(host_.data());
    const std::int64_t most = static_cast<std::int64_t>(host_.bytes() / sizeof(float)) / per_row;
    for (std::int64_t row = owned.rows.begin; row < owned.rows.end; row += most) {
      const Range some{row, std::min(row + most, owned.rows.end)};
      session_.device().copy_to_host(
          copy, values + (row - owned.rows.begin) * per_row,
          static_cast<std::size_t>(some.size() * per_row) * sizeof(float), session_.stream());
      session_.stream().synchronize();
      body(copy, some);
    }
  }
}

ParameterHistograms::Local ParameterHistograms::count_own(std::size_t parameter, bool gradient) {
  const Shape& logical = parameters()[parameter]->logical;
  Local local{{}, std::vector<Moments>(static_cast<std::size_t>(logical.n))};
  for_own_rows(parameter, gradient, [&](const float* values, const Range& rows) {
    count_rows(values, rows.size(), logical.per_row(), session_.device().host_threads(),
               local.histogram, local.rows.data() + rows.begin);
  });
  return local;
}

std::vector<TaggedHistogram> ParameterHistograms::take(bool gradients) {
  std::vector<TaggedHistogram> tagged;
  std::vector<double> sums;      // over ranks, exact: of whole numbers and of zeros
  std::vector<double> extremes;  // -least, most
  for (std::size_t p = 0; p < parameters().size(); ++p) {
    for (const bool gradient : {false, true}) {
      if (gradient && !gradients) continue;
      const Local local = count_own(p, gradient);
      const Histogram& counted = local.histogram;
      for (const std::int64_t count : counted.counts) sums.push_back(static_cast<double>(count));
      sums.push_back(static_cast<double>(counted.not_finite));
      for (const Moments& row : local.rows) sums.insert(sums.end(), {row.sum, row.squares});
      extremes.insert(extremes.end(),
                      {-static_cast<double>(counted.least), static_cast<double>(counted.most)});
      tagged.push_back({tag_of(*parameters()[p], gradient), {}});
    }
  }
  session_.everyone().sum("histograms", sums);
  session_.everyone().maximum("histograms", extremes);
  if (!session_.leader()) return {};

  auto next = sums.cbegin();
  auto extreme = extremes.cbegin();
  const std::size_t kinds = gradients ? 2 : 1;
  for (std::size_t i = 0; i < tagged.size(); ++i) {
    Histogram& histogram = tagged[i].histogram;
    for (std::int64_t& count : histogram.counts) count = static_cast<std::int64_t>(*next++);
    histogram.not_finite = static_cast<std::int64_t>(*next++);
    for (std::int64_t row = 0; row < parameters()[i / kinds]->logical.n; ++row) {
      histogram.sum += *next++;
      histogram.squares += *next++;
    }
    histogram.least = -static_cast<float>(*extreme++);
    histogram.most = static_cast<float>(*extreme++);
  }
  return tagged;
}

std::vector<float> ParameterHistograms::first_kernels() {
  const Shape& logical = first_layer().logical;
  std::vector<double> whole(static_cast<std::size_t>(logical.count()));
  for_own_rows(first_layer_, false, [&](const float* values, const Range& rows) {
    std::copy_n(values, rows.size() * logical.per_row(),
                whole.begin() + rows.begin * logical.per_row());
  });
  session_.everyone().sum("kernels", whole);
  return {whole.begin(), whole.end()};
}

}  // namespace convoy
