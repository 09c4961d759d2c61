// Exchanges of images: all ranks' at once, or one rank's at a time.
#include <utility>

#include "dist/partition/exchange_layer.h"

namespace convoy {
namespace {

std::size_t bytes_of(const ExchangePlan& plan) {
  return static_cast<std::size_t>(plan.slot()) * size_of(plan.type);
}

// batch -> replicated: forward all-gathers the images, backward reduce-scatters their gradients.
class GatherImages : public ExchangeLayer {
 public:
  using ExchangeLayer::ExchangeLayer;

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    waiting([&] {
      place_.towers.all_gather(name_, x.data, y.data, x.count(), plan_.type, pass.op.stream);
    });
  }
  void backward(const Pass& pass, const Tensor&, const Tensor&, const Tensor& dy,
                const Tensor* dx) override {
    waiting([&] {
      place_.towers.reduce_scatter(name_, dy.data, dx->data, dx->count(), plan_.type,
                                   pass.op.stream);
    });
  }
};

// replicated -> batch: forward takes the own images, backward all-gathers the gradients.
class TakeImages : public ExchangeLayer {
 public:
  TakeImages(const ExchangePlan& plan, const ExchangePlace& place) : ExchangeLayer(plan, place) {
    name_ = "exchange-images";  // before the loss; short enough to be copied without an allocation
  }
  [[nodiscard]] Shape output() const override {
    Shape own = plan_.whole;
    own.n = plan_.parts[plan_.own].size();
    return own;
  }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    const Tensor own = x.part(plan_.parts[plan_.own].begin * x.shape.per_row(), y.shape);
    place_.device.copy(y.data, own.data, own.bytes(), pass.op.stream);
  }
  void backward(const Pass& pass, const Tensor&, const Tensor&, const Tensor& dy,
                const Tensor* dx) override {
    waiting([&] {
      place_.towers.all_gather(name_, dy.data, dx->data, dy.count(), plan_.type, pass.op.stream);
    });
  }
};

// batch -> replicated in turns. The images of the next turn are on their way while this one's are
// computed on. The gradient of the own images is kept until the last turn is over, as layers above
// use the same memory for theirs.
class GatherInTurns : public ExchangeLayer {
 public:
  GatherInTurns(const ExchangePlan& plan, const ExchangePlace& place)
      : ExchangeLayer(plan, place),
        arriving_(place.device.allocate(bytes_of(plan))),
        gradient_(place.device.allocate(bytes_of(plan))) {}

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    const int now = place_.turn.now;
    if (now == 0) start(0, x, pass.op.stream);
    waiting([&] { pending_->wait(pass.op.stream); });
    place_.device.copy(y.data, memory(now, x), y.bytes(), pass.op.stream);
    if (now + 1 < place_.towers.size()) start(now + 1, x, pass.op.stream);
  }
  void backward(const Pass& pass, const Tensor&, const Tensor&, const Tensor& dy,
                const Tensor* dx) override {
    Stream& stream = pass.op.stream;
    const int now = place_.turn.now;
    waiting([&] {
      place_.towers.reduce(name_, dy.data, gradient_.data(), dy.count(), plan_.type, now, stream);
    });
    if (now + 1 == place_.towers.size())
      place_.device.copy(dx->data, gradient_.data(), dx->bytes(), stream);
  }

 private:
  // Where the images of a turn are.
  void* memory(int turn, const Tensor& x) {
    return turn == place_.towers.rank() ? x.data : arriving_.data();
  }
  void start(int turn, const Tensor& x, Stream& stream) {
    waiting([&] {
      pending_ = place_.towers.start_broadcast(name_, memory(turn, x), x.count(), plan_.type, turn,
                                               stream);
    });
  }

  Buffer arriving_;
  Buffer gradient_;  // of the own images
  std::unique_ptr<PendingCollective> pending_;
};

// replicated -> batch in turns: forward keeps the own images in their turn, backward their rank
// sends the gradient to all.
class TakeInTurns : public ExchangeLayer {
 public:
  TakeInTurns(const ExchangePlan& plan, const ExchangePlace& place) : ExchangeLayer(plan, place) {
    name_ = "exchange-images";  // before the loss; short enough to be copied without an allocation
  }

  void forward(const Pass& pass, const Tensor& x, const Tensor& y) override {
    if (own()) place_.device.copy(y.data, x.data, x.bytes(), pass.op.stream);
  }
  void backward(const Pass& pass, const Tensor&, const Tensor&, const Tensor& dy,
                const Tensor* dx) override {
    Stream& stream = pass.op.stream;
    waiting([&] {
      place_.towers
          .start_broadcast(name_, own() ? dy.data : dx->data, dy.count(), plan_.type,
                           place_.turn.now, stream)
          ->wait(stream);
    });
    if (own()) place_.device.copy(dx->data, dy.data, dy.bytes(), stream);
  }

 private:
  [[nodiscard]] bool own() const { return place_.turn.now == place_.towers.rank(); }
};

}  // namespace

std::unique_ptr<Layer> make_image_exchange(const ExchangePlan& plan, const ExchangePlace& place) {
  const bool gathers = plan.from == Placement::batch;
  if (plan.turns && gathers) return std::make_unique<GatherInTurns>(plan, place);
  if (plan.turns) return std::make_unique<TakeInTurns>(plan, place);
  if (gathers) return std::make_unique<GatherImages>(plan, place);
  return std::make_unique<TakeImages>(plan, place);
}

}  // namespace convoy
