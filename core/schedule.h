// Learning-rate schedules: a factor on the base rate as a function of progress.
//
// Grammar of the text (`solver.schedule`):
//   constant                 1
//   plateau                  factor^drops, counted by PlateauTracker (paper, section 5)
//   steps:N:F                F^(step / N), e.g. steps:100000:0.1 (Caffe)
//   epochs:E=F,E=F,...       from epoch E on (counted from 0) the factor is F, before the first 1
//   exponential:K:F          K equal stages over the run, falling evenly in logarithm from 1 to F
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace convoy {

struct Progression {
  std::int64_t step = 0;    // steps done
  std::int64_t epoch = 0;   // epochs done
  std::int64_t epochs = 1;  // of the whole run
  std::int64_t drops = 0;   // of the plateau so far
};

class Schedule {
 public:
  // Throws Error(usage) saying what the grammar is. `plateau_factor` is used by plateau only.
  Schedule(const std::string& text, double plateau_factor);
  [[nodiscard]] double factor(const Progression& at) const;
  [[nodiscard]] bool needs_validation() const { return kind_ == Kind::plateau; }

 private:
  enum class Kind { constant, plateau, steps, epochs, exponential };
  Kind kind_ = Kind::constant;
  double value_ = 1;         // F
  std::int64_t length_ = 1;  // N or K
  std::vector<std::pair<std::int64_t, double>> stages_;
};

// Where a plateau schedule stands.
struct PlateauState {
  std::int64_t drops = 0;
  std::int64_t waited = 0;  // epochs since the best error
  double best = 2;          // lowest error so far; errors are fractions
  friend bool operator==(const PlateauState&, const PlateauState&) = default;
};

// Counts the drops of a plateau schedule from validation errors.
class PlateauTracker {
 public:
  PlateauTracker(std::int64_t patience, std::int64_t max_drops)
      : patience_(patience), max_drops_(max_drops) {}
  // `epochs`: since the last observation. Returns true when this error causes a drop.
  bool observe(double error, std::int64_t epochs = 1);
  [[nodiscard]] std::int64_t drops() const { return state_.drops; }
  // For a run that goes on later.
  [[nodiscard]] const PlateauState& state() const { return state_; }
  void restore(const PlateauState& state) { state_ = state; }

 private:
  std::int64_t patience_;
  std::int64_t max_drops_;
  PlateauState state_;
};

}  // namespace convoy
