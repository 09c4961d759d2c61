// Flags as numbers that are summed.
#include "dist/comm/control.h"

namespace convoy {
namespace {

// Notices lie in the host's memory, which no stream writes.
class NoStream : public Stream {
 public:
  void synchronize() override {}
};

}  // namespace

Control::Control(World& world, double wait_limit) : ranks_(world.split(0)) {
  ranks_->limit_waits(wait_limit);
}

Control::~Control() = default;

void Control::say(const Notice& notice) {
  const auto number = [](bool said) { return said ? 1.0f : 0.0f; };
  values_ = {number(notice.stop), number(notice.checkpoint), number(notice.waiting),
             number(notice.failed), number(notice.busy)};
  NoStream none;
  round_ = ranks_->start_all_reduce("notices", values_.data(), kNotices, none);
}

Notice Control::hear() {
  NoStream none;
  round_->wait(none);
  round_.reset();
  return {values_[0] > 0, values_[1] > 0, values_[2] > 0, values_[3] > 0, values_[4] > 0};
}

Notice Control::agree(const Notice& notice) {
  say(notice);
  return hear();
}

}  // namespace convoy
