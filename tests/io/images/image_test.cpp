// Decoding: colours of every kind of file, and no harm from damaged ones.
#include "io/images/image.h"

#include <algorithm>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void expect_constant(const Image& image, int red, int green, int blue, int tolerance = 2) {
  const int expected[3] = {red, green, blue};
  ASSERT_EQ(image.pixels.size(), static_cast<std::size_t>(image.width * image.height * 3));
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    ASSERT_NEAR(image.pixels[i], expected[i % 3], tolerance) << "value " << i;
  }
}

double mean_difference(const Bytes& a, const Bytes& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum / static_cast<double>(a.size());
}

TEST(Decode, JpegInColour) {
  for (const int subsampling : {TJSAMP_444, TJSAMP_422, TJSAMP_420, TJSAMP_440, TJSAMP_411}) {
    for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
      const Bytes pixels = ramp_pixels(37, 29);
      const auto decoded = decode_image(jpeg_file(pixels, 37, 29, {TJPF_RGB, subsampling, flags}));
      EXPECT_EQ(decoded.format, ImageFormat::jpeg);
      EXPECT_EQ(decoded.image.width, 37);
      EXPECT_EQ(decoded.image.height, 29);
      EXPECT_THAT(decoded.notes, IsEmpty());
      EXPECT_LT(mean_difference(decoded.image.pixels, pixels), 4);
    }
  }
}

TEST(Decode, GrayscaleJpegHasThreeEqualChannels) {
  const auto decoded =
      decode_image(jpeg_file(constant_pixels(16, 24, {90}), 16, 24, {TJPF_GRAY, TJSAMP_GRAY}));
  EXPECT_THAT(decoded.notes, IsEmpty());
  expect_constant(decoded.image, 90, 90, 90);
}

// Adobe's files store light (255 = no ink). TurboJPEG writes YCCK with Adobe's marker.
TEST(Decode, Ycck) {
  for (const int subsampling : {TJSAMP_444, TJSAMP_420}) {
    const Bytes file =
        jpeg_file(constant_pixels(16, 16, {255, 51, 0, 204}), 16, 16, {TJPF_CMYK, subsampling});
    const auto decoded = decode_image(file);
    EXPECT_THAT(decoded.notes, ElementsAre("CMYK converted"));
    expect_constant(decoded.image, 204, 41, 0, 4);
  }
}

// A YCCK file of the colour (55, 55, 55, 51) holds the values (200, 128, 128, 51), which count as
// CMYK where the marker says so or is not there.
TEST(Decode, CmykIsLightInAdobeFilesAndInkInOthers) {
  Bytes file =
      jpeg_file(constant_pixels(16, 16, {55, 55, 55, 51}), 16, 16, {TJPF_CMYK, TJSAMP_444});
  expect_constant(decode_image(without_marker(file, 0xEE)).image, 44, 102, 102);
  const Bytes marker{0xFF, 0xEE, 0x00, 0x0E, 'A', 'd', 'o', 'b', 'e'};
  const auto at = std::search(file.begin(), file.end(), marker.begin(), marker.end());
  ASSERT_EQ(at[15], 2);  // its colour transform: YCCK
  at[15] = 0;            // none: CMYK
  expect_constant(decode_image(file).image, 40, 26, 26);
}

TEST(Decode, EveryKindOfPng) {
  expect_constant(
      decode_image(png_file(constant_pixels(5, 4, {1, 2, 3}), 5, 4, PNG_FORMAT_RGB)).image, 1, 2, 3,
      0);
  expect_constant(decode_image(png_file(constant_pixels(5, 4, {77}), 5, 4, PNG_FORMAT_GRAY)).image,
                  77, 77, 77, 0);
  const Bytes indices(20, 1);
  expect_constant(
      decode_image(png_file(indices, 5, 4, PNG_FORMAT_RGB_COLORMAP, {9, 9, 9, 10, 20, 30})).image,
      10, 20, 30, 0);
  const auto decoded =
      decode_image(png_file(constant_pixels(5, 4, {200, 100, 0, 0}), 5, 4, PNG_FORMAT_RGBA));
  EXPECT_EQ(decoded.format, ImageFormat::png);
  EXPECT_THAT(decoded.notes, ElementsAre("transparency laid on white"));
  expect_constant(decoded.image, 255, 255, 255, 0);
}

