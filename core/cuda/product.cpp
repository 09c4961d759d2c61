// The name of a product, under which a choice of plan is recorded, and its rate.
#include "core/cuda/product.h"

#include <algorithm>
#include <limits>

#include "core/cuda/stream.h"
#include "core/error.h"

namespace convoy {

std::string Product::text() const {
  const auto name = [](DType t) { return t == DType::bf16 ? "bf16" : "f32"; };
  return fmt::format("{}x{}x{}{}{}{}{} {}>{} {}", m, n, k, transposed_a ? " at" : "",
                     transposed_b ? " bt" : "", bias ? "+bias" : "", relu ? "+relu" : "",
                     name(type), name(result_type), name_of(precision));
}

double measure_product_rate(BlasLt& blas, Device& device) {
  constexpr std::int64_t kSize = 8192;
  constexpr int kPlans = 4;
  constexpr int kRuns = 5;
  constexpr std::size_t kWorkspace = 64000000;
  const DType type = device.activation_type();
  const Product product{.m = kSize,
                        .n = kSize,
                        .k = kSize,
                        .transposed_b = true,
                        .type = type,
                        .result_type = type,
                        .precision = device.precision()};
  const auto bytes = static_cast<std::size_t>(kSize * kSize) * size_of(type);
  const Buffer a = device.allocate(bytes);
  const Buffer b = device.allocate(bytes);
  const Buffer c = device.allocate(bytes);
  const Buffer workspace = device.allocate(kWorkspace);
  const std::unique_ptr<Stream> stream = device.make_stream();
  // Bits that vary, as power does with them: numbers of either type between 0.5 and 2 in size.
  std::vector<std::uint16_t> values(bytes / 2);
  std::uint32_t state = 2012;
  for (std::uint16_t& v : values) {
    state = state * 1664525 + 1013904223;
    v = static_cast<std::uint16_t>((state >> 16 & 0x80FF) | 0x3F00);
  }
  device.copy_to_device(a.data(), values.data(), bytes, *stream);
  device.copy_to_device(b.data(), values.data(), bytes, *stream);
  const std::unique_ptr<Event> begin = device.make_event(true);
  const std::unique_ptr<Event> end = device.make_event(true);
  double best_ms = std::numeric_limits<double>::infinity();
  for (const auto& plan : make_product_plans(blas, product, kWorkspace, kPlans))
    for (int r = 0; r < kRuns; ++r) {
      begin->record(*stream);
      plan->run(native(*stream), {.a = a.data(), .b = b.data(), .c = c.data()}, workspace.data());
      end->record(*stream);
      stream->synchronize();
      best_ms = std::min(best_ms, end->milliseconds_since(*begin));
    }
  if (best_ms == std::numeric_limits<double>::infinity())
    fail(ExitCode::rank_failed, "cuBLASLt has no plan for a product of {0} x {0} matrices.", kSize);
  return 2e-6 * static_cast<double>(kSize * kSize * kSize) / best_ms;
}

}  // namespace convoy
