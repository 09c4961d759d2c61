// A ring of squares that threads fill and one caller empties, in the order of the files.
#include "io/read/square_reader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "core/error.h"
#include "io/images/image_file.h"
#include "io/images/square_image.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

void add_folder(const fs::path& folder, std::vector<fs::path>& files) {
  const std::size_t before = files.size();
  std::error_code error;
  fs::recursive_directory_iterator next(folder, fs::directory_options::follow_directory_symlink,
                                        error);
  for (; !error && next != fs::recursive_directory_iterator(); next.increment(error)) {
    std::error_code broken_link;
    const bool hidden = next->path().filename().string().starts_with('.');
    if (hidden) {
      next.disable_recursion_pending();
    } else if (next->is_regular_file(broken_link)) {
      files.push_back(next->path());
    }
  }
  if (error) {
    fail(ExitCode::bad_data, "cannot read the folder {}: {}", folder.string(), error.message());
  }
  if (files.size() == before) {
    fail(ExitCode::bad_data, "the folder {} holds no file", folder.string());
  }
  std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
}

}  // namespace

std::vector<fs::path> list_image_files(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code missing;
    if (fs::is_directory(path, missing)) {
      add_folder(path, files);
    } else {
      files.push_back(path);
    }
  }
  return files;
}

struct SquareReader::State {
  struct Slot {
    std::vector<std::uint8_t> pixels;
    std::vector<std::string> notes;
    std::string error;
    bool done = false;
  };

  State(std::vector<fs::path> paths, std::int64_t square_size, int ahead)
      : files(std::move(paths)), size(square_size), ring(static_cast<std::size_t>(ahead)) {
    for (Slot& slot : ring) slot.pixels.resize(static_cast<std::size_t>(size * size * 3));
  }

  ~State() {
    {
      const std::scoped_lock lock(mutex);
      stop = true;
    }
    room.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  Slot& slot_of(std::size_t file) { return ring[file % ring.size()]; }

  void read(std::size_t file) {
    Slot& slot = slot_of(file);
    slot.notes.clear();
    slot.error.clear();
    try {
      slot.notes = make_square(read_image_file(files[file]), size, slot.pixels).notes;
    } catch (const Error& error) {
      if (error.code() != ExitCode::bad_data) throw;
      slot.error = error.what();
    } catch (const std::bad_alloc&) {
      fail(ExitCode::resource, "not enough memory to decode {}", files[file].string());
    }
  }

  // A thread's life.
  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      room.wait(lock, [this] {
        return stop || failure || started == files.size() || started < released + ring.size();
      });
      if (stop || failure || started == files.size()) return;
      const std::size_t file = started++;
      lock.unlock();
      std::exception_ptr thrown;
      try {
        read(file);
      } catch (...) {
        thrown = std::current_exception();
      }
      lock.lock();
      if (thrown && !failure) failure = thrown;
      slot_of(file).done = true;
      there.notify_one();
    }
  }

  std::vector<fs::path> files;
  std::int64_t size;
  std::vector<Slot> ring;
  std::mutex mutex;
  std::condition_variable room;   // for threads: a slot is free
  std::condition_variable there;  // for the caller: a slot is done
  std::size_t started = 0;        // files that threads have taken
  std::size_t given = 0;          // to the caller
  std::size_t released = 0;       // of them, no longer used
  bool stop = false;
  std::exception_ptr failure;
  std::vector<std::thread> threads;
};

SquareReader::SquareReader(std::vector<fs::path> files, std::int64_t size, int threads, int ahead)
    : state_(std::make_unique<State>(std::move(files), size, ahead)) {
  const auto wanted = std::min(static_cast<std::size_t>(threads), state_->files.size());
  for (std::size_t t = 0; t < wanted; ++t) {
    try {
      state_->threads.emplace_back([state = state_.get()] { state->run(); });
    } catch (const std::system_error& error) {
      fail(ExitCode::resource, "cannot start {} threads that read images: {}", threads,
           error.what());
    }
  }
}

SquareReader::~SquareReader() = default;

ReadSquare SquareReader::next() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (state.given == state.files.size()) {
    fail(ExitCode::usage, "all {} images have been read", state.files.size());
  }
  if (state.given > state.released) {
    state.slot_of(state.released).done = false;
    ++state.released;
    state.room.notify_one();
  }
  State::Slot& slot = state.slot_of(state.given);
  state.there.wait(lock, [&] { return slot.done || state.failure; });
  if (state.failure) std::rethrow_exception(state.failure);
  return {static_cast<std::int64_t>(state.given++), slot.pixels, slot.notes, slot.error};
}

}  // namespace convoy
