// `convoy verify`: goes through a whole dataset and lists everything that is wrong with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/images/contact_sheet.h"

namespace convoy {

struct VerifyOptions {
  std::filesystem::path dataset;
  std::filesystem::path sheet;     // PNG of random images; empty: none
  std::int64_t sheet_images = 64;  // as many as there are, at most
  std::uint64_t seed = 1;          // of their choice
  int threads = 0;                 // 0 = cores
};

struct VerifyReport {
  std::int64_t images = 0;  // read and compared with their checksums
  std::int64_t shards = 0;
  std::int64_t classes = 0;
  std::vector<std::string> faults;  // a sentence each, of the shards in their order
  std::vector<std::string> notes;   // what is no fault but worth knowing
  std::vector<SheetImage> sheet;    // what the contact sheet shows, in its order
};

// Reads every image. Faults: a shard that is missing or cannot be used, labels out of range, a
// checksum that differs, counts that are not the index's, shards that the index does not name.
// Progress goes to standard error. Throws Error(bad_data) where there is no index to hold the rest
// against, Error(resource) for a contact sheet that cannot be written.
[[nodiscard]] VerifyReport verify_dataset(const VerifyOptions& options);

}  // namespace convoy
