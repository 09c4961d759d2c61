// Parses and evaluates learning-rate schedules.
#include "core/schedule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>

#include "core/error.h"

namespace convoy {
namespace {

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

[[noreturn]] void refuse(const std::string& text) {
  fail(ExitCode::usage,
       "the schedule '{}' cannot be read; use constant, plateau, steps:N:F, epochs:E=F,E=F,... or "
       "exponential:K:F",
       text);
}

// "N:F" with N >= 1 and F > 0.
std::pair<std::int64_t, double> length_and_factor(std::string_view rest, const std::string& text) {
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) refuse(text);
  const auto length = number<std::int64_t>(rest.substr(0, colon));
  const auto factor = number<double>(rest.substr(colon + 1));
  if (!length || *length < 1 || !factor || !(*factor > 0)) refuse(text);
  return {*length, *factor};
}

// "E=F,E=F,..." with rising E and F >= 0.
std::vector<std::pair<std::int64_t, double>> stage_list(std::string_view rest,
                                                        const std::string& text) {
  std::vector<std::pair<std::int64_t, double>> stages;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) refuse(text);
    const auto epoch = number<std::int64_t>(item.substr(0, equals));
    const auto factor = number<double>(item.substr(equals + 1));
    if (!epoch || !factor || !(*factor >= 0)) refuse(text);
    if (*epoch < (stages.empty() ? 0 : stages.back().first + 1)) refuse(text);
    stages.emplace_back(*epoch, *factor);
    if (comma == std::string_view::npos) return stages;
    rest = rest.substr(comma + 1);
  }
}

}  // namespace

Schedule::Schedule(const std::string& text, double plateau_factor) {
  const std::string_view view = text;
  const auto after = [&](std::string_view prefix) -> std::optional<std::string_view> {
    if (!view.starts_with(prefix)) return std::nullopt;
    return view.substr(prefix.size());
  };
  if (view == "constant") {
    kind_ = Kind::constant;
  } else if (view == "plateau") {
    kind_ = Kind::plateau;
    value_ = plateau_factor;
  } else if (const auto steps = after("steps:")) {
    kind_ = Kind::steps;
    std::tie(length_, value_) = length_and_factor(*steps, text);
  } else if (const auto stages = after("epochs:")) {
    kind_ = Kind::epochs;
    stages_ = stage_list(*stages, text);
  } else if (const auto stages_and_end = after("exponential:")) {
    kind_ = Kind::exponential;
    std::tie(length_, value_) = length_and_factor(*stages_and_end, text);
    if (length_ < 2) refuse(text);
  } else {
    refuse(text);
  }
}

double Schedule::factor(const Progression& at) const {
  switch (kind_) {
    case Kind::constant:
      return 1;
    case Kind::plateau:
      return std::pow(value_, static_cast<double>(at.drops));
    case Kind::steps:
      return std::pow(value_, static_cast<double>(at.step / length_));
    case Kind::epochs: {
      double factor = 1;
      for (const auto& [epoch, value] : stages_) {
        if (at.epoch >= epoch) factor = value;
      }
      return factor;
    }
    case Kind::exponential: {
      const std::int64_t stage =
          std::min(length_ - 1, at.epoch * length_ / std::max<std::int64_t>(1, at.epochs));
      return std::pow(value_, static_cast<double>(stage) / static_cast<double>(length_ - 1));
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

bool PlateauTracker::observe(double error, std::int64_t epochs) {
  if (error < state_.best) {
    state_.best = error;
    state_.waited = 0;
    return false;
  }
  state_.waited += epochs;
  if (state_.drops == max_drops_ || state_.waited < patience_) return false;
  ++state_.drops;
  state_.waited = 0;
  return true;
}

}  // namespace convoy
