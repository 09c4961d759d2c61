// The devkit's meta.mat made in memory for tests: a MATLAB 5 file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <zlib.h>

#include "tests/io/support/tar_maker.h"

namespace convoy {

struct Synset {
  double id;
  const char* wnid;
  const char* words;
};

using Bits = std::string;  // bytes of a MATLAB 5 file

inline Bits mat_word(std::uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline Bits mat_element(std::uint32_t type, const Bits& content) {
  Bits bits = mat_word(type) + mat_word(static_cast<std::uint32_t>(content.size())) + content;
  bits.resize((bits.size() + 7) / 8 * 8, '\0');
  return bits;
}

// An array of a class: [1, columns], or [rows, 1] where it is given so.
inline Bits mat_array(std::uint32_t kind, std::size_t rows, std::size_t columns, const Bits& name,
                      const Bits& content) {
  return mat_element(14, mat_element(6, mat_word(kind) + mat_word(0)) +
                             mat_element(5, mat_word(static_cast<std::uint32_t>(rows)) +
                                                mat_word(static_cast<std::uint32_t>(columns))) +
                             mat_element(1, name) + content);
}

inline Bits mat_text(const Bits& letters) {
  return mat_array(4, 1, letters.size(), "", mat_element(16, letters));
}

inline Bits mat_wide_text(const Bits& letters) {
  Bits wide;
  for (const char letter : letters) wide += {letter, '\0'};
  return mat_array(4, 1, letters.size(), "", mat_element(4, wide));
}

inline Bits mat_number(double value) {
  return mat_array(6, 1, 1, "",
                   mat_element(9, {reinterpret_cast<const char*>(&value), sizeof value}));
}

// As MATLAB packs small whole numbers: into the tag.
inline Bits mat_small_number(std::uint8_t value) {
  return mat_array(6, 1, 1, "", mat_word((1u << 16) | 2) + Bits{static_cast<char>(value), 0, 0, 0});
}

inline Bits mat_field_names(const std::vector<Bits>& names) {
  Bits all;
  for (Bits name : names) {
    name.resize(32, '\0');
    all += name;
  }
  return mat_word((4u << 16) | 5) + mat_word(32) + mat_element(1, all);
}

inline Bytes mat_file(const Bits& variable, bool compressed) {
  Bits file = "MATLAB 5.0 MAT-file, made for a test";
  file.resize(124, ' ');
  file += Bits("\0\1IM", 4);
  if (!compressed) return bytes_of(file + variable);
  uLongf size = compressBound(variable.size());
  Bits packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(variable.data()), variable.size());
  packed.resize(size);
  return bytes_of(file + mat_word(15) + mat_word(static_cast<std::uint32_t>(size)) + packed);
}

// A meta.mat with the fields of the real one that matter, and another variable before them.
inline Bytes meta_mat(const std::vector<Synset>& synsets, bool compressed = true,
                      const Bits& id_name = "ILSVRC2012_ID") {
  Bits cells;
  for (const Synset& synset : synsets) {
    const bool small = synset.id == 1;
    cells += small ? mat_small_number(1) : mat_number(synset.id);
    cells += mat_text(synset.wnid) + (small ? mat_wide_text(synset.words) : mat_text(synset.words));
    cells += mat_array(6, 0, 0, "", mat_element(9, ""));
  }
  return mat_file(mat_array(2, synsets.size(), 1, "synsets",
                            mat_field_names({id_name, "WNID", "words", "children"}) + cells),
                  compressed);
}

}  // namespace convoy
