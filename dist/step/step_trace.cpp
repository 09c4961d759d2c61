// Keeps marks during a step, and turns them into spans after it.
#include "dist/step/step_trace.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "dist/watch/collective_record.h"

namespace convoy {
namespace {

// Spans of a step besides its layers: phases, and collectives as far as they are reckoned with.
constexpr std::size_t kOtherSpans = 64;

}  // namespace

std::int64_t StepTrace::now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

StepTrace::StepTrace(Session& session, std::int64_t first_step, std::int64_t steps)
    : session_(session),
      begun_(session.device().make_event(true)),
      layers_(session.device(), session.stream(), session.network().layers().size(),
              static_cast<std::size_t>(session.turns())) {
  const std::size_t layers = layers_.layers();
  const auto turns = static_cast<std::size_t>(session.turns());
  trace_.spans.reserve(static_cast<std::size_t>(steps) * (2 * layers * turns + kOtherSpans));
  trace_.rank = session.world().rank();
  trace_.ranks = session.world().size();
  trace_.host = session.world().host();
  trace_.first_step = first_step;
  session.everyone().barrier("trace");
  trace_.aligned_ns = now_ns();
  last_collective_ = session.world().record().image().header.entered;
}

void StepTrace::begin_step(std::int64_t step) {
  step_ = step;
  layers_.reset();
  begun_->record(session_.stream());
  begun_ns_ = now_ns();
}

void StepTrace::host_span(const std::string& name, std::int64_t begin_ns) {
  trace_.spans.push_back({name, "host", step_, begin_ns, now_ns(), 0});
}

void StepTrace::add(const std::string& name, const char* kind, const Event& begin,
                    const Event& end) {
  const auto at = [&](const Event& mark) {
    return begun_ns_ + std::llround(1e6 * mark.milliseconds_since(*begun_));
  };
  trace_.spans.push_back({name, kind, step_, at(begin), at(end), 0});
}

void StepTrace::end_step(const StepRunner& runner) {
  const StepRunner::Marks marks = runner.marks();
  add("forward", "phase", marks.started, marks.went_forward);
  add("backward", "phase", marks.went_forward, marks.went_backward);
  add("update", "phase", marks.went_backward, marks.updated);
  for (std::size_t i = 0; i < layers_.layers(); ++i) {
    for (const bool backward : {false, true}) {
      for (const LayerMarks::Turn& turn : layers_.turns(i, backward)) {
        add(session_.network().layers()[i]->name(), backward ? "backward" : "forward", *turn.begin,
            *turn.end);
      }
    }
  }
  add_collectives();
}

void StepTrace::add_collectives() {
  const record::Image& image = session_.world().record().image();
  const std::uint64_t entered = image.header.entered;
  const std::uint64_t oldest = entered > record::kSlots ? entered - record::kSlots + 1 : 1;
  for (std::uint64_t i = std::max(last_collective_ + 1, oldest); i <= entered; ++i) {
    const record::Slot* const slot = slot_of(image, i);
    if (slot == nullptr || slot->left_ns == 0) continue;
    trace_.spans.push_back({slot->name.load(), "collective", step_,
                            static_cast<std::int64_t>(slot->entered_ns.load()),
                            static_cast<std::int64_t>(slot->left_ns.load()),
                            static_cast<std::int64_t>(slot->bytes.load())});
  }
  last_collective_ = entered;
}

}  // namespace convoy
