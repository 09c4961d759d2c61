// Memory for hundreds of megabytes of bytes that are about to be written: at whole pages, as direct
// writes want it, and not cleared before it is filled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include <sys/mman.h>

namespace convoy {

template <typename T>
struct PageAllocator {
  using value_type = T;

  static constexpr std::size_t page = 4096;
  static constexpr std::size_t large_page = std::size_t{2} << 20;

  PageAllocator() = default;
  template <typename U>
  explicit PageAllocator(const PageAllocator<U>&) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    const std::size_t unit = bytes < large_page ? page : large_page;
    const std::size_t whole = (bytes + unit - 1) / unit * unit;
    void* const memory = std::aligned_alloc(unit, whole);
    if (memory == nullptr) throw std::bad_alloc();
    // A wish: without large pages, the first use of each small one costs a fault.
    if (unit == large_page) static_cast<void>(::madvise(memory, whole, MADV_HUGEPAGE));
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t) { std::free(memory); }

  // Elements that come without a value stay as the memory is.
  template <typename U, typename... Arguments>
  void construct(U* place, Arguments&&... arguments) {
    if constexpr (sizeof...(Arguments) > 0) ::new (place) U(std::forward<Arguments>(arguments)...);
  }

  friend bool operator==(const PageAllocator&, const PageAllocator&) = default;
};

using PageBytes = std::vector<std::uint8_t, PageAllocator<std::uint8_t>>;

}  // namespace convoy
