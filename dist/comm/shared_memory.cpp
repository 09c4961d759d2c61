// Anonymous memory files that the ranks open through each other's /proc/PID/fd.
//
// Unlike files in /dev/shm they have no name that a killed run leaves behind, and no size limit of
// their own (containers often have 64 MB there).
#include "dist/comm/shared_memory.h"

#include <array>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "dist/watch/collective_record.h"

namespace convoy {
namespace {

struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int fd;
};

// Where a rank's file is to be found, and the boot of the kernel that knows it: process numbers say
// nothing on another host. Hosts that share a kernel (namespaces) have names of their own, and are
// meant to be apart.
struct Place {
  std::array<char, 64> boot{};
  std::array<char, 256> host{};
  pid_t process = 0;
  int fd = -1;
};

void* map(int fd, std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

std::array<char, 256> name_of_host() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) name.fill('?');
  return name;
}

bool everyone_succeeded(Communicator& group, bool here) {
  std::array<double, 1> failed{here ? 0.0 : 1.0};
  group.maximum("shared memory", failed);
  return failed[0] == 0;
}

}  // namespace

std::unique_ptr<SharedMemory> SharedMemory::make(Communicator& group, std::size_t bytes) {
  const Descriptor own(memfd_create("convoy", MFD_CLOEXEC));
  const bool made = own.fd >= 0 && ftruncate(own.fd, static_cast<off_t>(bytes)) == 0;
  Place mine{{}, name_of_host(), getpid(), made ? own.fd : -1};
  boot_of_host().copy(mine.boot.data(), mine.boot.size() - 1);

  std::unique_ptr<SharedMemory> memory(new SharedMemory(bytes));
  bool mapped = made;
  for (int rank = 0; rank < group.size(); ++rank) {
    Place place = mine;
    group.broadcast("shared memory", &place, sizeof place, rank);
    void* part = nullptr;
    if (place.fd >= 0 && place.boot == mine.boot && place.host == mine.host) {
      const std::string path = fmt::format("/proc/{}/fd/{}", place.process, place.fd);
      const Descriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC));
      if (file.fd >= 0) part = map(file.fd, bytes);
    }
    memory->parts_.push_back(part);
    mapped = mapped && part != nullptr;
  }
  // Also keeps every file open until all have it.
  return everyone_succeeded(group, mapped) ? std::move(memory) : nullptr;
}

SharedMemory::~SharedMemory() {
  for (void* part : parts_)
    if (part != nullptr) munmap(part, bytes_);
}

}  // namespace convoy
