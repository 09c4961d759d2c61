// A device: memory, streams, events, and the operations a network is made of.
//
// Layers, network and trainer know this interface only; which device they run on is decided once,
// by make_device(). The CPU device runs everything at once on the calling thread and its OpenMP
// team, so its streams and events have nothing to wait for.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "core/tensor.h"

namespace convoy {

enum class DeviceKind { cpu };

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
};

// Owned device memory, 64-byte aligned, zero when allocated.
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

  // The instruction set of its kernels: "AVX-512". Ranks that differ in it round differently.
  [[nodiscard]] virtual std::string kernels() const = 0;

  // Throws Error(resource) with the number of bytes asked for when memory runs out.
  virtual Buffer allocate(std::size_t bytes) = 0;
  virtual std::unique_ptr<Stream> make_stream() = 0;
  virtual std::unique_ptr<Event> make_event() = 0;
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
  // Makes the operations below core/ops for this device.
  virtual Operations& operations() = 0;
};

struct DeviceOptions {
  std::string kind = "auto";  // device.kind: auto, cpu
  int threads = 0;            // device.threads: 0 = the cores this process may use
  std::string conv = "auto";  // device.conv: how convolutions are computed (dist/conv_choice.h)
};

// The cores that this process may run on.
[[nodiscard]] int usable_cores();

// The only place that knows which devices exist. `local_ranks` processes share this host; with
// threads = 0 each takes its share of the cores it may run on, at least one.
std::unique_ptr<Device> make_device(const DeviceOptions& options, int local_ranks);

}  // namespace convoy
