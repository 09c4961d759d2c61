// What the options of [data] mean to the datasets and plans that read by them.
#pragma once

#include <filesystem>

#include "dist/job.h"
#include "io/dataset/dataset.h"
#include "io/read/sample_order.h"

namespace convoy {

// Both throw Error(usage) for words that data.verify, data.read or data.shuffle do not take.
[[nodiscard]] Dataset open_dataset(const std::filesystem::path& folder, const DataOptions& options);
[[nodiscard]] ShuffleOptions shuffle_options(const DataOptions& options);

}  // namespace convoy
