// Finds the GPU of a process, and its memory, streams and operations.
#include "core/device_cuda.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <sstream>

#include <cuda_runtime.h>
#include <nvtx3/nvToolsExt.h>

#include "core/cuda/blaslt.h"
#include "core/cuda/check.h"
#include "core/cuda/cudnn.h"
#include "core/cuda/graph.h"
#include "core/cuda/stream.h"
#include "core/error.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

Precision precision_of(const std::string& name) {
  if (name == "auto" || name == "tf32") return Precision::tf32;
  if (name == "fp32") return Precision::fp32;
  if (name == "bf16") return Precision::bf16;
  fail(ExitCode::usage, "device.precision is '{}'; use auto, fp32, tf32 or bf16", name);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    fail(ExitCode::usage,
         "device.kernels is {}, which cannot be read; give the kernels.txt of an earlier run, or "
         "leave it out",
         path);
  return text.str();
}

std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

class CudaDevice : public Device {
 public:
  CudaDevice(const DeviceOptions& options, int gpu, int threads)
      : gpu_(gpu), threads_(threads), precision_(precision_of(options.precision)) {
    check_cuda(cudaSetDevice(gpu_), "taking the GPU");
    check_cuda(cudaGetDeviceProperties(&properties_, gpu_), "reading its properties");
    if (properties_.major < 8)
      fail(ExitCode::usage,
           "{} is of compute capability {}.{}, and Convoy needs 8.0 (Ampere) or later; use "
           "--device.kind cpu",
           properties_.name, properties_.major, properties_.minor);
    if (!options.kernels.empty()) choices_.add(read_text(options.kernels), options.kernels);
    cudnn_ = std::make_unique<Cudnn>();
    blas_ = std::make_unique<BlasLt>();
    operations_ = std::make_unique<CudaOperations>(CudaContext{
        *this, precision_, options.deterministic,
        static_cast<std::size_t>(options.workspace_mb * 1e6), choices_, *cudnn_, *blas_});
  }

  [[nodiscard]] DeviceKind kind() const override { return DeviceKind::cuda; }
  [[nodiscard]] std::string description() const override {
    return fmt::format("{} (GPU {}), {}", properties_.name, gpu_, name_of(precision_));
  }
  [[nodiscard]] std::string identity() const override {
    std::array<char, 32> bus{};
    check_cuda(cudaDeviceGetPCIBusId(bus.data(), static_cast<int>(bus.size()), gpu_),
               "asking for its bus");
    return bus.data();
  }
  [[nodiscard]] std::string kernels() const override {
    return fmt::format("{} {}", properties_.name, name_of(precision_));
  }
  [[nodiscard]] Precision precision() const override { return precision_; }
  [[nodiscard]] bool updates_from_cache() const override { return false; }

  Buffer allocate(std::size_t bytes) override;
  Buffer allocate_host(std::size_t bytes) override;
  std::unique_ptr<Stream> make_stream() override { return std::make_unique<CudaStream>(); }
  std::unique_ptr<Event> make_event(bool timed) override {
    return std::make_unique<CudaEvent>(timed);
  }
  void copy_to_device(void* device, const void* host, std::size_t bytes, Stream& s) override {
    move(device, host, bytes, cudaMemcpyHostToDevice, s);
  }
  void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& s) override {
    move(host, device, bytes, cudaMemcpyDeviceToHost, s);
  }
  void copy(void* to, const void* from, std::size_t bytes, Stream& s) override {
    move(to, from, bytes, cudaMemcpyDeviceToDevice, s);
  }
  void fill_zero(void* device, std::size_t bytes, Stream& s) override {
    if (bytes > 0) check_cuda(cudaMemsetAsync(device, 0, bytes, native(s)), "clearing memory");
  }
  [[nodiscard]] bool host_addressable() const override { return false; }
  [[nodiscard]] int host_threads() const override { return threads_; }
  double measure_peak_gflops() override;
  void run_as_graph(Stream& stream, const std::function<void()>& work) override {
    graph_.run(native(stream), work);
  }
  [[nodiscard]] std::size_t free_memory_bytes() const override {
    std::size_t free_bytes = 0;
    std::size_t all_bytes = 0;
    check_cuda(cudaMemGetInfo(&free_bytes, &all_bytes), "asking for its free memory");
    return free_bytes;
  }
  [[nodiscard]] std::int64_t peak_memory_bytes() const override { return peak_bytes_; }
  void push_range(const char* name) override { nvtxRangePushA(name); }
  void pop_range() override { nvtxRangePop(); }
  Operations& operations() override { return *operations_; }
  KernelChoices& choices() override { return choices_; }

 private:
  static void move(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, Stream& s) {
    if (bytes > 0) check_cuda(cudaMemcpyAsync(to, from, bytes, kind, native(s)), "copying memory");
  }

  int gpu_;
  int threads_;
  Precision precision_;
  cudaDeviceProp properties_{};
  KernelChoices choices_;
  std::unique_ptr<Cudnn> cudnn_;
  std::unique_ptr<BlasLt> blas_;
  std::unique_ptr<CudaOperations> operations_;
  CudaGraph graph_;
  std::int64_t bytes_ = 0;
  std::int64_t peak_bytes_ = 0;
};

