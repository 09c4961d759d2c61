// Forward, loss, backward with overlapped reduction or with the update itself, update.
#include "dist/step/step_runner.h"

#include <chrono>
#include <functional>

#include "dist/watch/collective_record.h"
#include "dist/watch/place_observer.h"

namespace convoy {
namespace {

// Updates parameters as soon as their gradients are there.
class UpdateAtOnce : public GradientSink {
 public:
  UpdateAtOnce(Solver& solver, const OpContext& op, bool stores)
      : solver_(solver), op_(op), stores_(stores) {}
  [[nodiscard]] bool stores() const override { return stores_; }
  void expect(const GradientBlock& block) override { solver_.expect(block); }
  void finished(const GradientBlock& block, const float* values, std::int64_t values_row) override {
    solver_.update(op_, block, values, values_row);
  }

 private:
  Solver& solver_;
  OpContext op_;
  bool stores_;
};

// Parameters with copies on other ranks are convolutions', whose gradients come last.
std::int64_t gradients_of_this_rank(const Network& network) {
  for (const Parameter* parameter : network.parameters())
    if (parameter->sharing.copies > 1) return parameter->gradient.f32() - network.gradients().f32();
  return network.gradients().count();
}

// Kernels are loaded when they first run, which a capture does not allow.
constexpr int kWarmSteps = 2;

}  // namespace

StepRunner::StepRunner(Session& session, const JobOptions& options)
    : session_(session),
      seed_(options.run.seed),
      own_(gradients_of_this_rank(session.network())),
      reducer_(own_ == session.network().gradients().count()
                   ? nullptr
                   : std::make_unique<GradientReducer>(
                         session.replicas(), session.replica_control(), session.network(),
                         Range{own_, session.network().gradients().count()}, session.device(),
                         options.dist)),
      solver_(session.device(), session.network(), options.solver),
      graph_(options.device.graph && session.device().kind() != DeviceKind::cpu &&
             session.world().size() == 1) {
  for (auto* mark : {&started_, &went_forward_, &went_backward_, &updated_})
    *mark = session.device().make_event(true);
  if (session.turns() == 1) return;
  add_ = session.device().operations().add();
  earlier_turns_ = session.device().allocate(static_cast<std::size_t>(own_) * sizeof(float));
}

void StepRunner::begin(InputFeed& feed, bool noise, const Progression& at,
                       LayerObserver* observer) {
  began_ = std::chrono::steady_clock::now();
  const OpContext op = session_.op();
  CollectiveRecord& record = session_.world().record();
  record.set_step(at.step + 1);
  record.set_place(Phase::forward);
  solver_.begin_step(at);
  UpdateAtOnce update(solver_, op, keeps_gradients_);
  const bool at_once = own_ > 0 && session_.turns() == 1 && session_.device().updates_from_cache();
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
  // The sink is for gradients that are no sum over ranks, and those are the head's.
  Pass body = pass;
  body.sink = nullptr;

  // Time inside MPI on the thread that computes is exposed, even where it moves data along.
  const auto ready = [&](std::int64_t floats) {
    if (!reducer_) return;
    const auto start = std::chrono::steady_clock::now();
    reducer_->ready(floats, op.stream);
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - start;
    exposed.add(passed.count());
  };

  started_->record(op.stream);
  feed.load(noise, op, network.input());
  network.forward(body, session_.body(), &place);
  for (int turn = 0; turn < session_.turns(); ++turn) {
    Pass head = session_.take_turn(turn, body);
    head.sink = pass.sink;
    network.forward(head, session_.head(), &place);
    if (session_.own_turn())
      session_.queue_loss(feed.labels(), 1 / static_cast<float>(session_.global_batch()));
    if (turn == 0) {
      went_forward_->record(op.stream);
      waited_.forward = exposed.take();
    }
    // A reference: a copy would allocate.
    network.backward(head, session_.head(), std::ref(ready), &place);
    add_up_turns(op, turn);
  }
  network.backward(body, session_.body(), std::ref(ready), &place);
  went_backward_->record(op.stream);
  waited_.backward = exposed.take();

  record.set_place(Phase::update);
  waited_.update = 0;
  if (pass.sink == nullptr && own_ > 0) solver_.update(op, {0, own_});
  if (reducer_)
    waited_.update = reducer_->finish(op.stream, [&](Range floats) { solver_.update(op, floats); });
  updated_->record(op.stream);
}

// Each turn writes its gradients over those of the one before.
void StepRunner::add_up_turns(const OpContext& op, int turn) {
  if (session_.turns() == 1) return;
  const Shape shape{own_, 1, 1, 1};
  const Tensor gradients = session_.network().gradients().part(0, shape);
  const Tensor earlier{earlier_turns_.data(), shape, DType::f32};
  if (turn == 0)
    session_.device().copy(earlier.data, gradients.data, gradients.bytes(), op.stream);
  else if (turn + 1 < session_.turns())
    add_->apply(op, gradients, earlier);
  else
    add_->apply(op, earlier, gradients);
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
