// Image files to squares, on threads that run ahead of the one who takes them: what the reader
// (reader.h) is to packed datasets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace convoy {

// The image files that paths name: a file as it is, there or not, and all files below a folder,
// sorted, without hidden ones, those of a folder that links lead to several times once. A folder
// that cannot be read, one of `paths` that holds no file, and a link to nothing are listed
// themselves; SquareReader says what is wrong with them.
[[nodiscard]] std::vector<std::filesystem::path> list_image_files(
    const std::vector<std::filesystem::path>& paths);

// Valid until the next call of next() or the reader's end.
struct ReadSquare {
  std::int64_t index = 0;                // of the file
  std::span<const std::uint8_t> pixels;  // [size, size, 3] RGB
  std::span<const std::string> notes;    // what was repaired or converted
  std::string error;  // why there are no pixels, to be put behind the file's name; empty: there are
};

class SquareReader {
 public:
  // Squares are what `pack` with this size stores (square_image.h). `ahead` squares are kept;
  // threads and ahead >= 1. Throws Error(resource) where no thread starts.
  SquareReader(std::vector<std::filesystem::path> files, std::int64_t size, int threads, int ahead);
  ~SquareReader();  // at any time; waits at most for the images being read
  // The next file's, in the order of the files; blocks until it is there. A file that is damaged or
  // missing is no exception; Error(resource) is. Throws Error(usage) after the last.
  ReadSquare next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convoy
