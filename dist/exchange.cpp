// Forward all-gathers the parts; backward reduce-scatters a partial gradient or takes a slice of a
// replicated one.
#include "dist/exchange.h"

#include <chrono>

#include "core/ops/operations.h"

namespace convoy {
namespace {

class ExchangeLayer : public Layer {
 public:
  ExchangeLayer(Device& device, const ExchangePlan& plan, Communicator& towers,
                ExposedTime& exposed)
      : plan_(plan),
        towers_(towers),
        exposed_(exposed),
        name_("exchange-" + plan.before),
        slot_(plan.slot()),
        even_(plan.parts[plan.own].size() * static_cast<std::int64_t>(plan.parts.size()) ==
              plan.whole.c),
        op_(device.operations().channel_parts({plan.whole, plan.parts, slot_})),
        device_(device) {
    // The parts, one slot a rank, and the own part in a slot where parts differ in size.
    parts_ = device.allocate(slot_bytes() * plan.parts.size());
    if (!even_) own_ = device.allocate(slot_bytes());
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] Shape output() const override { return plan_.whole; }
  [[nodiscard]] std::int64_t exchange_bytes(bool backward) const override {
    return backward ? plan_.backward_bytes() : plan_.forward_bytes();
  }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    Stream& stream = pass.op.stream;
    if (!even_) device_.copy(own_.data(), x.data, x.bytes(), stream);
    const void* part = even_ ? x.data : own_.data();
    waiting([&] { towers_.all_gather(name_, part, parts_.data(), slot_, plan_.type, stream); });
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
    waiting([&] { towers_.reduce_scatter(name_, parts_.data(), part, slot_, plan_.type, stream); });
    if (!even_) device_.copy(dx->data, part, x.bytes(), stream);
  }

 private:
  [[nodiscard]] std::size_t slot_bytes() const {
    return static_cast<std::size_t>(slot_) * size_of(plan_.type);
  }
  [[nodiscard]] Tensor parts() const { return {parts_.data(), plan_.whole, plan_.type}; }

  template <typename F>
  void waiting(const F& collective) {
    const auto start = std::chrono::steady_clock::now();
    collective();
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - start;
    exposed_.add(passed.count());
  }

  ExchangePlan plan_;
  Communicator& towers_;
  ExposedTime& exposed_;
  std::string name_;
  std::int64_t slot_;  // values of the largest part
  bool even_;          // all parts are of one size
  std::unique_ptr<ChannelPartsOp> op_;
  Device& device_;
  Buffer parts_;
  Buffer own_;
};

}  // namespace

std::unique_ptr<Layer> make_exchange_layer(Device& device, const ExchangePlan& plan,
                                           Communicator& towers, ExposedTime& exposed) {
  return std::make_unique<ExchangeLayer>(device, plan, towers, exposed);
}

}  // namespace convoy
