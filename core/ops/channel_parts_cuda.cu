// Copies between whole channels and channel parts on a GPU.
#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/cuda/stream.h"
#include "core/ops/checks.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

// `count` values of every pixel; pixels lie `from_step` and `to_step` values apart.
template <typename T, int N>
__global__ void copy_channels(const T* from, std::int64_t from_step, T* to, std::int64_t to_step,
                              std::int64_t count, std::int64_t pixels) {
  const std::int64_t packs = count / N;
  const std::int64_t i = thread_index();
  if (i >= pixels * packs) return;
  const std::int64_t pixel = i / packs;
  const std::int64_t c = i % packs * N;
  store_pack<N>(to + pixel * to_step + c, load_pack<N>(from + pixel * from_step + c));
}

class ChannelPartsCuda : public ChannelPartsOp {
 public:
  ChannelPartsCuda(const CudaContext& context, const ChannelPartsSpec& spec)
      : device_(context.device),
        channels_(spec.whole.c),
        pixels_(spec.whole.n * spec.whole.h * spec.whole.w),
        parts_(spec.parts),
        slot_(spec.slot) {}

  void join(const OpContext& context, const Tensor& parts, const Tensor& whole) override {
    for (std::size_t p = 0; p < parts_.size(); ++p)
      copy(context, slot_of(parts, p), parts_[p].size(), at(whole, parts_[p].begin), channels_,
           parts_[p].size());
  }

  void split(const OpContext& context, const Tensor& whole, const Tensor& parts) override {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const std::int64_t size = parts_[p].size();
      const Tensor slot = slot_of(parts, p);
      copy(context, at(whole, parts_[p].begin), channels_, slot, size, size);
      device_.fill_zero(at(slot, pixels_ * size).data,
                        static_cast<std::size_t>(slot_ - pixels_ * size) * size_of(parts.type),
                        context.stream);
    }
  }

  void extract(const OpContext& context, const Tensor& whole, std::size_t index,
               const Tensor& part) override {
    const Range range = parts_.at(index);
    copy(context, at(whole, range.begin), channels_, part, range.size(), range.size());
  }

 private:
  static Tensor at(const Tensor& t, std::int64_t value) {
    return {t.u8() + static_cast<std::size_t>(value) * size_of(t.type), t.shape, t.type};
  }
  [[nodiscard]] Tensor slot_of(const Tensor& parts, std::size_t p) const {
    return at(parts, static_cast<std::int64_t>(p) * slot_);
  }

  void copy(const OpContext& context, const Tensor& from, std::int64_t from_step, const Tensor& to,
            std::int64_t to_step, std::int64_t count) const {
    if (count == 0 || pixels_ == 0) return;
    // Packs are powers of two: what divides all three divides their bits taken together.
    with_packs(from.type, from_step | to_step | count, {from.data, to.data},
               [&]<typename T, int N>() {
                 launch(copy_channels<T, N>, blocks_for(pixels_ * (count / N)), kThreads,
                        native(context.stream), data_of<T>(from), from_step, data_of<T>(to),
                        to_step, count, pixels_);
               });
  }

  Device& device_;
  std::int64_t channels_;
  std::int64_t pixels_;  // of all images
  std::vector<Range> parts_;
  std::int64_t slot_;  // values from one part to the next
};

}  // namespace

std::unique_ptr<ChannelPartsOp> make_channel_parts_cuda(const CudaContext& context,
                                                        const ChannelPartsSpec& spec) {
  check_channel_parts(spec);
  return std::make_unique<ChannelPartsCuda>(context, spec);
}

}  // namespace convoy