TEST(Decode, SixteenBitPng) {
  const Bytes linear = constant_pixels(3, 3, {0xFF, 0xFF, 0, 0, 0xFF, 0xFF});
  const auto decoded = decode_image(png_file(linear, 3, 3, PNG_FORMAT_LINEAR_RGB));
  expect_constant(decoded.image, 255, 0, 255, 0);
}

// Such a file does not say that its values are linear light.
TEST(Decode, SixteenBitPngWithoutGammaKeepsItsUpperBytes) {
  const auto decoded = [](const Bytes& pixels, png_uint_32 format) {
    const Bytes file = png_file(pixels, 3, 3, format);
    const Bytes bare = without_chunk(without_chunk(file, "gAMA"), "cHRM");
    EXPECT_LT(bare.size(), file.size());
    return decode_image(bare).image;
  };
  for (const int v : {0, 1, 40, 100, 180, 254, 255}) {
    const auto value = static_cast<std::uint8_t>(v);  // v * 257 is this byte twice
    const auto other = static_cast<std::uint8_t>(255 - v);
    expect_constant(decoded(constant_pixels(3, 3, {value, value}), PNG_FORMAT_LINEAR_Y), v, v, v,
                    0);
    expect_constant(decoded(constant_pixels(3, 3, {value, value, 100, 100, other, other}),
                            PNG_FORMAT_LINEAR_RGB),
                    v, 100, 255 - v, 0);
  }
}

TEST(Decode, HalfTransparentPixelsAreBlendedAsStored) {
  const auto half =
      decode_image(png_file(constant_pixels(5, 4, {40, 100, 180, 128}), 5, 4, PNG_FORMAT_RGBA));
  EXPECT_THAT(half.notes, ElementsAre("transparency laid on white"));
  expect_constant(half.image, 147, 177, 217, 0);
  const auto whole =
      decode_image(png_file(constant_pixels(5, 4, {40, 100, 180, 255}), 5, 4, PNG_FORMAT_RGBA));
  expect_constant(whole.image, 40, 100, 180, 0);
}

TEST(Decode, LargeJpegsMayComeOutSmaller) {
  const Bytes file = jpeg_file(ramp_pixels(320, 240), 320, 240);
  EXPECT_EQ(decode_image(file, 241).image.height, 240);
  EXPECT_EQ(decode_image(file, 120).image.height, 120);
  EXPECT_EQ(decode_image(file, 100).image.height, 120);
  EXPECT_EQ(decode_image(file, 60).image.width, 80);
  EXPECT_EQ(decode_image(file, 1).image.height, 30);
}

TEST(Decode, RefusesWhatIsNoImage) {
  expect_error(ExitCode::bad_data, {"is empty"}, [] { (void)decode_image({}); });
  const Bytes text{'h', 'e', 'l', 'l', 'o', '\n'};
  expect_error(ExitCode::bad_data, {"neither JPEG nor PNG"}, [&] { (void)decode_image(text); });
  const Bytes start{0xFF, 0xD8, 0xFF};
  expect_error(ExitCode::bad_data, {"JPEG"}, [&] { (void)decode_image(start); });
}

TEST(Decode, OneFileDoesNotSpoilTheNext) {
  const Bytes start{0xFF, 0xD8, 0xFF};
  expect_error(ExitCode::bad_data, {"JPEG"}, [&] { (void)decode_image(start); });
  EXPECT_EQ(decode_image(jpeg_file(ramp_pixels(16, 16), 16, 16)).image.width, 16);
}

TEST(Decode, RefusesAbsurdSizes) {
  Bytes file = jpeg_file(ramp_pixels(16, 16), 16, 16);
  const Bytes frame{0xFF, 0xC0, 0x00, 0x11, 0x08};
  auto size = std::search(file.begin(), file.end(), frame.begin(), frame.end()) + 5;
  for (int i = 0; i < 4; ++i) *size++ = 0xFF;
  // libjpeg's own limit is 65,500 a side.
  expect_error(ExitCode::bad_data, {"65500"}, [&] { (void)decode_image(file); });
  size -= 4;
  for (int i = 0; i < 4; ++i) *size++ = 0xF0;
  expect_error(ExitCode::bad_data, {"61680 x 61680"}, [&] { (void)decode_image(file); });
}

