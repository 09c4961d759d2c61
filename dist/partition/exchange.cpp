// The exchange of channels: forward all-gathers the parts; backward reduce-scatters a partial
// gradient or takes a slice of a replicated one.
#include "dist/partition/exchange.h"

#include "core/ops/operations.h"
#include "dist/partition/exchange_layer.h"

namespace convoy {
namespace {

class ChannelExchange : public ExchangeLayer {
 public:
  ChannelExchange(const ExchangePlan& plan, const ExchangePlace& place)
      : ExchangeLayer(plan, place),
        slot_(plan.slot()),
        even_(plan.parts[plan.own].size() * static_cast<std::int64_t>(plan.parts.size()) ==
              plan.whole.c),
        op_(place.device.operations().channel_parts({plan.whole, plan.parts, slot_})) {
    // The parts, one slot a rank, and the own part in a slot where parts differ in size.
    parts_ = place.device.allocate(slot_bytes() * plan.parts.size());
    if (!even_) own_ = place.device.allocate(slot_bytes());
  }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    Stream& stream = pass.op.stream;
    if (!even_) place_.device.copy(own_.data(), x.data, x.bytes(), stream);
    const void* part = even_ ? x.data : own_.data();
    waiting(
        [&] { place_.towers.all_gather(name_, part, parts_.data(), slot_, plan_.type, stream); });
    op_->join(pass.op, parts(), y);
  }

  void backward(const Pass& pass, const Tensor& x, const Tensor&, const Tensor& dy,
                const Tensor* dx) override {
    Stream& stream = pass.op.stream;
    if (!plan_.gradient_is_partial) {
      op_->extract(pass.op, dy, plan_.own, *dx);
      return;
    }
    op_->split(pass.op, dy, parts());
    void* part = even_ ? dx->data : own_.data();
    waiting([&] {
      place_.towers.reduce_scatter(name_, parts_.data(), part, slot_, plan_.type, stream);
    });
    if (!even_) place_.device.copy(dx->data, part, x.bytes(), stream);
  }

 private:
  [[nodiscard]] std::size_t slot_bytes() const {
    return static_cast<std::size_t>(slot_) * size_of(plan_.type);
  }
  [[nodiscard]] Tensor parts() const { return {parts_.data(), plan_.whole, plan_.type}; }

  std::int64_t slot_;  // values of the largest part
  bool even_;          // all parts are of one size
  std::unique_ptr<ChannelPartsOp> op_;
  Buffer parts_;
  Buffer own_;
};

}  // namespace

std::unique_ptr<Layer> make_exchange_layer(Device& device, const ExchangePlan& plan,
                                           Communicator& towers, const Turn& turn,
                                           ExposedTime& exposed) {
  const ExchangePlace place{device, towers, turn, exposed};
  if (plan.from == Placement::channel) return std::make_unique<ChannelExchange>(plan, place);
  return make_image_exchange(plan, place);
}

}  // namespace convoy
