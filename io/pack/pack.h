// `convoy pack`: images in folders, lists or tars -> an HDF5 dataset (README has its format).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace convoy {

struct PackOptions {
  std::filesystem::path input;    // what may be packed: io/pack/pack_source.h
  std::filesystem::path output;   // created; refused where it already holds a dataset
  std::int64_t size = 256;        // shorter side after resizing, then centre crop [size, size]
  std::int64_t shard_images = 0;  // images per shard; 0 = about 256 MiB a shard
  std::uint64_t seed = 1;         // of the shuffle over shards
  int threads = 0;                // decoding threads; 0 = cores
  std::string encoding = "raw";   // of the stored images: raw, jpeg (io/dataset/dataset.h)
  int jpeg_quality = 95;          // 1 to 100; colours are kept at full resolution (4:4:4)
  std::filesystem::path
      classes;  // a dataset or text file whose class list is used; empty: those found
  std::filesystem::path labels;  // text: the classes of images that lie in no class folders
  std::filesystem::path devkit;  // ILSVRC's, which translates its ids and has the classes' words
};

struct PackIssue {
  std::string file;       // relative to the input
  bool left_out = false;  // else packed after a repair or conversion
  std::string what;  // "PNG data under a JPEG name", "CMYK converted", "cannot be decoded: ..."
};

struct PackReport {
  std::int64_t packed = 0;
  std::int64_t left_out = 0;
  std::int64_t shards = 0;
  std::int64_t classes = 0;
  std::vector<PackIssue> issues;
};

// Several processes that pack one dataset together. Shards are dealt to them; they meet only at
// `barrier` and in the output folder, which all of them must see.
struct PackTeam {
  int rank = 0;
  int size = 1;
  int ranks_on_host = 1;                  // they share its cores
  std::function<void()> barrier = [] {};  // returns when every rank has called it
};

// Writes shards, then report.jsonl (one issue a line), then index.h5. Every file is written aside,
// synced and renamed; the index comes last, so a folder without one is not a dataset. What the
// dataset holds, to the byte, depends on the source and the options but not on ranks and threads.
//
// Stopped at any moment, it goes on when started again with the same options: finished shards have
// left a record (io/pack/pack_record.h) and are not packed again. Until the index is written the
// output holds the plan (io/pack/pack_plan.h), and other options than its own are refused.
//
// Rank 0 returns the report on all shards, the others an empty one. Progress goes to standard error
// (of rank 0: its own share). Throws Error(bad_data) for a source that cannot be used or has not
// one usable image, Error(usage) for an output that is in use or belongs to other options,
// Error(resource) for a full disk.
PackReport pack(const PackOptions& options, const PackTeam& team = {});

}  // namespace convoy
