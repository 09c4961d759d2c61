// Which images go into which shard, settled before the first is read: it depends on the source and
// the options alone, never on threads, ranks, or what turns out to be damaged.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "io/pack/pack.h"
#include "io/pack/pack_source.h"

namespace convoy {

class PackPlan {
 public:
  PackPlan(const PackOptions& options, const PackSource& source);

  [[nodiscard]] std::int64_t images() const { return std::ssize(order_); }
  [[nodiscard]] std::int64_t shards() const;
  // The source's images that shard `shard` is made of, in the order in which it stores them.
  [[nodiscard]] std::vector<std::uint32_t> images_of(std::int64_t shard) const;
  [[nodiscard]] std::int64_t count_of(std::int64_t shard) const;

  // A number that changes with all that decides what the dataset holds.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

  // The plan of an unfinished pack lies in its output. claim() leaves this one there, or goes on
  // with the one that is there if it is the same. Throws Error(usage), naming the first difference,
  // for another.
  void claim(const std::filesystem::path& output) const;
  // Throws Error(usage) where the plan in the output is another: this rank sees other images.
  void check_same(const std::filesystem::path& output) const;

 private:
  [[nodiscard]] Range range_of(std::int64_t shard) const;
  [[nodiscard]] std::string difference(const std::filesystem::path& path) const;

  std::vector<std::uint32_t> order_;  // shuffled, so that every shard holds every class
  std::int64_t shard_images_ = 1;
  std::vector<std::pair<std::string, std::string>> settings_;  // as a person calls them
  std::string fingerprint_;
};

// The file that marks an output as unfinished.
[[nodiscard]] std::filesystem::path plan_path(const std::filesystem::path& output);

}  // namespace convoy
