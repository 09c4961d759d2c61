// Forward, loss, backward with overlapped reduction or with the update itself, update.
#include "dist/step_runner.h"

#include <chrono>
#include <functional>

namespace convoy {
namespace {

// Milliseconds from one lap to the next.
class Laps {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::milli> passed = now - last_;
    last_ = now;
    return passed.count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Updates parameters as soon as their gradients are there.
class UpdateAtOnce : public GradientSink {
 public:
  UpdateAtOnce(Solver& solver, const Network& network, const OpContext& op)
      : solver_(solver), gradients_(network.gradients().f32()), op_(op) {}
  void finished(const float* first, std::int64_t count) override {
    solver_.update(op_, {first - gradients_, first - gradients_ + count});
  }

 private:
  Solver& solver_;
  const float* gradients_;
  OpContext op_;
};

}  // namespace

StepRunner::StepRunner(Session& session, const JobOptions& options)
    : session_(session),
      seed_(options.run.seed),
      reducer_(session.replicas().size() == 1
                   ? nullptr
                   : std::make_unique<GradientReducer>(session.replicas(),
                                                       session.replica_control(), session.network(),
                                                       session.device(), options.dist)),
      solver_(session.device(), session.network(), options.solver) {}

StepRunner::Result StepRunner::run(InputFeed& feed, const Batch& batch, bool noise,
                                   const Progression& at, LayerObserver* observer) {
  Network& network = session_.network();
  const OpContext op = session_.op();
  ExposedTime& exposed = session_.exposed();
  UpdateAtOnce update(solver_, network, op);
  const Pass pass{op,
                  true,
                  {seed_, static_cast<std::uint32_t>(at.step), session_.slice().begin},
                  reducer_ ? nullptr : &update};
  const float scale = 1 / static_cast<float>(session_.global_batch());
  Result result;
  Laps total;
  Laps laps;

  solver_.begin_step(at);
  feed.load(batch, noise, op, network.input());
  network.forward(pass, observer);
  const LossSums mine = session_.loss(batch.labels, scale);
  double waited = exposed.take();
  result.ms.comm_exposed += waited;
  result.ms.forward = laps.lap() - waited;

  // Time inside MPI on the thread that computes is exposed, even where it moves data along.
  const auto ready = [&](std::int64_t floats) {
    Laps lap;
    reducer_->ready(floats, op.stream);
    exposed.add(lap.lap());
  };
  if (reducer_)
    network.backward(pass, std::ref(ready), observer);  // a reference: a copy would allocate
  else
    network.backward(pass, nullptr, observer);
  op.stream.synchronize();
  waited = exposed.take();
  result.ms.comm_exposed += waited;
  result.ms.backward = laps.lap() - waited;

  if (reducer_) {
    waited = reducer_->finish(op.stream, [&](Range floats) { solver_.update(op, floats); });
    op.stream.synchronize();
    result.ms.comm_exposed += waited;
    result.ms.update = laps.lap() - waited;
  }

  result.sums = session_.total(mine);
  result.ms.comm_exposed += laps.lap();
  result.ms.step = total.lap();
  return result;
}

}  // namespace convoy
