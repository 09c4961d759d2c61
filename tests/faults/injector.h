// Runs work in a child process under ptrace, counts its system calls on files below a folder, and
// lets the k-th of them go wrong. Nothing is preloaded and no library is asked: what the kernel
// sees is what counts, whichever thread or child of the process it comes from.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace convoy::faults {

enum class Fault {
  none,
  kill,         // SIGKILL before the call
  short_write,  // half of a write is done (any other call: all of it), then SIGKILL
  no_space,     // ENOSPC, and for every later call that needs room
  io_error,     // EIO, this once
  interrupted,  // EINTR, this once
};

struct Injection {
  Fault fault = Fault::none;
  long call = 0;  // from 1
};

struct Observed {
  long calls = 0;  // open, write, pwrite, fsync, ftruncate, rename, close, unlink, mkdir and kin
  std::string at;  // the call that went wrong: "fsync step-1.h5.partial"; empty: none did
  bool killed = false;
  int exit_code = 0;  // of the child; 128 + the signal where one ended it
  // What a power cut could have lost: files renamed before they were synced, and folders that were
  // not synced after a rename in them.
  std::vector<std::string> unsynced;
};

// `work` runs in a child of one thread, which ends with what it returns; it may also exec. Throws
// std::runtime_error where processes cannot be traced.
[[nodiscard]] Observed run_with_fault(const std::filesystem::path& folder, Injection injection,
                                      const std::function<int()>& work);

}  // namespace convoy::faults
