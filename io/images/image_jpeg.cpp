// JPEG through TurboJPEG: every colour space to RGB, and a verdict on damaged files.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <turbojpeg.h>

#include "core/error.h"
#include "io/images/image_formats.h"

namespace convoy {
namespace {

struct DestroyHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Decompressor = std::unique_ptr<void, DestroyHandle>;

// One a file: a used decompressor remembers the last file's tables, and after some broken headers
// refuses every file that follows.
Decompressor make_decompressor() {
  Decompressor handle(tjInitDecompress());
  if (!handle) fail(ExitCode::resource, "cannot start the JPEG decoder: {}", tjGetErrorStr());
  return handle;
}

struct Markers {
  bool progressive = false;
  bool adobe = false;  // APP14 "Adobe": such files store CMYK inverted, 255 = no ink
};

// Walks the segments up to the first scan. TurboJPEG tells neither of the two.
Markers find_markers(std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t start_of_scan = 0xDA;
  constexpr std::uint8_t progressive_frame = 0xC2;
  constexpr std::uint8_t app14 = 0xEE;
  constexpr std::string_view adobe = "Adobe";
  Markers markers;
  for (std::size_t at = 2; at + 4 <= bytes.size();) {
    const std::uint8_t marker = bytes[at + 1];
    if (bytes[at] != 0xFF || marker == 0xFF) {  // stray bytes, padding
      ++at;
      continue;
    }
    if (marker == start_of_scan) break;
    const std::size_t length = (std::size_t{bytes[at + 2]} << 8) | bytes[at + 3];
    const auto body = bytes.subspan(at + 4);
    if (marker == progressive_frame) markers.progressive = true;
    if (marker == app14 && length >= 2 + adobe.size() && body.size() >= adobe.size() &&
        std::equal(adobe.begin(), adobe.end(), body.begin()))
      markers.adobe = true;
    at += 2 + std::max<std::size_t>(length, 2);
  }
  return markers;
}

// TurboJPEG reports the decoder's first warning, or the error that ended it. Warnings are known by
// their words (its error code says "warning" for an error that follows a warning).
bool is_warning(std::string_view message) {
  constexpr std::string_view warnings[] = {
      "Corrupt JPEG data", "Premature end of JPEG file", "Inconsistent progression sequence",
      "Warning: ",         "Invalid SOS parameters",     "Unknown Adobe color transform"};
  return std::any_of(std::begin(warnings), std::end(warnings),
                     [&](std::string_view start) { return message.starts_with(start); });
}

// Decodes to `pixels` [height, width, 3 or 4], whose size is settled. Returns the first warning.
std::optional<std::string> decompress(tjhandle jpeg, std::span<const std::uint8_t> bytes,
                                      Image& image, TJPF format) {
  const int failed = tjDecompress2(jpeg, bytes.data(), bytes.size(), image.pixels.data(),
                                   static_cast<int>(image.width), 0, static_cast<int>(image.height),
                                   format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
  if (failed == 0) return std::nullopt;
  std::string message = tjGetErrorStr2(jpeg);
  if (!is_warning(message)) fail(ExitCode::bad_data, "cannot be decoded: JPEG: {}", message);
  return message;
}

// Decodes, and decides about damage: the note to make, if any. Throws where pixels are missing.
std::optional<std::string> decompress_or_refuse(tjhandle jpeg, std::span<const std::uint8_t> bytes,
                                                const Markers& markers, Image& image, TJPF format) {
  const std::optional<std::string> warning = decompress(jpeg, bytes, image, format);
  if (!warning) return std::nullopt;
  const bool data_end = warning->find("premature end of data segment") != std::string::npos;
  const bool file_end = warning->starts_with("Premature end of JPEG file");
  if (!data_end && !file_end) return "JPEG: " + *warning;
  // Where only the end marker is missing, adding it silences the warning. Of a progressive file
  // whole scans may be missing before it, unseen.
  if (file_end && !markers.progressive) {
    std::vector<std::uint8_t> ended(bytes.begin(), bytes.end());
    ended.insert(ended.end(), {0xFF, 0xD9});
    if (!decompress(jpeg, ended, image, format)) return "JPEG end marker missing";
  }
  fail(ExitCode::bad_data, "is cut short: JPEG: {}", *warning);
}

// The smallest of 1, 1/2, 1/4, 1/8 that leaves a shorter side of at least `enough`.
tjscalingfactor scale_for(std::int64_t shorter, std::int64_t enough) {
  int divisor = 1;
  while (enough > 0 && divisor < 8 && shorter / (divisor * 2) >= enough) divisor *= 2;
  return {1, divisor};
}

// Ink to light: each colour is what its ink and the black let through.
std::vector<std::uint8_t> cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, bool inverted) {
  std::vector<std::uint8_t> rgb(cmyk.size() / 4 * 3);
  const auto light = [inverted](std::uint8_t value) {
    return inverted ? unsigned{value} : 255u - value;
  };
  for (std::size_t from = 0, to = 0; from < cmyk.size(); from += 4, to += 3) {
    const unsigned black = light(cmyk[from + 3]);
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[to + c] = static_cast<std::uint8_t>((light(cmyk[from + c]) * black + 127u) / 255u);
    }
  }
  return rgb;
}

}  // namespace

DecodedImage decode_jpeg(std::span<const std::uint8_t> bytes, std::int64_t enough) {
  const Decompressor decompressor = make_decompressor();
  const tjhandle jpeg = decompressor.get();
  const Markers markers = find_markers(bytes);
  int width = 0;
  int height = 0;
  int subsampling = -1;
  int colour_space = -1;
  const int header = tjDecompressHeader3(jpeg, bytes.data(), bytes.size(), &width, &height,
                                         &subsampling, &colour_space);
  // An unusual subsampling is an error to this call, and none to the decoder.
  if (header != 0 && (width < 1 || height < 1 || colour_space < 0)) {
    fail(ExitCode::bad_data, "cannot be decoded: JPEG: {}", tjGetErrorStr2(jpeg));
  }
  if (width == 0) fail(ExitCode::bad_data, "cannot be decoded: JPEG: it has no image");
  check_image_size(width, height);

  const tjscalingfactor scale = scale_for(std::min(width, height), enough);
  const bool cmyk = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
  DecodedImage result;
  result.format = ImageFormat::jpeg;
  result.image.width = TJSCALED(width, scale);
  result.image.height = TJSCALED(height, scale);
  const std::size_t pixels =
      static_cast<std::size_t>(result.image.width) * static_cast<std::size_t>(result.image.height);
  result.image.pixels.resize(pixels * (cmyk ? 4 : 3));
  if (const auto note =
          decompress_or_refuse(jpeg, bytes, markers, result.image, cmyk ? TJPF_CMYK : TJPF_RGB)) {
    result.notes.push_back(*note);
  }
  if (cmyk) {
    result.image.pixels = cmyk_to_rgb(result.image.pixels, markers.adobe);
    result.notes.emplace_back("CMYK converted");
  }
  return result;
}

}  // namespace convoy
