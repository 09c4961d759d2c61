// Forward, loss, backward with overlapped reduction or with the update itself, update.
#include "dist/step_runner.h"

#include <chrono>
#include <functional>

#include "dist/collective_record.h"
#include "dist/place_observer.h"

namespace convoy {
namespace {

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

// Kernels are loaded when they first run, which a capture does not allow.
constexpr int kWarmSteps = 2;

}  // namespace

StepRunner::StepRunner(Session& session, const JobOptions& options)
    : session_(session),
      seed_(options.run.seed),
      reducer_(session.replicas().size() == 1
                   ? nullptr
                   : std::make_unique<GradientReducer>(session.replicas(),
                                                       session.replica_control(), session.network(),
                                                       session.device(), options.dist)),
      solver_(session.device(), session.network(), options.solver),
      graph_(options.device.graph && session.device().kind() != DeviceKind::cpu &&
             session.world().size() == 1) {
  for (auto* mark : {&started_, &went_forward_, &went_backward_, &updated_})
    *mark = session.device().make_event(true);
}

void StepRunner::begin(InputFeed& feed, bool noise, const Progression& at,
                       LayerObserver* observer) {
  began_ = std::chrono::steady_clock::now();
  const OpContext op = session_.op();
  CollectiveRecord& record = session_.world().record();
  record.set_step(at.step + 1);
  record.set_place(Phase::forward);
  solver_.begin_step(at);
  UpdateAtOnce update(solver_, session_.network(), op);
  const bool at_once = !reducer_ && session_.device().updates_from_cache();
  const Pass pass{op,
                  true,
                  {seed_, static_cast<std::uint32_t>(at.step), session_.slice().begin},
                  at_once ? &update : nullptr};
  feed.await(op.stream);
  if (graph_ && observer == nullptr && warm_steps_ == kWarmSteps) {
    session_.device().run_as_graph(op.stream, [&] { queue(feed, pass, noise, nullptr); });
  } else {
    queue(feed, pass, noise, observer);
    if (warm_steps_ < kWarmSteps) ++warm_steps_;
  }
  feed.done(op.stream);
  record.set_place(Phase::reading);
}

void StepRunner::queue(InputFeed& feed, const Pass& pass, bool noise, LayerObserver* observer) {
  Network& network = session_.network();
  const OpContext& op = pass.op;
  ExposedTime& exposed = session_.exposed();
  CollectiveRecord& record = session_.world().record();
  PlaceObserver place(record, Phase::forward, observer);

  started_->record(op.stream);
  feed.load(noise, op, network.input());
  network.forward(pass, &place);
  session_.queue_loss(feed.labels(), 1 / static_cast<float>(session_.global_batch()));
  went_forward_->record(op.stream);
  waited_.forward = exposed.take();

  // Time inside MPI on the thread that computes is exposed, even where it moves data along.
  const auto ready = [&](std::int64_t floats) {
    const auto start = std::chrono::steady_clock::now();
    reducer_->ready(floats, op.stream);
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - start;
    exposed.add(passed.count());
  };
  if (reducer_)
    network.backward(pass, std::ref(ready), &place);  // a reference: a copy would allocate
  else
    network.backward(pass, nullptr, &place);
  went_backward_->record(op.stream);
  waited_.backward = exposed.take();

  record.set_place(Phase::update);
  waited_.update = 0;
  if (reducer_)
    waited_.update = reducer_->finish(op.stream, [&](Range floats) { solver_.update(op, floats); });
  else if (pass.sink == nullptr)
    solver_.update(op, {0, network.gradients().count()});
  updated_->record(op.stream);
}

StepRunner::Result StepRunner::finish() {
  CollectiveRecord& record = session_.world().record();
  record.set_place(Phase::finishing);
  session_.wait();
  const auto waiting = std::chrono::steady_clock::now();
  Result result;
  result.sums = session_.total(session_.queued_loss());
  const auto now = std::chrono::steady_clock::now();
  result.ms.forward = went_forward_->milliseconds_since(*started_) - waited_.forward;
  result.ms.backward = went_backward_->milliseconds_since(*went_forward_) - waited_.backward;
  result.ms.update = updated_->milliseconds_since(*went_backward_) - waited_.update;
  const std::chrono::duration<double, std::milli> last_wait = now - waiting;
  result.ms.comm_exposed = waited_.forward + waited_.backward + waited_.update + last_wait.count();
  const std::chrono::duration<double, std::milli> all = now - began_;
  result.ms.step = all.count();
  record.set_place(Phase::between);
  return result;
}

}  // namespace convoy
