// Keeps a second process out of a run directory.
#pragma once

#include <filesystem>
#include <string>

#include "io/files/descriptor.h"

namespace convoy {

// Holds the file run.lock of a folder by flock(2) while it lives, and writes host and process into
// it. The system lets go of it when the process ends, however it ends, so a crash leaves no lock
// that counts. Over NFS, Linux makes a lock of the server of it, which holds between hosts.
class RunLock {
 public:
  // Throws Error(usage), naming the process, where another one holds it; Error(resource) where the
  // file cannot be made.
  RunLock(const std::filesystem::path& folder, const std::string& host);

  // Where the file system knows no locks: a sentence for a person; else empty.
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  Descriptor file_;
  std::string warning_;
};

}  // namespace convoy
