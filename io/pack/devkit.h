// ILSVRC's development kit: which WNID an ILSVRC id stands for, and the validation images' ids.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "io/dataset/dataset.h"

namespace convoy {

// Greater ids are inner synsets, which no image has.
constexpr std::int64_t last_ilsvrc_id = 1000;

struct Devkit {
  std::map<std::int64_t, ClassInfo> classes;  // by ILSVRC id, 1 to 1000
  std::string ground_truth;                   // text: an id a line; empty where there is none
  std::filesystem::path path;                 // for messages
};

// `path` is the devkit as a folder or as an archive (.tar.gz as it is published), its meta.mat, or
// a text list with lines "ID WNID words". What the bytes are decides. Throws Error(bad_data).
[[nodiscard]] Devkit read_devkit(const std::filesystem::path& path);

// The synsets of a meta.mat (a MATLAB 5 file with the struct array `synsets`). `name` is for
// messages.
[[nodiscard]] std::map<std::int64_t, ClassInfo> parse_meta_mat(const std::string& bytes,
                                                               const std::string& name);

}  // namespace convoy
