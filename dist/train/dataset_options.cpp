// Words of options to what they stand for.
#include "dist/train/dataset_options.h"

#include <string>

#include "core/error.h"

namespace convoy {
namespace {

Verify verify_mode(const std::string& name) {
  if (name == "first") return Verify::first;
  if (name == "always") return Verify::always;
  if (name == "never") return Verify::never;
  fail(ExitCode::usage, "data.verify is '{}'; use first, always or never", name);
}

ReadMode read_mode(const std::string& name) {
  if (name == "cached") return ReadMode::cached;
  if (name == "direct") return ReadMode::direct;
  fail(ExitCode::usage, "data.read is '{}'; use cached or direct", name);
}

}  // namespace

Dataset open_dataset(const std::filesystem::path& folder, const DataOptions& options) {
  return Dataset(folder, verify_mode(options.verify), read_mode(options.read));
}

ShuffleOptions shuffle_options(const DataOptions& options) {
  if (options.shuffle == "full") return {};
  if (options.shuffle == "block") return {Shuffle::block, options.block_images};
  fail(ExitCode::usage, "data.shuffle is '{}'; use full or block", options.shuffle);
}

}  // namespace convoy
