// Host memory, copies, and streams that have nothing to wait for.
#include "core/device_cpu.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>

#include <omp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/error.h"

namespace convoy {
namespace {

constexpr std::size_t kVectorBytes = 64;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

class CpuStream : public Stream {
 public:
  void synchronize() override {}
};

class CpuEvent : public Event {
 public:
  void record(Stream&) override { at_ = Clock::now(); }
  void wait_on(Stream&) override {}
  void synchronize() override {}
  [[nodiscard]] double milliseconds_since(const Event& earlier) const override {
    return std::chrono::duration<double, std::milli>(at_ -
                                                     static_cast<const CpuEvent&>(earlier).at_)
        .count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point at_;
};

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

// What can be used without swapping, by the kernel's estimate; no bound where it gives none.
std::size_t available_bytes() {
  std::ifstream info("/proc/meminfo");
  for (std::string word; info >> word;) {
    std::size_t kilobytes = 0;
    if (word == "MemAvailable:" && info >> kilobytes) return kilobytes << 10;
  }
  return std::numeric_limits<std::size_t>::max();
}

// Zeroes in the parts that the threads of a static loop work on, so that on a machine with several
// memory nodes the pages lie near them.
void zero(void* data, std::size_t bytes, int threads) {
  char* const begin = static_cast<char*>(data);
  const std::int64_t pages =
      static_cast<std::int64_t>((bytes + kHugePageBytes - 1) / kHugePageBytes);
#pragma omp parallel for schedule(static) num_threads(threads) if (pages > 1)
  for (std::int64_t page = 0; page < pages; ++page) {
    const std::size_t from = static_cast<std::size_t>(page) * kHugePageBytes;
    std::memset(begin + from, 0, std::min(kHugePageBytes, bytes - from));
  }
}

}  // namespace

CpuDevice::CpuDevice(int threads, cpu::Isa isa)
    : threads_(threads), kernels_(cpu::kernels_for(isa)), operations_(threads, isa) {
  // oneDNN asks OpenMP for its team, and waits for every thread of it: none may be left out.
  omp_set_num_threads(threads);
  omp_set_dynamic(0);
  omp_set_max_active_levels(std::max(1, omp_get_max_active_levels()));
}

// The best of a few rounds of some milliseconds: other work on the machine only ever slows it down.
double CpuDevice::measure_peak_gflops() {
  constexpr int kRounds = 20;
  constexpr std::int64_t kChainLength = 1'000'000;
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::int64_t operations = 0;
    const double start = omp_get_wtime();
#pragma omp parallel num_threads(threads_) reduction(+ : operations)
    {
      float sink = 0;
      operations = kernels_.multiply_add_chains(kChainLength, &sink);
    }
    best = std::max(best, static_cast<double>(operations) / (omp_get_wtime() - start) * 1e-9);
  }
  return best;
}

std::size_t CpuDevice::free_memory_bytes() const { return available_bytes(); }

std::int64_t CpuDevice::peak_memory_bytes() const {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;  // Linux counts KiB
}

std::string CpuDevice::description() const {
  return fmt::format("{}, {} thread{}, {} kernels", processor_name(), threads_,
                     threads_ == 1 ? "" : "s", operations_.kernels_name());
}

Buffer CpuDevice::allocate(std::size_t bytes) {
  const bool large = bytes >= kHugePageBytes;
  // Linux promises more memory than there is and kills the process that uses it.
  if (large && bytes > available_bytes()) {
    fail(ExitCode::resource,
         "this host has {} MB of free memory left and {} MB more are needed; use a smaller "
         "--solver.batch or fewer ranks on a host",
         available_bytes() >> 20, bytes >> 20);
  }
  const std::size_t alignment = large ? kHugePageBytes : kVectorBytes;
  void* data = nullptr;
  if (posix_memalign(&data, alignment, std::max(bytes, kVectorBytes)) != 0)
    fail(ExitCode::resource, "The CPU device has no memory left: {} bytes were asked for.", bytes);
  // Advice only: without huge pages the memory is as good, and a little slower.
  if (large) madvise(data, bytes, MADV_HUGEPAGE);
  zero(data, bytes, threads_);
  return {data, bytes, [](void* p) { std::free(p); }};
}

std::unique_ptr<Stream> CpuDevice::make_stream() { return std::make_unique<CpuStream>(); }

std::unique_ptr<Event> CpuDevice::make_event(bool) { return std::make_unique<CpuEvent>(); }

void CpuDevice::copy_to_device(void* device, const void* host, std::size_t bytes, Stream&) {
  if (bytes > 0) std::memcpy(device, host, bytes);
}

void CpuDevice::copy_to_host(void* host, const void* device, std::size_t bytes, Stream&) {
  if (bytes > 0) std::memcpy(host, device, bytes);
}

void CpuDevice::copy(void* to, const void* from, std::size_t bytes, Stream&) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

void CpuDevice::fill_zero(void* device, std::size_t bytes, Stream&) {
  zero(device, bytes, threads_);
}

}  // namespace convoy
