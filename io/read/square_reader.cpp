// A ring of squares that threads fill and one caller empties, in the order of the files.
#include "io/read/square_reader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "core/error.h"
#include "io/images/image_file.h"
#include "io/images/square_image.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

// Walks folders, each once: links may lead back to where they stand.
class FolderWalk {
 public:
  explicit FolderWalk(std::vector<fs::path>& files) : files_(files) {}

  void add(const fs::path& folder) {
    const auto begin = static_cast<std::ptrdiff_t>(files_.size());
    visit(folder);
    // Real folders come first, so that their files have the names without links.
    for (; !links_.empty(); links_.erase(links_.begin())) visit(fs::path(*links_.begin()));
    if (std::ssize(files_) == begin) files_.push_back(folder);
    std::sort(files_.begin() + begin, files_.end());
  }

 private:
  void visit(const fs::path& folder) {
    std::error_code error;
    const fs::path canonical = fs::canonical(folder, error);
    if (!error && !visited_.insert(canonical).second) return;
    if (!error) {
      fs::directory_iterator next(folder, error);
      for (; !error && next != fs::directory_iterator(); next.increment(error)) add(*next);
    }
    if (error) files_.push_back(folder);
  }

  void add(const fs::directory_entry& entry) {
    if (entry.path().filename().string().starts_with('.')) return;
    std::error_code ignored;
    const fs::file_type type = entry.status(ignored).type();
    if (type == fs::file_type::directory) {
      if (entry.is_symlink(ignored))
        links_.insert(entry.path());
      else
        visit(entry.path());
    } else if (type == fs::file_type::regular || type == fs::file_type::not_found ||
               type == fs::file_type::none) {
      files_.push_back(entry.path());
    }
  }

  std::vector<fs::path>& files_;
  std::set<fs::path> visited_;  // canonical
  std::set<fs::path> links_;    // to folders that are still to be visited
};

}  // namespace

std::vector<fs::path> list_image_files(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code missing;
    if (fs::is_directory(path, missing)) {
      FolderWalk(files).add(path);
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