TEST(Decode, RepairsAndNotesWhatLeavesThePixelsWhole) {
  const Bytes pixels = ramp_pixels(64, 48);
  Bytes no_end = jpeg_file(pixels, 64, 48);
  no_end.resize(no_end.size() - 2);
  const auto decoded = decode_image(no_end);
  EXPECT_THAT(decoded.notes, ElementsAre("JPEG end marker missing"));
  EXPECT_LT(mean_difference(decoded.image.pixels, pixels), 2);

  Bytes stray = jpeg_file(pixels, 64, 48);
  const std::uint8_t junk[] = {1, 2, 3};
  stray.insert(stray.begin() + 2, std::begin(junk), std::end(junk));
  EXPECT_THAT(decode_image(stray).notes, ElementsAre(HasSubstr("extraneous bytes")));
}

TEST(Decode, RefusesPixelsThatEndEarly) {
  for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
    Bytes file = jpeg_file(ramp_pixels(64, 48), 64, 48, {TJPF_RGB, TJSAMP_420, flags});
    file.resize(file.size() / 2);
    expect_error(ExitCode::bad_data, {"cut short"}, [&] { (void)decode_image(file); });
  }
}

// Files of every kind that the decoders have a path for.
std::vector<Bytes> samples() {
  const Bytes pixels = ramp_pixels(40, 33);
  return {jpeg_file(pixels, 40, 33, {TJPF_RGB, TJSAMP_420}),
          jpeg_file(pixels, 40, 33, {TJPF_RGB, TJSAMP_444, TJFLAG_PROGRESSIVE}),
          jpeg_file(constant_pixels(20, 20, {10, 200, 30, 90}), 20, 20, {TJPF_CMYK, TJSAMP_420}),
          jpeg_file(constant_pixels(20, 20, {10}), 20, 20, {TJPF_GRAY, TJSAMP_GRAY}),
          png_file(pixels, 40, 33, PNG_FORMAT_RGB)};
}

// True where the bytes decode. Anything thrown but Error(bad_data) fails the test.
bool decodes(const Bytes& bytes, std::size_t* notes = nullptr) {
  try {
    const auto decoded = decode_image(bytes);
    EXPECT_EQ(decoded.image.pixels.size(),
              static_cast<std::size_t>(decoded.image.width * decoded.image.height * 3));
    if (notes != nullptr) *notes = decoded.notes.size();
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
    return false;
  }
}

TEST(Decode, SurvivesTruncationAtEveryLength) {
  for (const Bytes& whole : samples()) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      // A copy of the exact size, so that sanitizers see a read past its end.
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      std::size_t notes = 0;
      if (decodes(cut, &notes) && whole[0] == 0xFF) {
        EXPECT_GT(notes, 0u) << "a JPEG cut to " << length << " of " << whole.size()
                             << " bytes passed for whole";
      }
    }
  }
}

TEST(Decode, SurvivesRandomDamage) {
  constexpr int flips = 2000;
  std::mt19937 random(7);
  int decoded = 0;
  const auto files = samples();
  for (int i = 0; i < flips; ++i) {
    Bytes bytes = files[static_cast<std::size_t>(i) % files.size()];
    for (unsigned k = 0; k < 1 + random() % 3; ++k) {
      bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    }
    decoded += decodes(bytes) ? 1 : 0;
  }
  EXPECT_GT(decoded, flips / 10);
  EXPECT_LT(decoded, flips);
}

// A test on files from outside: every one of them must decode.
TEST(Decode, RealImages) {
  const char* folder = std::getenv("CONVOY_TEST_IMAGES");
  if (folder == nullptr) GTEST_SKIP() << "CONVOY_TEST_IMAGES names no folder of class folders";
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || ++files > 200) continue;
    EXPECT_TRUE(decodes(read_bytes(entry.path()))) << entry.path();
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace convoy