double CudaDevice::measure_peak_gflops() { return measure_product_rate(*blas_, *this); }

Buffer CudaDevice::allocate(std::size_t bytes) {
  void* data = nullptr;
  const std::size_t taken = std::max<std::size_t>(bytes, 256);
  if (cudaMalloc(&data, taken) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());  // it stays set otherwise
    std::size_t free_bytes = 0;
    std::size_t all_bytes = 0;
    check_cuda(cudaMemGetInfo(&free_bytes, &all_bytes), "asking for its free memory");
    fail(ExitCode::resource,
         "GPU {} has {} MB of {} MB free, this process holds {} MB of it, and {} MB more are "
         "needed; use a smaller --solver.batch, more ranks or --device.precision bf16",
         gpu_, free_bytes >> 20, all_bytes >> 20, bytes_ >> 20, bytes >> 20);
  }
  check_cuda(cudaMemset(data, 0, taken), "clearing memory");
  check_cuda(cudaDeviceSynchronize(), "clearing memory");
  bytes_ += static_cast<std::int64_t>(taken);
  peak_bytes_ = std::max(peak_bytes_, bytes_);
  return {data, bytes, [this, taken](void* p) {
            cudaFree(p);
            bytes_ -= static_cast<std::int64_t>(taken);
          }};
}

Buffer CudaDevice::allocate_host(std::size_t bytes) {
  void* data = nullptr;
  if (cudaMallocHost(&data, std::max<std::size_t>(bytes, 64)) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    fail(ExitCode::resource,
         "{} MB of host memory that the GPU can read are needed and cannot be had; use a smaller "
         "--solver.batch or --data.ahead, or raise the limit of locked memory (ulimit -l)",
         bytes >> 20);
  }
  std::memset(data, 0, bytes);
  return {data, bytes, [](void* p) { cudaFreeHost(p); }};
}

}  // namespace

Gpus find_gpus() {
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code == cudaSuccess && count > 0) return {count, ""};
  static_cast<void>(cudaGetLastError());
  if (code == cudaSuccess || code == cudaErrorNoDevice)
    return {0, "no GPU is visible to this process (CUDA_VISIBLE_DEVICES)"};
  int driver = 0;
  int runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) runtime = 0;
  if (driver == 0) return {0, "no NVIDIA driver was found on this host"};
  if (driver < runtime)
    return {0, fmt::format("this host's NVIDIA driver supports CUDA {} and Convoy was built with "
                           "{}: a newer driver is needed",
                           version_text(driver), version_text(runtime))};
  return {0, fmt::format("CUDA finds no usable GPU: {}", cudaGetErrorString(code))};
}

std::vector<LibraryVersion> cuda_libraries() {
  const std::string built = version_text(CUDART_VERSION);
  int driver = 0;
  int runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) runtime = 0;
  // A driver is never built with; it must be able to run what was.
  return {{"CUDA driver", built, driver > 0 ? version_text(driver) : ""},
          {"CUDA", built, runtime > 0 ? version_text(runtime) : ""},
          cudnn_library()};
}

std::unique_ptr<Device> make_cuda_device(const DeviceOptions& options, const LocalPlace& place,
                                         int threads) {
  return std::make_unique<CudaDevice>(options, place.rank % find_gpus().count, threads);
}

}  // namespace convoy
