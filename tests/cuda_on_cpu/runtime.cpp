// Streams, events, memory and graphs of the emulated GPU: see README.md.
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <cuda_runtime.h>

#include "tests/cuda_on_cpu/launch_kernel.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes) (static_cast<void>(at), static_cast<void>(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) (static_cast<void>(at), static_cast<void>(bytes))
#endif

namespace convoy::cuda_on_cpu {

using Work = std::function<void()>;

struct Graph {
  std::vector<Work> work;
};

struct Queue {
  std::deque<Work> waiting;
  std::shared_ptr<Graph> capture;  // shared by streams that joined it
  bool origin = false;             // the capture began here
  bool running = false;
};

struct Mark {
  Queue* queue = nullptr;          // where it was recorded
  std::shared_ptr<Graph> capture;  // recorded inside this one
  std::uint64_t recorded = 0;
  std::uint64_t passed = 0;
  std::chrono::steady_clock::time_point at;
};

namespace {

struct Memory {
  std::mutex mutex;  // of the two maps: reader threads may ask for host memory
  std::map<void*, std::size_t> device;
  std::map<const void*, std::size_t> pinned;

  bool is_pinned(const void* at) {
    const std::scoped_lock lock(mutex);
    auto after = pinned.upper_bound(at);
    if (after == pinned.begin()) return false;
    --after;
    return static_cast<const char*>(at) < static_cast<const char*>(after->first) + after->second;
  }
};

Memory& memory() {
  static Memory all;
  return all;
}

std::set<Queue*>& queues() {
  static std::set<Queue*> all;
  return all;
}

// Device memory can be touched while one of these lives.
class Unlocked {
 public:
  Unlocked() {
    if (depth_++ > 0) return;
    const std::scoped_lock lock(memory().mutex);
    for (const auto& [data, bytes] : memory().device) ASAN_UNPOISON_MEMORY_REGION(data, bytes);
  }
  ~Unlocked() {
    if (--depth_ > 0) return;
    const std::scoped_lock lock(memory().mutex);
    for (const auto& [data, bytes] : memory().device) ASAN_POISON_MEMORY_REGION(data, bytes);
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  static inline int depth_ = 0;
};

void run_next(Queue& queue) {
  const Work work = std::move(queue.waiting.front());
  queue.waiting.pop_front();
  const Unlocked unlocked;
  work();
}

void drain(Queue& queue) {
  while (!queue.waiting.empty()) run_next(queue);
}

// Runs the mark's stream as far as the mark.
void reach(Mark& mark, std::uint64_t record) {
  while (mark.passed < record) run_next(*mark.queue);
}

// Work goes to the capture where there is one.
void add(Queue& queue, Work work) {
  if (queue.capture)
    queue.capture->work.push_back(std::move(work));
  else
    queue.waiting.push_back(std::move(work));
}

std::barrier<>* block_barrier = nullptr;
int current_gpu = 0;

}  // namespace

void wait_for_block() { block_barrier->arrive_and_wait(); }

void enqueue(cudaStream_t stream, Work work) { add(*stream, std::move(work)); }

void run_grid(dim3 grid, dim3 block, bool barriers, const Work& thread) {
  const unsigned blocks = grid.x * grid.y * grid.z;
  const unsigned threads = block.x * block.y * block.z;
  const auto place = [&](unsigned b, unsigned t) {
    gridDim = grid;
    blockDim = block;
    blockIdx = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
    threadIdx = {t % block.x, t / block.x % block.y, t / block.x / block.y};
  };
#if !defined(__SANITIZE_THREAD__)
  if (!barriers) {
    for (unsigned b = 0; b < blocks; ++b)
      for (unsigned t = 0; t < threads; ++t) {
        place(b, t);
        thread();
      }
    return;
  }
#endif
  std::barrier<> barrier(threads);
  block_barrier = &barrier;
  std::vector<std::thread> team;
  for (unsigned t = 0; t < threads; ++t)
    team.emplace_back([&, t] {
      for (unsigned b = 0; b < blocks; ++b) {
        place(b, t);
        thread();
        // The next block uses the same shared memory; without any, blocks are not ordered.
        if (barriers) barrier.arrive_and_wait();
      }
    });
  for (std::thread& one : team) one.join();
  block_barrier = nullptr;
}

}  // namespace convoy::cuda_on_cpu

using namespace convoy::cuda_on_cpu;

const char* cudaGetErrorString(cudaError_t code) {
  return code == cudaSuccess ? "no error" : "an error of the emulation";
}
const char* cudaGetErrorName(cudaError_t code) {
  return code == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaError";
}
cudaError_t cudaGetLastError() { return cudaSuccess; }

// Only tests that ask for it see a GPU: CONVOY_EMULATED_GPUS says how many.
cudaError_t cudaGetDeviceCount(int* count) {
  const char* wanted = std::getenv("CONVOY_EMULATED_GPUS");
  *count = wanted == nullptr ? 0 : std::atoi(wanted);
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_gpu;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  current_gpu = device;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* bus, int length, int device) {
  std::snprintf(bus, static_cast<std::size_t>(length), "0000:%02x:00.0",
                static_cast<unsigned>(device));
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"GPU emulated on the CPU, for tests", 9, 0, 2};
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* all) {
  *free_bytes = *all = std::size_t{16} << 30;
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  for (Queue* queue : queues()) drain(*queue);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  if (bytes > std::size_t{16} << 30 || posix_memalign(data, 256, bytes) != 0)
    return cudaErrorMemoryAllocation;
  std::memset(*data, 0xCD, bytes);
  const std::scoped_lock lock(memory().mutex);
  memory().device[*data] = bytes;
  ASAN_POISON_MEMORY_REGION(*data, bytes);
  return cudaSuccess;
}
// As the real one, it waits for all work first.
cudaError_t cudaFree(void* data) {
  if (data == nullptr) return cudaSuccess;
  cudaDeviceSynchronize();
  const std::scoped_lock lock(memory().mutex);
  ASAN_UNPOISON_MEMORY_REGION(data, memory().device.at(data));
  memory().device.erase(data);
  std::free(data);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** data, std::size_t bytes) {
  if (posix_memalign(data, 256, bytes) != 0) return cudaErrorMemoryAllocation;
  const std::scoped_lock lock(memory().mutex);
  memory().pinned[*data] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* data) {
  cudaDeviceSynchronize();
  const std::scoped_lock lock(memory().mutex);
  memory().pinned.erase(data);
  std::free(data);
  return cudaSuccess;
}
cudaError_t cudaMemset(void* data, int value, std::size_t bytes) {
  const Unlocked unlocked;
  std::memset(data, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
  enqueue(stream, [=] { std::memset(data, value, bytes); });
  return cudaSuccess;
}
// Pageable memory is read before the call returns, and written likewise.
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (kind == cudaMemcpyHostToDevice && !memory().is_pinned(from)) {
    const auto* const begin = static_cast<const char*>(from);
    enqueue(stream, [=, held = std::vector<char>(begin, begin + bytes)] {
      std::memcpy(to, held.data(), bytes);
    });
    return cudaSuccess;
  }
  enqueue(stream, [=] { std::memcpy(to, from, bytes); });
  if (kind == cudaMemcpyDeviceToHost && !memory().is_pinned(to)) {
    if (stream->capture) return cudaErrorInvalidValue;
    drain(*stream);
  }
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new Queue;
  queues().insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  drain(*stream);
  queues().erase(stream);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream->capture) return cudaErrorInvalidValue;
  drain(*stream);
  return cudaSuccess;
}
// Runs one piece of work, so that whoever asks again and again gets on.
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (stream->capture) return cudaErrorInvalidValue;
  if (stream->waiting.empty()) return cudaSuccess;
  run_next(*stream);
  return cudaErrorNotReady;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (event->capture) {  // the stream joins the capture, whose work is in order anyway
    stream->capture = event->capture;
    return cudaSuccess;
  }
  if (event->queue == nullptr) return cudaSuccess;  // never recorded
  add(*stream, [event, record = event->recorded] { reach(*event, record); });
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new Mark;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event->queue != nullptr) reach(*event, event->recorded);
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  if (stream->capture && flags != cudaEventRecordExternal) {
    event->capture = stream->capture;
    return cudaSuccess;
  }
  event->capture.reset();
  if (stream->capture) {
    stream->capture->work.push_back([event] { event->at = std::chrono::steady_clock::now(); });
    return cudaSuccess;
  }
  event->queue = stream;
  const std::uint64_t record = ++event->recorded;
  enqueue(stream, [event, record] {
    event->at = std::chrono::steady_clock::now();
    event->passed = record;
  });
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->queue != nullptr) reach(*event, event->recorded);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t begin, cudaEvent_t end) {
  *ms = std::chrono::duration<float, std::milli>(end->at - begin->at).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->capture = std::make_shared<Graph>();
  stream->origin = true;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!stream->origin) return cudaErrorInvalidValue;
  const std::shared_ptr<Graph> captured = stream->capture;
  for (Queue* queue : queues())
    if (queue->capture == captured) queue->capture.reset();
  stream->origin = false;
  *graph = new Graph(*captured);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new Graph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo* info) {
  if (exec->work.size() != graph->work.size()) return cudaErrorInvalidValue;
  *exec = *graph;
  info->result = cudaGraphExecUpdateSuccess;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  enqueue(stream, [work = exec->work] {
    for (const Work& piece : work) piece();
  });
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
