// Reads, decodes, resizes, encodes and checksums images on several threads.
#include "io/pack/image_packer.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <utility>

#include <strings.h>

#include "core/error.h"
#include "io/files/crc32c.h"
#include "io/images/jpeg_encoder.h"
#include "io/images/square_image.h"

namespace convoy {
namespace {

bool named_as_jpeg(const std::string& name) {
  const std::string extension = std::filesystem::path(name).extension().string();
  return strcasecmp(extension.c_str(), ".jpg") == 0 || strcasecmp(extension.c_str(), ".jpeg") == 0;
}

}  // namespace

ImagePacker::ImagePacker(const PackSource& source, const PackOptions& options, int threads)
    : source_(source),
      encoding_(options.encoding == "jpeg" ? Encoding::jpeg : Encoding::raw),
      jpeg_quality_(options.jpeg_quality),
      size_(options.size),
      image_bytes_(static_cast<std::size_t>(options.size * options.size * 3)),
      threads_(static_cast<std::size_t>(threads)) {}

ImagePacker::Outcome ImagePacker::decode_image_of(std::uint32_t image,
                                                  std::span<std::uint8_t> square) const {
  const std::string& name = source_.listing().images[image].name;
  Outcome outcome;
  try {
    const SquareNotes found = make_square(source_.read(image), size_, square);
    if (found.format == ImageFormat::png && named_as_jpeg(name)) {
      outcome.issues.push_back({name, false, "PNG data under a JPEG name"});
    }
    for (const std::string& note : found.notes) outcome.issues.push_back({name, false, note});
    outcome.packed = true;
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) throw;
    outcome.issues.push_back({name, true, error.what()});
  } catch (const std::bad_alloc&) {
    fail(ExitCode::resource, "not enough memory to decode {}", name);
  }
  return outcome;
}

// Where the pixels of the image at this place of the shard go until it is known which are kept.
std::span<std::uint8_t> ImagePacker::room(std::size_t place) {
  if (encoding_ == Encoding::raw)
    return std::span(stored_).subspan(place * image_bytes_, image_bytes_);
  thread_local std::vector<std::uint8_t> square;
  square.resize(image_bytes_);
  return square;
}

void ImagePacker::decode(std::span<const std::uint32_t> images, std::vector<Outcome>& outcomes,
                         PixelStatistics& total,
                         const std::function<void(std::int64_t)>& progress) {
  // Taken in the order of the source, where neighbours lie close together on the disk.
  std::vector<std::size_t> places(images.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::sort(places, {}, [&](std::size_t place) { return images[place]; });

  std::atomic<std::size_t> next{0};
  std::atomic<std::int64_t> done{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&](bool reports) {
    try {
      PixelStatistics statistics(size_);
      const JpegEncoder encoder(jpeg_quality_, ChromaResolution::full);
      for (std::size_t i = next++; i < places.size(); i = next++) {
        const std::size_t place = places[i];
        const std::span<std::uint8_t> square = room(place);
        Outcome& outcome = outcomes[place] = decode_image_of(images[place], square);
        if (outcome.packed) {
          statistics.add(square.data());
          if (encoding_ == Encoding::jpeg)
            outcome.jpeg = encoder.encode(square.data(), size_, size_);
          outcome.checksum = encoding_ == Encoding::jpeg
                                 ? crc32c(outcome.jpeg.data(), outcome.jpeg.size())
                                 : crc32c(square.data(), square.size());
        }
        ++done;
        if (reports) progress(done);
      }
      const std::scoped_lock lock(mutex);
      total.add(statistics);
    } catch (...) {
      next = places.size();  // the other threads have nothing left to do
      const std::scoped_lock lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t t = 1; t < std::min(threads_, places.size()); ++t) {
      helpers.emplace_back(work, false);
    }
    work(true);
  }
  if (failure) std::rethrow_exception(failure);
}

// Takes the image at `place` into the shard, closing the gaps that unusable ones left before it.
void ImagePacker::store(std::size_t place, Outcome& outcome, ShardContent& content) {
  if (encoding_ == Encoding::raw) {
    std::memmove(stored_.data() + content.checksums.size() * image_bytes_,
                 stored_.data() + place * image_bytes_, image_bytes_);
  } else {
    stored_.insert(stored_.end(), outcome.jpeg.begin(), outcome.jpeg.end());
    content.offsets.push_back(stored_.size());
    outcome.jpeg = {};
  }
  content.checksums.push_back(outcome.checksum);
}

PackedShard ImagePacker::pack(std::span<const std::uint32_t> images,
                              const std::function<void(std::int64_t)>& progress, PageBytes memory) {
  PackedShard packed;
  ShardContent& content = packed.content;
  content.encoding = encoding_;
  content.image_size = size_;
  stored_ = std::move(memory);
  stored_.clear();
  if (encoding_ == Encoding::raw) {
    stored_.resize(images.size() * image_bytes_);
  } else {
    content.offsets.push_back(0);
  }
  std::vector<Outcome> outcomes(images.size());
  PixelStatistics statistics(size_);
  decode(images, outcomes, statistics, progress);
  for (std::size_t place = 0; place < images.size(); ++place) {
    Outcome& outcome = outcomes[place];
    std::ranges::move(outcome.issues, std::back_inserter(packed.issues));
    if (!outcome.packed) continue;
    store(place, outcome, content);
    const SourceImage& image = source_.listing().images[images[place]];
    content.labels.push_back(image.label);
    content.ids.push_back(image.name);
  }
  packed.statistics = statistics.sums();
  packed.stored = std::move(stored_);
  content.images = encoding_ == Encoding::raw
                       ? std::span(packed.stored).first(content.labels.size() * image_bytes_)
                       : std::span(packed.stored);
  return packed;
}

}  // namespace convoy
