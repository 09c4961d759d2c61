// Threads share each batch by runs of a few images, so that the batch the loop waits for is ready
// as soon as the cores allow, and run ahead as far as the ring goes.
//
// Where readers share a ring, the others' progress comes without a call: threads look for it.
#include "io/read/reader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/error.h"
#include "io/read/reader_peers.h"

namespace convoy {

namespace {

using Clock = std::chrono::steady_clock;

// Between two looks at other readers.
constexpr std::chrono::microseconds poll_interval{200};
// Of images that a thread takes at once: few calls of the mutex, and yet all threads at work to the
// end of a batch. Ten views of an image stay on one thread, which decodes it once.
constexpr std::int64_t longest_run = 20;

Buffer plain_memory(std::size_t bytes) {
  auto* const memory = new std::uint8_t[bytes]();
  return {memory, bytes, [](void* p) { delete[] static_cast<std::uint8_t*>(p); }};
}

}  // namespace

struct Reader::State {
  struct Slot {
    Buffer crops;
    std::vector<std::int32_t> labels;
    std::vector<CropRequest> requests;
    std::vector<CropRecord> records;
    std::int64_t done = 0;  // of this reader's images
  };

  State(const Dataset& data, const BatchPlan& batch_plan, const ReaderOptions& reader_options)
      : dataset(data),
        plan(batch_plan),
        options(reader_options),
        peers(options.share),
        begin(peers.first_place(options.images)),
        end(peers.end_place(options.images)),
        run_images(std::clamp<std::int64_t>((end - begin) / (4 * options.threads), 1, longest_run)),
        batches(batch_plan.batches()),
        crop_bytes(static_cast<std::size_t>(options.crop * options.crop * 3)),
        next_image(end) {
    const auto images = static_cast<std::size_t>(options.images);
    ring.resize(static_cast<std::size_t>(options.ahead));
    for (Slot& slot : ring) {
      slot.crops = options.allocate ? options.allocate(images * crop_bytes)
                                    : plain_memory(images * crop_bytes);
      // So that no page fault falls into a training step.
      std::memset(crop_at(slot, begin), 0, static_cast<std::size_t>(end - begin) * crop_bytes);
      slot.labels.assign(images, -1);
      slot.requests.resize(images);
      slot.records.resize(images);
    }
    threads.reserve(static_cast<std::size_t>(options.threads));
  }

  ~State() {
    {
      const std::scoped_lock lock(mutex);
      stop = true;
    }
    work.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  Slot& slot_of(std::int64_t batch) {
    return ring[static_cast<std::size_t>(batch % options.ahead)];
  }

  [[nodiscard]] std::uint8_t* crop_at(const Slot& slot, std::int64_t place) const {
    return static_cast<std::uint8_t*>(slot.crops.data()) +
           static_cast<std::size_t>(place) * crop_bytes;
  }

  [[nodiscard]] bool image_waits() const { return next_image < end; }
  [[nodiscard]] bool batch_waits() const {
    const std::int64_t next = opened + 1;
    return !planning && next < batches && next < released + options.ahead &&
           next < peers.released() + options.ahead;
  }

  void wait_for_work(std::unique_lock<std::mutex>& lock) {
    const auto some = [this] { return stop || error || image_waits() || batch_waits(); };
    if (peers.alone()) {
      work.wait(lock, some);
    } else {
      while (!some()) work.wait_for(lock, poll_interval);
    }
  }

  // A thread's life: take the next images of the batch that is open, or open the next batch.
  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      wait_for_work(lock);
      if (stop || error) return;
      const std::int64_t batch = image_waits() ? opened : opened + 1;
      try {
        if (image_waits()) {
          const Range images{next_image, std::min(next_image + run_images, end)};
          next_image = images.end;
          lock.unlock();
          read(slot_of(batch), images);
          lock.lock();
          slot_of(batch).done += images.size();
        } else {
          planning = true;
          lock.unlock();
          open(slot_of(batch), batch);
          lock.lock();
          planning = false;
          opened = batch;
          next_image = begin;
          work.notify_all();
        }
        note_complete();
      } catch (...) {
        lock.lock();
        note_failure(batch);
        return;
      }
    }
  }

  // Batches come to their end in any order; they count as complete in their own.
  void note_complete() {
    const std::int64_t before = complete;
    while (complete <= opened && slot_of(complete).done == end - begin) ++complete;
    if (complete == before) return;
    peers.tell_complete(complete);
    ready.notify_one();
  }

  // What is being thrown, unless a batch before this one failed.
  void note_failure(std::int64_t batch) {
    if (batch < error_batch) {
      error = std::current_exception();
      error_batch = batch;
      try {
        std::rethrow_exception(error);
      } catch (const Error& thrown) {
        peers.tell_failed(batch, thrown.code(), thrown.what());
      } catch (const std::exception& thrown) {
        peers.tell_failed(batch, ExitCode::resource, thrown.what());
      }
    }
    ready.notify_one();
    work.notify_all();
  }

