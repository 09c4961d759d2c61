// Image files made in memory for tests: JPEG through TurboJPEG, PNG through libpng.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <png.h>
#include <turbojpeg.h>

namespace convoy {

using Bytes = std::vector<std::uint8_t>;

struct JpegKind {
  int pixel_format = TJPF_RGB;
  int subsampling = TJSAMP_444;
  int flags = 0;
};

inline Bytes jpeg_file(const Bytes& pixels, int width, int height, const JpegKind& kind = {}) {
  const std::unique_ptr<void, decltype(&tjDestroy)> encoder(tjInitCompress(), &tjDestroy);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  const int failed = tjCompress2(encoder.get(), pixels.data(), width, 0, height, kind.pixel_format,
                                 &data, &size, kind.subsampling, 97, kind.flags);
  const std::unique_ptr<unsigned char, decltype(&tjFree)> owner(data, &tjFree);
  if (failed != 0) throw std::runtime_error(tjGetErrorStr2(encoder.get()));
  return {data, data + size};
}

// `format` is one of libpng's PNG_FORMAT_*; 16-bit formats take pixels of two bytes.
inline Bytes png_file(const Bytes& pixels, int width, int height, png_uint_32 format,
                      const Bytes& colour_map = {}) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = format;
  image.colormap_entries = static_cast<png_uint_32>(colour_map.size() / 3);
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  Bytes file(size);
  if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0,
                                colour_map.empty() ? nullptr : colour_map.data()) == 0)
    throw std::runtime_error(image.message);
  file.resize(size);
  return file;
}

// Every pixel has the given channels.
inline Bytes constant_pixels(int width, int height, const Bytes& channels) {
  Bytes pixels;
  for (int i = 0; i < width * height; ++i) {
    pixels.insert(pixels.end(), channels.begin(), channels.end());
  }
  return pixels;
}

// Soft RGB ramps: red grows to the right, green downwards, blue with both.
inline Bytes ramp_pixels(int width, int height) {
  Bytes pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      pixels.push_back(static_cast<std::uint8_t>(255 * x / width));
      pixels.push_back(static_cast<std::uint8_t>(255 * y / height));
      pixels.push_back(static_cast<std::uint8_t>(127 * x / width + 127 * y / height));
    }
  }
  return pixels;
}

// Without the segments of one marker, e.g. 0xEE for APP14.
inline Bytes without_marker(const Bytes& jpeg, std::uint8_t marker) {
  Bytes result(jpeg.begin(), jpeg.begin() + 2);
  std::size_t at = 2;
  while (jpeg.at(at + 1) != 0xDA) {
    const std::size_t next =
        at + 2 + static_cast<std::size_t>(jpeg.at(at + 2)) * 256 + jpeg.at(at + 3);
    if (jpeg[at + 1] != marker) {
      result.insert(result.end(), jpeg.begin() + static_cast<std::ptrdiff_t>(at),
                    jpeg.begin() + static_cast<std::ptrdiff_t>(next));
    }
    at = next;
  }
  result.insert(result.end(), jpeg.begin() + static_cast<std::ptrdiff_t>(at), jpeg.end());
  return result;
}

// Without the chunks of one kind, e.g. "gAMA".
inline Bytes without_chunk(const Bytes& png, const std::string& kind) {
  Bytes result(png.begin(), png.begin() + 8);
  for (std::size_t at = 8; at < png.size();) {
    std::size_t length = 12;  // length, kind and checksum, besides the content
    for (std::size_t i = 0, shift = 24; i < 4; ++i, shift -= 8)
      length += std::size_t{png.at(at + i)} << shift;
    const auto begin = png.begin() + static_cast<std::ptrdiff_t>(at);
    if (!std::equal(kind.begin(), kind.end(), begin + 4))
      result.insert(result.end(), begin, begin + static_cast<std::ptrdiff_t>(length));
    at += length;
  }
  return result;
}

inline void write_bytes(const std::filesystem::path& path, const Bytes& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  write_bytes(path, Bytes(text.begin(), text.end()));
}

inline Bytes read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace convoy
