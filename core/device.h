// A device: memory, streams, events, and the operations a network is made of.
//
// Layers, network and trainer know this interface only; which device they run on is decided once,
// by make_device(). The CPU device runs everything at once on the calling thread and its OpenMP
// team, so its streams have nothing to wait for; a GPU runs behind its callers, who must
// synchronize before they look at what it wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/kernel_choices.h"
#include "core/tensor.h"

namespace convoy {

enum class DeviceKind { cpu, cuda };

// How a device multiplies. fp32: true fp32 throughout. tf32: fp32 in memory, products of operands
// rounded to 10 bits of fraction, summed in fp32. bf16: activations and the weights that
// operations read are bf16, sums, gradients of weights, parameters and momentum fp32.
enum class Precision { fp32, tf32, bf16 };
[[nodiscard]] const char* name_of(Precision precision);

// An in-order queue of work on a device.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void synchronize() = 0;  // returns when all work queued so far is done
};

// A mark in a stream that another stream, or the host, can wait for.
class Event {
 public:
  virtual ~Event() = default;
  virtual void record(Stream& stream) = 0;
  virtual void wait_on(Stream& stream) = 0;  // later work of `stream` waits for the mark
  virtual void synchronize() = 0;            // the host waits for the mark
  // From `earlier` to this mark, both timed, and both passed.
  virtual double milliseconds_since(const Event& earlier) const = 0;
};

// Owned memory, 64-byte aligned, zero when allocated.
class Buffer {
 public:
  Buffer() = default;
  Buffer(void* data, std::size_t bytes, std::function<void(void*)> release)
      : data_(data, std::move(release)), bytes_(bytes) {}
  [[nodiscard]] void* data() const { return data_.get(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::unique_ptr<void, std::function<void(void*)>> data_{nullptr, [](void*) {}};
  std::size_t bytes_ = 0;
};

class Operations;

class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual DeviceKind kind() const = 0;
  // For logs: processor, threads, instruction set.
  [[nodiscard]] virtual std::string description() const = 0;

  // The processor's name, unlike those of all others of this host.
  [[nodiscard]] virtual std::string identity() const = 0;

  // What its kernels are made for: "AVX-512", "NVIDIA H100 tf32". Ranks that differ in it round
  // differently.
  [[nodiscard]] virtual std::string kernels() const = 0;

  [[nodiscard]] virtual Precision precision() const = 0;
  // Of activations, their gradients, and the weights and biases that operations read: bf16 with
  // that precision, else f32.
  [[nodiscard]] DType activation_type() const {
    return precision() == Precision::bf16 ? DType::bf16 : DType::f32;
  }
  // True where gradients that were just made lie in a cache, so that updating at once saves reading
  // them again; otherwise one update of all parameters is quickest.
  [[nodiscard]] virtual bool updates_from_cache() const = 0;

  // Throws Error(resource) with the number of bytes asked for when memory runs out.
  virtual Buffer allocate(std::size_t bytes) = 0;
  // Host memory that copies to and from the device pass by without the host's help.
  virtual Buffer allocate_host(std::size_t bytes) = 0;
  virtual std::unique_ptr<Stream> make_stream() = 0;
  // `timed`: for milliseconds_since(). Such a mark can be recorded within a graph too, where it
  // marks whenever the graph runs, but other streams cannot wait for it there.
  virtual std::unique_ptr<Event> make_event(bool timed = false) = 0;
  // Host memory must stay as it is until the stream has passed the copy.
  virtual void copy_to_device(void* device, const void* host, std::size_t bytes, Stream& s) = 0;
  virtual void copy_to_host(void* host, const void* device, std::size_t bytes, Stream& s) = 0;
  virtual void copy(void* to, const void* from, std::size_t bytes, Stream& s) = 0;  // on the device
  virtual void fill_zero(void* device, std::size_t bytes, Stream& s) = 0;
  // True where the host may read and write device memory directly; communicators that work on host
  // memory need no staging then.
  [[nodiscard]] virtual bool host_addressable() const = 0;

  // Threads that this rank may use on the host.
  [[nodiscard]] virtual int host_threads() const = 0;
  // The multiply-add rate of all its threads on registers, in GFLOP/s: measured, for `convoy
  // bench`.
  virtual double measure_peak_gflops() = 0;
  // Runs what `work` queues on `stream`, all of it at once where the device can (a CUDA graph). The
  // work may queue other things in each call; it must not wait for the stream.
  virtual void run_as_graph(Stream& stream, const std::function<void()>& work) = 0;
  // Bytes of device memory that can still be allocated, as far as the system tells.
  [[nodiscard]] virtual std::size_t free_memory_bytes() const = 0;
  // Bytes of device memory in use by this process at most so far.
  [[nodiscard]] virtual std::int64_t peak_memory_bytes() const = 0;
  // Names what is queued until pop_range() for a profiler.
  virtual void push_range(const char* /*name*/) {}
  virtual void pop_range() {}
  // Makes the operations below core/ops for this device.
  virtual Operations& operations() = 0;
  // Kernels that operations picked by timing; those that are known are not timed again.
  virtual KernelChoices& choices() = 0;
};

// A range that a profiler shows, while this lives.
class NamedRange {
 public:
  NamedRange(Device& device, const char* name) : device_(device) { device_.push_range(name); }
  ~NamedRange() { device_.pop_range(); }
  NamedRange(const NamedRange&) = delete;
  NamedRange& operator=(const NamedRange&) = delete;

 private:
  Device& device_;
};

struct DeviceOptions {
  std::string kind = "auto";  // device.kind: auto, cpu, cuda
  int threads = 0;            // device.threads: 0 = the cores this process may use
  std::string conv =
      "auto";  // device.conv: how convolutions are computed (dist/step/conv_choice.h)
  std::string precision = "auto";  // device.precision: auto, fp32, tf32, bf16
  bool deterministic = true;       // device.deterministic: only kernels that always sum alike
  bool graph = true;               // device.graph: a training step is one CUDA graph
  std::string kernels = "";        // device.kernels: file of KernelChoices of an earlier run
  double workspace_mb = 1024;      // device.workspace-mb: of one operation at most, 10^6 bytes
};

// Which of the processes of this job on this host a process is.
struct LocalPlace {
  int rank = 0;
  int ranks = 1;
};

// The cores that this process may run on.
[[nodiscard]] int usable_cores();

// The only place that knows which devices exist. With threads = 0 each process of the host takes
// its share of the cores it may run on, at least one. `auto` is a GPU where there is one. Throws
// Error(usage) for options that this machine or build cannot honour.
std::unique_ptr<Device> make_device(const DeviceOptions& options, const LocalPlace& place);

}  // namespace convoy