  // The slot is nobody else's until `opened` says that it is open.
  void open(Slot& slot, std::int64_t batch) {
    for (const Range samples : plan.read_ahead(batch)) dataset.read_ahead(samples);
    plan.fill(batch, slot.requests);
    for (std::size_t i = 0; i < slot.requests.size(); ++i) {
      const CropRequest& request = slot.requests[i];
      slot.records[i] = request.record;
      slot.labels[i] = request.sample < 0 ? -1 : dataset.label(request.sample);
    }
    slot.done = 0;
  }

  void read(Slot& slot, Range images) const {
    for (std::int64_t image = images.begin; image < images.end; ++image) {
      const CropRequest& request = slot.requests[static_cast<std::size_t>(image)];
      std::uint8_t* const crop = crop_at(slot, image);
      if (request.sample < 0) {
        std::memset(crop, 0, crop_bytes);
      } else {
        dataset.read_crop(request.sample, request.record.top, request.record.left, options.crop,
                          crop);
      }
    }
  }

  // Until the batch is whole, or will never be. Batches before one that fails are whole.
  void wait_for(std::int64_t batch, std::unique_lock<std::mutex>& lock) {
    const auto here = [&] { return error_batch <= batch || complete > batch; };
    if (peers.alone()) {
      ready.wait(lock, here);
    } else {
      wait_for_peers(batch, lock, here);
    }
    if (error_batch <= batch) std::rethrow_exception(error);
  }

  // next() would give the batch `taken`, or throw what failed instead.
  [[nodiscard]] bool next_is_there() {
    if (error_batch <= taken || peers.failed(taken)) return true;
    return complete > taken && (peers.alone() || peers.without(taken) < 0);
  }

  template <typename Here>
  void wait_for_peers(std::int64_t batch, std::unique_lock<std::mutex>& lock, const Here& here) {
    double waited = 0;
    Clock::time_point last = Clock::now();
    while (!here() || (error_batch > batch && peers.without(batch) >= 0)) {
      ready.wait_for(lock, poll_interval);
      peers.rethrow(error_batch <= batch ? -1 : batch);
      // Its own reading takes as long as it takes; for others there is a limit.
      int late = here() ? peers.without(batch) : -1;
      if (late < 0 && opened < batch) late = peers.holding(batch - options.ahead);
      const Clock::time_point now = Clock::now();
      // A gap means that this process itself stood still, as in a job that is suspended.
      waited =
          late < 0 ? 0 : waited + std::min(1.0, std::chrono::duration<double>(now - last).count());
      last = now;
      if (late >= 0) peers.waited(late, waited);
    }
  }

  const Dataset& dataset;
  const BatchPlan& plan;
  const ReaderOptions options;
  ReaderPeers peers;
  const std::int64_t begin;  // this reader's places in each batch: [begin, end)
  const std::int64_t end;
  const std::int64_t run_images;
  const std::int64_t batches;
  const std::size_t crop_bytes;
  std::vector<Slot> ring;  // batch b lies in slot b % ahead

  std::mutex mutex;               // guards what follows and Slot::done
  std::condition_variable work;   // an image or a batch can be begun
  std::condition_variable ready;  // a batch is complete, or reading failed
  std::int64_t opened = -1;       // the last batch whose images may be read
  std::int64_t next_image;        // of it, not yet begun
  std::int64_t complete = 0;      // this reader's part of the batches before is read
  bool planning = false;          // a thread is opening batch opened + 1
  std::int64_t released = 0;      // batches the caller is done with
  std::int64_t taken = 0;         // batches given to the caller
  bool stop = false;
  std::exception_ptr error;
  std::int64_t error_batch = std::numeric_limits<std::int64_t>::max();

  std::vector<std::thread> threads;
};

Reader::Reader(const Dataset& dataset, const BatchPlan& plan, const ReaderOptions& options) {
  if (options.images < 1 || options.crop < 1 || options.threads < 1 || options.ahead < 2) {
    fail(ExitCode::usage,
         "a reader of {} images of {} pixels with {} threads, {} batches ahead cannot work",
         options.images, options.crop, options.threads, options.ahead);
  }
  state_ = std::make_unique<State>(dataset, plan, options);
  try {
    for (int i = 0; i < options.threads; ++i) {
      state_->threads.emplace_back([state = state_.get()] { state->run(); });
    }
  } catch (const std::system_error& error) {
    fail(ExitCode::resource, "cannot start reader thread {} of {}: {}", state_->threads.size() + 1,
         options.threads, error.what());
  }
}

Reader::~Reader() = default;

bool Reader::ready_within(std::chrono::milliseconds patience) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const auto there = [&] { return state.taken >= state.batches || state.next_is_there(); };
  if (state.peers.alone()) return state.ready.wait_for(lock, patience, there);
  const auto end = Clock::now() + patience;
  while (!there() && Clock::now() < end) state.ready.wait_for(lock, poll_interval);
  return there();
}

Batch Reader::next() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::int64_t batch = state.taken;
  if (batch >= state.batches) {
    fail(ExitCode::usage, "all {} batches of the plan have been read", state.batches);
  }
  state.released = batch;
  state.peers.tell_released(batch);
  state.work.notify_all();
  state.wait_for(batch, lock);
  const State::Slot& slot = state.slot_of(batch);
  ++state.taken;
  return {batch, static_cast<const std::uint8_t*>(slot.crops.data()), slot.labels.data(),
          slot.records};
}

}  // namespace convoy
