// Threads share each batch image by image, so that the batch the loop waits for is ready as soon as
// the cores allow, and run ahead as far as the ring goes.
#include "io/reader.h"

#include <condition_variable>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/error.h"

namespace convoy {

namespace {

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
    std::int64_t done = 0;  // images read
  };

  State(const Dataset& data, const BatchPlan& batch_plan, const ReaderOptions& reader_options)
      : dataset(data),
        plan(batch_plan),
        options(reader_options),
        batches(batch_plan.batches()),
        crop_bytes(static_cast<std::size_t>(options.crop * options.crop * 3)) {
    const auto images = static_cast<std::size_t>(options.images);
    ring.resize(static_cast<std::size_t>(options.ahead));
    for (Slot& slot : ring) {  // written here, so that no page fault falls into a training step
      slot.crops = options.allocate ? options.allocate(images * crop_bytes)
                                    : plain_memory(images * crop_bytes);
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

  [[nodiscard]] bool image_waits() const { return next_image < options.images; }
  [[nodiscard]] bool batch_waits() const {
    return !planning && opened + 1 < batches && opened + 1 < released + options.ahead;
  }

  // A thread's life: take the next image of the batch that is open, or open the next batch.
  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      work.wait(lock, [this] { return stop || error || image_waits() || batch_waits(); });
      if (stop || error) return;
      const std::int64_t batch = image_waits() ? opened : opened + 1;
      try {
        if (image_waits()) {
          const std::int64_t image = next_image++;
          lock.unlock();
          read(slot_of(batch), static_cast<std::size_t>(image));
          lock.lock();
          if (++slot_of(batch).done == options.images) ready.notify_one();
        } else {
          planning = true;
          lock.unlock();
          open(slot_of(batch), batch);
          lock.lock();
          planning = false;
          opened = batch;
          next_image = 0;
          work.notify_all();
        }
      } catch (...) {
        lock.lock();
        if (batch < error_batch) {
          error = std::current_exception();
          error_batch = batch;
        }
        ready.notify_one();
        work.notify_all();
        return;
      }
    }
  }

  // The slot is nobody else's until `opened` says that it is open.
  void open(Slot& slot, std::int64_t batch) {
    for (const Range samples : plan.read_ahead(batch)) dataset.read_ahead(samples);
    plan.fill(batch, slot.requests);
    for (std::size_t i = 0; i < slot.requests.size(); ++i) {
      slot.records[i] = slot.requests[i].record;
    }
    slot.done = 0;
  }

  void read(Slot& slot, std::size_t image) {
    const CropRequest& request = slot.requests[image];
    std::uint8_t* crop = static_cast<std::uint8_t*>(slot.crops.data()) + image * crop_bytes;
    if (request.sample < 0) {
      std::memset(crop, 0, crop_bytes);
      slot.labels[image] = -1;
      return;
    }
    dataset.read_crop(request.sample, request.record.top, request.record.left, options.crop, crop);
    slot.labels[image] = dataset.label(request.sample);
  }

  const Dataset& dataset;
  const BatchPlan& plan;
  const ReaderOptions options;
  const std::int64_t batches;
  const std::size_t crop_bytes;
  std::vector<Slot> ring;  // batch b lies in slot b % ahead

  std::mutex mutex;               // guards what follows and Slot::done
  std::condition_variable work;   // an image or a batch can be begun
  std::condition_variable ready;  // a batch is complete, or reading failed
  std::int64_t opened = -1;       // the last batch whose images may be read
  std::int64_t next_image = std::numeric_limits<std::int64_t>::max();  // of it, not yet begun
  bool planning = false;      // a thread is opening batch opened + 1
  std::int64_t released = 0;  // batches the caller is done with
  std::int64_t taken = 0;     // batches given to the caller
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

Batch Reader::next() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::int64_t batch = state.taken;
  if (batch >= state.batches) {
    fail(ExitCode::usage, "all {} batches of the plan have been read", state.batches);
  }
  state.released = batch;
  state.work.notify_all();
  State::Slot& slot = state.slot_of(batch);
  state.ready.wait(lock, [&] {
    return state.error_batch <= batch ||
           (state.opened >= batch && slot.done == state.options.images);
  });
  // Batches before the one that failed were whole, and have been given.
  if (state.error_batch <= batch) std::rethrow_exception(state.error);
  ++state.taken;
  return {batch, static_cast<const std::uint8_t*>(slot.crops.data()), slot.labels.data(),
          slot.records};
}

}  // namespace convoy
