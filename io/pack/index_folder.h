// `convoy index`: makes the index of a folder of shards that other tools wrote.
#pragma once

#include <cstdint>
#include <filesystem>

namespace convoy {

struct IndexOptions {
  std::filesystem::path folder;   // of *.h5, each with `images` uint8 [n, S, S, 3] and `labels` [n]
  std::filesystem::path classes;  // a dataset or text file that names the classes; empty: numbers
};

struct IndexReport {
  std::int64_t images = 0;
  std::int64_t shards = 0;
  std::int64_t classes = 0;
};

// Reads every image once, for the mean, the colours' principal components and checksums, and writes
// index.h5 beside the shards, which stay as they are. Shards are taken in the order of their names.
// Throws Error(bad_data), naming the file, for shards that do not fit together or belong to an
// unfinished `convoy pack`, Error(usage) where there is an index, Error(resource) for a full disk.
IndexReport index_folder(const IndexOptions& options);

}  // namespace convoy
