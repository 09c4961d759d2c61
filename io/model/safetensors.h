// The safetensors format: the length of a JSON header, the header (names, types, shapes, offsets),
// then the values.
#pragma once

#include <filesystem>
#include <memory>

#include "io/model/model_file.h"

namespace convoy {

// Whole or absent (io/files/durable.h); the same model gives the same bytes. Throws
// Error(resource).
void write_safetensors(const std::filesystem::path& path, const OutgoingModel& model);

// Throws Error(bad_checkpoint) where offsets overlap, leave gaps or reach outside, where a name
// stands twice, and for values of another type than float32.
[[nodiscard]] std::unique_ptr<ModelFile> open_safetensors(const std::filesystem::path& path);

}  // namespace convoy
