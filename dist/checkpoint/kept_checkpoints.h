// Which checkpoints of a run stay: the newest few, the newest that has shown itself good, and the
// best by validation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace convoy {

// Checkpoints step-NNNNNNNN.h5 in a folder, by step, newest first. What a person put or renamed
// there is not among them.
struct StepFile {
  std::int64_t step = 0;
  std::filesystem::path path;
};
[[nodiscard]] std::vector<StepFile> checkpoints_in(const std::filesystem::path& folder);

class KeptCheckpoints {
 public:
  // `keep`: newest ones that stay; 0: all. `keep_best`: whether best.h5 is made. `newest`: the step
  // of the one from which the run goes on, before which all losses were finite; negative: none.
  KeptCheckpoints(std::filesystem::path folder, std::int64_t keep, bool keep_best,
                  std::int64_t newest);

  // Where the checkpoint after `step` steps belongs.
  [[nodiscard]] std::filesystem::path path(std::int64_t step) const;
  // It is whole. Removes what need not stay. Files of later steps, which damage made useless, are
  // left alone until they are written again.
  void written(std::int64_t step);
  // Its weights have the best accuracy so far: best.h5 becomes a second name of it, as soon as it
  // is whole, and stays when the other goes.
  void best(std::int64_t step);
  // The weights after `step` steps, and all before, gave finite losses.
  void proven(std::int64_t step);
  [[nodiscard]] bool is_proven(std::int64_t step) const { return step <= proven_; }
  // The newest whole one that is proven; empty: none.
  [[nodiscard]] std::filesystem::path last_good() const;

 private:
  void remove_old() const;
  void link_best();

  std::filesystem::path folder_;
  std::int64_t keep_;
  bool keep_best_;
  std::int64_t newest_;  // whole; negative: none
  std::int64_t proven_;
  std::optional<std::int64_t> best_;  // to be linked
};

}  // namespace convoy
