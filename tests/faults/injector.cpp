// A tracer that stops its children at the system calls that change files (a seccomp filter picks
// them), for x86-64 Linux.
#include "tests/faults/injector.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace convoy::faults {
namespace {

namespace fs = std::filesystem;

struct Call {
  long number;
  const char* name;
  enum class File { descriptor, path, path_at } file;  // what its first arguments name
  bool needs_room;                                     // fails on a full disk
};
using enum Call::File;
constexpr std::array calls = {
    Call{SYS_open, "open", path, true},
    Call{SYS_openat, "open", path_at, true},
    Call{SYS_creat, "open", path, true},
    Call{SYS_write, "write", descriptor, true},
    Call{SYS_pwrite64, "pwrite", descriptor, true},
    Call{SYS_writev, "writev", descriptor, true},
    Call{SYS_ftruncate, "ftruncate", descriptor, false},
    Call{SYS_fallocate, "fallocate", descriptor, true},
    Call{SYS_fsync, "fsync", descriptor, false},
    Call{SYS_fdatasync, "fsync", descriptor, false},
    Call{SYS_close, "close", descriptor, false},
    Call{SYS_rename, "rename", path, true},
    Call{SYS_renameat, "rename", path_at, true},
    Call{SYS_renameat2, "rename", path_at, true},
    Call{SYS_unlink, "unlink", path, false},
    Call{SYS_unlinkat, "unlink", path_at, false},
    Call{SYS_rmdir, "rmdir", path, false},
    Call{SYS_mkdir, "mkdir", path, true},
    Call{SYS_mkdirat, "mkdir", path_at, true},
};

[[noreturn]] void cannot(const char* what) {
  throw std::runtime_error(std::string("cannot ") + what + ": " + std::strerror(errno));
}

// In the child: stops at the calls above, once a tracer is there.
bool be_traced() {
  std::array<sock_filter, 2 * calls.size() + 2> filter{};
  std::size_t next = 0;
  filter[next++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (const Call& call : calls) {
    filter[next++] =
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call.number), 0, 1);
    filter[next++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  }
  filter[next++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog program{static_cast<unsigned short>(next), filter.data()};
  return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 && raise(SIGSTOP) == 0 &&
         prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

std::string string_in(pid_t process, std::uint64_t address) {
  std::string text(4096, '\0');
  std::size_t got = 0;
  while (got < text.size()) {  // a string may end just before memory does
    const std::size_t part = std::min(text.size() - got, 4096 - (address + got) % 4096);
    const iovec local{text.data() + got, part};
    const iovec remote{reinterpret_cast<void*>(address + got), part};
    if (process_vm_readv(process, &local, 1, &remote, 1, 0) <= 0) break;
    got += part;
    if (std::memchr(text.data(), 0, got) != nullptr) break;
  }
  return text.c_str();
}

std::string link_of(const std::string& path) {
  std::error_code ignored;
  return fs::read_symlink(path, ignored).string();
}

class Tracer {
 public:
  Tracer(const fs::path& folder, Injection injection)
      : folder_(fs::canonical(folder).string()), injection_(injection) {}

  Observed run(const std::function<int()>& work) {
    main_ = fork();
    if (main_ < 0) cannot("fork");
    if (main_ == 0) _exit(be_traced() ? work() : 126);
    int status = 0;
    if (waitpid(main_, &status, 0) != main_ || !WIFSTOPPED(status)) cannot("trace a child");
    constexpr long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                             PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, main_, nullptr, options) != 0) cannot("trace a child");
    resume(main_, PTRACE_CONT, 0);
    follow();
    for (const std::string& left : unsynced_folders_) observed_.unsynced.push_back(left);
    return std::move(observed_);
  }

 private:
  static void resume(pid_t process, int how, long signal) {
    ptrace(static_cast<__ptrace_request>(how), process, nullptr, signal);
  }

  // Until every thread and process has ended.
  void follow() {
    int status = 0;
    for (pid_t who = waitpid(-1, &status, __WALL); who > 0; who = waitpid(-1, &status, __WALL)) {
      if (WIFEXITED(status) || WIFSIGNALED(status)) {
        if (who == main_) {
          observed_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        processes_.erase(who);
        continue;
      }
      processes_.insert(who);
      const int event = status >> 16;
      const int signal = WSTOPSIG(status);
      if (event == PTRACE_EVENT_SECCOMP) {
        entered(who);
      } else if (who == half_done_) {  // at its exit from the call
        kill_all();
      } else {  // a new thread starts with a SIGSTOP of ours; signals of its own are passed on
        const bool ours = event != 0 || signal == SIGTRAP || signal == SIGSTOP;
        resume(who, PTRACE_CONT, ours ? 0 : signal);
      }
    }
  }

  void kill_all() {
    observed_.killed = true;
    for (const pid_t process : processes_) ::kill(process, SIGKILL);
    ::kill(main_, SIGKILL);
  }

  void entered(pid_t who) {
    user_regs_struct registers{};
    if (ptrace(PTRACE_GETREGS, who, nullptr, &registers) != 0) return;  // killed meanwhile
    const auto call = std::find_if(calls.begin(), calls.end(), [&](const Call& one) {
      return one.number == static_cast<long>(registers.orig_rax);
    });
    const std::optional<std::string> file = file_of(who, *call, registers);
    if (!file) return resume(who, PTRACE_CONT, 0);
    ++observed_.calls;
    const bool creates = call->name != std::string_view("open") || wants_to_write(*call, registers);
    const bool now = observed_.calls == injection_.call;
    if (now) observed_.at = std::string(call->name) + " " + fs::path(*file).filename().string();
    const bool full =
        injection_.fault == Fault::no_space && !observed_.at.empty() && call->needs_room && creates;
    if (now || full) {
      inject(who, *call, registers);
    } else {
      note(who, *call, *file, registers);
      resume(who, PTRACE_CONT, 0);
    }
  }

  void inject(pid_t who, const Call& call, user_regs_struct registers) {
    int error = 0;
    switch (injection_.fault) {
      case Fault::none:
        return resume(who, PTRACE_CONT, 0);
      case Fault::kill:
        return kill_all();
      case Fault::short_write:
        if (call.name == std::string_view("write") || call.name == std::string_view("pwrite")) {
          registers.rdx /= 2;
          ptrace(PTRACE_SETREGS, who, nullptr, &registers);
        }
        half_done_ = who;
        return resume(who, PTRACE_SYSCALL, 0);
      case Fault::no_space:
        error = ENOSPC;
        break;
      case Fault::io_error:
        error = EIO;
        break;
      case Fault::interrupted:
        error = EINTR;
        break;
    }
    registers.orig_rax = ~0ULL;  // no call: its result is what stands in rax
    registers.rax = static_cast<unsigned long long>(-error);
    ptrace(PTRACE_SETREGS, who, nullptr, &registers);
    resume(who, PTRACE_CONT, 0);
  }

  // What has been written and renamed without being synced.
  void note(pid_t who, const Call& call, const std::string& file,
            const user_regs_struct& registers) {
    const std::string_view name = call.name;
    if (name == "write" || name == "pwrite" || name == "writev" || name == "ftruncate") {
      unsynced_files_.insert(file);
    } else if (name == "fsync") {
      unsynced_files_.erase(file);
      unsynced_folders_.erase(file);
    } else if (name == "rename") {
      if (unsynced_files_.erase(file) != 0) observed_.unsynced.push_back(file);
      const auto target = call.file == path ? registers.rsi : registers.r10;
      unsynced_folders_.insert(absolute(who, AT_FDCWD, string_in(who, target)).parent_path());
    }
  }

  static bool wants_to_write(const Call& call, const user_regs_struct& registers) {
    if (call.number == SYS_creat) return true;
    return ((call.file == path ? registers.rsi : registers.rdx) & O_CREAT) != 0;
  }

  static fs::path absolute(pid_t who, int folder, const std::string& name) {
    if (name.starts_with('/')) return fs::path(name).lexically_normal();
    const std::string process = "/proc/" + std::to_string(who);
    const std::string base =
        link_of(folder == AT_FDCWD ? process + "/cwd" : process + "/fd/" + std::to_string(folder));
    return (fs::path(base) / name).lexically_normal();
  }

  // The file that a call is about, where it lies below the folder.
  [[nodiscard]] std::optional<std::string> file_of(pid_t who, const Call& call,
                                                   const user_regs_struct& registers) const {
    const int first = static_cast<int>(registers.rdi);
    std::string file;
    if (call.file == descriptor) {
      file = link_of("/proc/" + std::to_string(who) + "/fd/" + std::to_string(first));
    } else if (call.file == path) {
      file = absolute(who, AT_FDCWD, string_in(who, registers.rdi));
    } else {
      file = absolute(who, first, string_in(who, registers.rsi));
    }
    if (!file.starts_with(folder_)) return std::nullopt;
    return file;
  }

  std::string folder_;
  Injection injection_;
  Observed observed_;
  pid_t main_ = -1;
  pid_t half_done_ = -1;
  std::set<pid_t> processes_;
  std::set<std::string> unsynced_files_;
  std::set<std::string> unsynced_folders_;
};

}  // namespace

Observed run_with_fault(const fs::path& folder, Injection injection,
                        const std::function<int()>& work) {
  return Tracer(folder, injection).run(work);
}

}  // namespace convoy::faults
