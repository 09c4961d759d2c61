// A rank's record of its collectives: the last 1,024 of them, and where the rank stands.
//
// It lies in memory until keep_in() makes it a mapped file, which outlives even a killed process.
// What is written in a step are a few stores. Collectives may be entered and left by several
// threads, each group's by one; anybody may read meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dist/watch/record_image.h"
#include "dist/watch/standing.h"

namespace convoy {

class CollectiveRecord {
 public:
  // `job` is the same on all ranks of a job and another for each job.
  CollectiveRecord(int rank, int ranks, const std::string& host, std::uint64_t job);
  ~CollectiveRecord();
  CollectiveRecord(const CollectiveRecord&) = delete;
  CollectiveRecord& operator=(const CollectiveRecord&) = delete;

  // From now on lies in `folder`/collectives/rank-N, which is made anew; no other thread writes
  // meanwhile. Rank 0 removes records of ranks that the job does not have. Throws Error(resource).
  void keep_in(const std::filesystem::path& folder);

  // The place of a group whose collectives are recorded; `ranks` is how a person calls it.
  std::size_t add_group(std::uint64_t id, const std::string& ranks);
  void remove_group(std::size_t group);

  // The `number`th collective of the group begins; returns its sequence. `limit`: seconds that
  // the rank may wait in it; 0: for ever.
  std::uint64_t enter(std::size_t group, std::uint64_t number, const std::string& name,
                      std::int64_t bytes, double limit);
  // The rank does nothing but wait for it, or goes on with other work before its end.
  void wait(std::uint64_t sequence, bool waits);
  void leave(std::uint64_t sequence, std::size_t group, std::uint64_t number);
  void give_up(std::uint64_t sequence);

  void name_layers(const std::vector<std::string>& names);
  void set_step(std::int64_t step);  // counted from 1
  void set_place(Phase phase);
  void set_place(Phase phase, std::size_t layer);  // by its index in name_layers()

  void end(int exit_code);  // 0: all went well

  [[nodiscard]] Standing standing() const;
  [[nodiscard]] const record::Image& image() const { return *image_; }

 private:
  record::Image* image_;
};

// Of the oldest collective in `image` that its rank waits in, and where it is. Also of a file.
[[nodiscard]] Standing standing_of(const record::Image& image);
// Of the header or a slot.
[[nodiscard]] std::string place_of(const record::Image& image, std::uint64_t place);
// How a person calls a group that still is; else empty.
[[nodiscard]] std::string group_ranks(const record::Image& image, std::uint64_t group);
// The slot of a collective; null where a later one took its place.
[[nodiscard]] const record::Slot* slot_of(const record::Image& image, std::uint64_t sequence);

// Where a rank's record lies in a run directory.
[[nodiscard]] std::filesystem::path record_path(const std::filesystem::path& run, int rank);
// The boot of this host's kernel: process numbers say nothing beyond it.
[[nodiscard]] std::string boot_of_host();

}  // namespace convoy
