// Reads the devkit's meta.mat, strictly: a MATLAB 5 file whose struct array `synsets` has ids,
// WNIDs and words. (libmatio, which Debian has, takes seconds and gigabytes over one wrong bit.)
// Source: MathWorks, "MAT-File Format", level 5.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "core/error.h"
#include "io/pack/devkit.h"

namespace convoy {
namespace {

// Types of stored values ("mi") and classes of arrays ("mx").
enum : std::uint32_t {
  mi_int8 = 1,
  mi_uint8 = 2,
  mi_int16 = 3,
  mi_uint16 = 4,
  mi_int32 = 5,
  mi_uint32 = 6,
  mi_double = 9,
  mi_matrix = 14,
  mi_compressed = 15,
  mi_utf8 = 16,
  mi_utf16 = 17,
  mx_struct = 2,
  mx_char = 4,
};

struct Element {
  std::uint32_t type = 0;
  std::string_view bytes;
};

template <typename T>
T value_at(std::string_view bytes, std::size_t at) {
  T value{};
  if (bytes.size() < at + sizeof value) fail(ExitCode::bad_data, "an array ends early");
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The elements that follow each other in a run of bytes. What does not fit throws, with a reason
// to be put behind the file's name.
class Elements {
 public:
  explicit Elements(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }

  Element next() {
    constexpr std::size_t tag_bytes = 8;
    const auto first = value_at<std::uint32_t>(rest_, 0);
    const auto second = value_at<std::uint32_t>(rest_, 4);
    if (const std::uint32_t small = first >> 16; small != 0) {  // up to 4 bytes within the tag
      if (small > 4) fail(ExitCode::bad_data, "a small element claims {} bytes", small);
      const Element element{first & 0xFFFF, rest_.substr(4, small)};
      rest_.remove_prefix(tag_bytes);
      return element;
    }
    rest_.remove_prefix(tag_bytes);
    if (second > rest_.size()) {
      fail(ExitCode::bad_data, "an element claims {} bytes where {} are left", second,
           rest_.size());
    }
    const Element element{first, rest_.substr(0, second)};
    const std::size_t padded = first == mi_compressed ? second : (std::size_t{second} + 7) / 8 * 8;
    rest_.remove_prefix(std::min(padded, rest_.size()));
    return element;
  }

 private:
  std::string_view rest_;
};

struct Array {
  std::uint32_t kind = 0;  // mx_...
  std::size_t count = 1;   // product of its extents
  std::string name;
  Elements content{{}};
};

constexpr std::size_t most_values = 1'000'000;  // of an array that this file is read for

Array parse_array(const Element& element) {
  Array array;
  if (element.type != mi_matrix) fail(ExitCode::bad_data, "an array is missing");
  if (element.bytes.empty()) {
    array.count = 0;
    return array;
  }
  array.content = Elements(element.bytes);
  array.kind = value_at<std::uint32_t>(array.content.next().bytes, 0) & 0xFF;
  const std::string_view extents = array.content.next().bytes;
  for (std::size_t at = 0; at < extents.size(); at += sizeof(std::int32_t)) {
    const auto extent = value_at<std::int32_t>(extents, at);
    if (extent < 0) fail(ExitCode::bad_data, "an array has a negative extent");
    array.count = std::min(array.count * static_cast<std::size_t>(extent), most_values + 1);
  }
  array.name = array.content.next().bytes;
  return array;
}

// A whole number, stored as a double or, packed, as the smallest integer that holds it.
std::optional<std::int64_t> whole_number(Array array) {
  if (array.count != 1) return std::nullopt;
  const Element stored = array.content.next();
  switch (stored.type) {
    case mi_int8:
      return value_at<std::int8_t>(stored.bytes, 0);
    case mi_uint8:
      return value_at<std::uint8_t>(stored.bytes, 0);
    case mi_int16:
      return value_at<std::int16_t>(stored.bytes, 0);
    case mi_uint16:
      return value_at<std::uint16_t>(stored.bytes, 0);
    case mi_int32:
      return value_at<std::int32_t>(stored.bytes, 0);
    case mi_uint32:
      return value_at<std::uint32_t>(stored.bytes, 0);
    case mi_double: {
      const auto value = value_at<double>(stored.bytes, 0);
      constexpr double exact = 1e15;
      if (std::isfinite(value) && std::abs(value) < exact && value == std::floor(value))
        return static_cast<std::int64_t>(value);
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// Letters of 8 or 16 bits; those beyond ASCII, which no WNID has, become '?' where they are wide.
std::optional<std::string> text(Array array) {
  if (array.count == 0) return std::string();
  if (array.kind != mx_char) return std::nullopt;
  const Element stored = array.content.next();
  if (stored.type != mi_uint16 && stored.type != mi_utf16) {
    const bool narrow = stored.type == mi_int8 || stored.type == mi_uint8 || stored.type == mi_utf8;
    return narrow ? std::optional(std::string(stored.bytes)) : std::nullopt;
  }
  std::string letters;
  for (std::size_t at = 0; at + 2 <= stored.bytes.size(); at += 2) {
    const auto letter = value_at<std::uint16_t>(stored.bytes, at);
    letters += letter < 0x80 ? static_cast<char>(letter) : '?';
  }
  return letters;
}

std::string inflated(std::string_view bytes) {
  constexpr std::size_t most = std::size_t{1} << 28;
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // only read from
  stream.avail_in = static_cast<uInt>(bytes.size());
  if (inflateInit(&stream) != Z_OK) fail(ExitCode::resource, "not enough memory for meta.mat");
  std::string out;
  int result = Z_OK;
  while (result == Z_OK && out.size() < most) {
    char chunk[65'536];
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk, sizeof chunk - stream.avail_out);
  }
  inflateEnd(&stream);
  if (result != Z_STREAM_END) fail(ExitCode::bad_data, "a compressed part is damaged");
  return out;
}

std::vector<std::string> field_names(Elements& content) {
  const auto length = value_at<std::int32_t>(content.next().bytes, 0);
  const std::string_view all = content.next().bytes;
  constexpr std::int32_t longest = 256;
  if (length < 1 || length > longest)
    fail(ExitCode::bad_data, "a struct's field names are damaged");
  std::vector<std::string> names;
  for (std::size_t at = 0; at < all.size(); at += static_cast<std::size_t>(length)) {
    const std::string_view padded = all.substr(at, static_cast<std::size_t>(length));
    names.emplace_back(padded.substr(0, padded.find('\0')));
  }
  return names;
}

struct Synset {
  std::optional<std::int64_t> id;
  std::optional<std::string> wnid;
  std::optional<std::string> words;
};

// The field of the ids bears the year: ILSVRC2012_ID.
bool is_id(const std::string& field) {
  return field.starts_with("ILSVRC") && field.ends_with("_ID");
}

std::vector<Synset> parse_synsets(Array array) {
  const std::vector<std::string> fields = field_names(array.content);
  std::vector<Synset> synsets;
  for (std::size_t i = 0; i < array.count; ++i) {
    Synset synset;
    for (const std::string& field : fields) {
      const Element cell = array.content.next();
      if (is_id(field)) synset.id = whole_number(parse_array(cell));
      if (field == "WNID") synset.wnid = text(parse_array(cell));
      if (field == "words") synset.words = text(parse_array(cell));
    }
    synsets.push_back(std::move(synset));
  }
  return synsets;
}

// Those of the file's variable `synsets`.
std::vector<Synset> find_synsets(std::string_view bytes) {
  constexpr std::size_t header_bytes = 128;
  // Version 1 and the order of bytes of whoever wrote it: here, little-endian. Later versions are
  // HDF5 files.
  if (!bytes.starts_with("MATLAB 5.0 MAT-file") || bytes.size() < header_bytes ||
      bytes.substr(header_bytes - 4, 4) != std::string_view("\0\1IM", 4)) {
    fail(ExitCode::bad_data, "it is not a little-endian MATLAB 5 file");
  }
  for (Elements variables(bytes.substr(header_bytes)); !variables.empty();) {
    Element variable = variables.next();
    std::string unpacked;
    if (variable.type == mi_compressed) {
      unpacked = inflated(variable.bytes);
      variable = Elements(unpacked).next();
    }
    if (variable.type != mi_matrix) continue;
    Array array = parse_array(variable);
    if (array.name == "synsets" && array.kind == mx_struct && array.count <= most_values)
      return parse_synsets(std::move(array));
  }
  fail(ExitCode::bad_data, "it has no struct array 'synsets'");
}

}  // namespace

std::map<std::int64_t, ClassInfo> parse_meta_mat(const std::string& bytes,
                                                 const std::string& name) {
  std::vector<Synset> synsets;
  try {
    synsets = find_synsets(bytes);
  } catch (const Error& error) {
    fail(error.code(), "{} is damaged or not the devkit's: {}", name, error.what());
  }
  std::map<std::int64_t, ClassInfo> classes;
  for (std::size_t i = 0; i < synsets.size(); ++i) {
    const auto& [id, wnid, words] = synsets[i];
    if (!id || *id < 1 || !wnid || wnid->empty() || !words) {
      fail(ExitCode::bad_data, "synset {} in {} has no whole ILSVRC id, no WNID, or no words",
           i + 1, name);
    }
    if (*id > last_ilsvrc_id) continue;
    if (!classes.emplace(*id, ClassInfo{*wnid, *words}).second) {
      fail(ExitCode::bad_data, "{} has the ILSVRC id {} twice", name, *id);
    }
  }
  return classes;
}

}  // namespace convoy
