// The CPU as a device: host memory, and OpenMP threads under the calling thread.
#pragma once

#include <memory>
#include <string>

#include "core/cpu/kernels.h"
#include "core/device.h"
#include "core/ops/operations_cpu.h"

namespace convoy {

// Make it on the thread that will run the operations: the OpenMP team size belongs to a thread.
class CpuDevice : public Device {
 public:
  CpuDevice(int threads, cpu::Isa isa);

  [[nodiscard]] DeviceKind kind() const override { return DeviceKind::cpu; }
  [[nodiscard]] std::string description() const override;
  [[nodiscard]] std::string identity() const override { return "cpu"; }
  [[nodiscard]] std::string kernels() const override { return kernels_.name; }
  [[nodiscard]] Precision precision() const override { return Precision::fp32; }
  [[nodiscard]] bool updates_from_cache() const override { return true; }
  Buffer allocate(std::size_t bytes) override;
  Buffer allocate_host(std::size_t bytes) override { return allocate(bytes); }
  std::unique_ptr<Stream> make_stream() override;
  std::unique_ptr<Event> make_event(bool timed) override;
  void copy_to_device(void* device, const void* host, std::size_t bytes, Stream& s) override;
  void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& s) override;
  void copy(void* to, const void* from, std::size_t bytes, Stream& s) override;
  void fill_zero(void* device, std::size_t bytes, Stream& s) override;
  [[nodiscard]] bool host_addressable() const override { return true; }
  [[nodiscard]] int host_threads() const override { return threads_; }
  double measure_peak_gflops() override;
  void run_as_graph(Stream&, const std::function<void()>& work) override { work(); }
  [[nodiscard]] std::size_t free_memory_bytes() const override;
  [[nodiscard]] std::int64_t peak_memory_bytes() const override;  // resident
  Operations& operations() override { return operations_; }
  KernelChoices& choices() override { return choices_; }

 private:
  int threads_;
  const cpu::Kernels& kernels_;
  CpuOperations operations_;
  KernelChoices choices_;
};

}  // namespace convoy
