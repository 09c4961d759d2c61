// posix_spawn, poll and sigwaitinfo: nothing here looks again and again.
#include "launcher/cluster/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "launcher/option_table.h"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    close();
    number_ = std::exchange(other.number_, -1);
    return *this;
  }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool open() const { return number_ >= 0; }
  void close() {
    if (open()) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    fail(ExitCode::resource, "no pipe can be made for another program: {}", std::strerror(errno));
  }
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// What a child has as its standard input, output and error; -1: as this process, input nothing.
struct Streams {
  int in = -1;
  int out = -1;
  int err = -1;
};

// In a group of its own, so that a terminal's interrupt comes to this process only and is passed on
// once, in the form that the job understands; with no signal blocked.
pid_t spawn(const std::vector<std::string>& command, const Streams& streams) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (streams.in >= 0) {
    posix_spawn_file_actions_adddup2(&actions, streams.in, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  if (streams.out >= 0) posix_spawn_file_actions_adddup2(&actions, streams.out, STDOUT_FILENO);
  if (streams.err >= 0) posix_spawn_file_actions_adddup2(&actions, streams.err, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);

  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    fail(ExitCode::resource, "the program {} cannot be started: {}", command.front(),
         std::strerror(error));
  }
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// A program that is being heard.
struct Hearing {
  pid_t child = 0;
  Descriptor out;
  Descriptor err;
  Heard heard;

  [[nodiscard]] bool talking() const { return out.open() || err.open(); }
};

Hearing start_hearing(const std::vector<std::string>& command, int input) {
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  Hearing hearing;
  hearing.child = spawn(command, {input, out.write.number(), err.write.number()});
  hearing.out = std::move(out.read);
  hearing.err = std::move(err.read);
  return hearing;
}

void take(Descriptor& from, std::string& text) {
  std::array<char, 4096> buffer{};
  const ssize_t got = read(from.number(), buffer.data(), buffer.size());
  if (got > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  } else if (got == 0 || errno != EINTR) {
    from.close();
  }
}

// Takes what is there to be read, once; false: the time is over.
bool listen(std::vector<Hearing>& hearings, Clock::time_point end) {
  std::vector<pollfd> polled;
  std::vector<std::pair<Descriptor*, std::string*>> targets;
  for (Hearing& hearing : hearings) {
    for (const auto& target : {std::pair{&hearing.out, &hearing.heard.out},
                               std::pair{&hearing.err, &hearing.heard.err}}) {
      if (!target.first->open()) continue;
      polled.push_back({target.first->number(), POLLIN, 0});
      targets.push_back(target);
    }
  }
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  if (left.count() <= 0) return false;
  if (poll(polled.data(), polled.size(), static_cast<int>(left.count())) <= 0) return true;
  for (std::size_t i = 0; i < polled.size(); ++i) {
    if (polled[i].revents != 0) take(*targets[i].first, *targets[i].second);
  }
  return true;
}

// A file that holds the text and has no name.
Descriptor file_with(const std::string& text) {
  Descriptor file(memfd_create("input", MFD_CLOEXEC));
  const bool written = file.open() && write(file.number(), text.data(), text.size()) ==
                                          static_cast<ssize_t>(text.size());
  if (!written || lseek(file.number(), 0, SEEK_SET) != 0) {
    fail(ExitCode::resource, "no memory for another program's input: {}", std::strerror(errno));
  }
  return file;
}

}  // namespace

std::string find_program(const std::string& name) {
  const auto runs = [](const std::string& path) {
    return access(path.c_str(), X_OK) == 0 && !std::filesystem::is_directory(path);
  };
  if (name.find('/') != std::string::npos) return runs(name) ? name : "";
  const char* const path = std::getenv("PATH");
  for (const std::string& folder : split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    const std::string candidate = (folder.empty() ? "." : folder) + '/' + name;
    if (runs(candidate)) return candidate;
  }
  return {};
}

std::vector<Heard> hear_all(const std::vector<std::vector<std::string>>& commands,
                            std::chrono::milliseconds limit, const std::string& input) {
  const Clock::time_point end = Clock::now() + limit;
  std::vector<Hearing> hearings;
  for (const std::vector<std::string>& command : commands) {
    const Descriptor text = input.empty() ? Descriptor() : file_with(input);
    hearings.push_back(start_hearing(command, text.number()));
  }
  const auto talking = [](const Hearing& hearing) { return hearing.talking(); };
  while (std::ranges::any_of(hearings, talking) && listen(hearings, end)) {
  }
  std::vector<Heard> heard;
  for (Hearing& hearing : hearings) {
    hearing.heard.ended = !hearing.talking();
    if (!hearing.heard.ended) kill(-hearing.child, SIGKILL);
    hearing.heard.status = wait_for(hearing.child);
    heard.push_back(std::move(hearing.heard));
  }
  return heard;
}

Heard hear(const std::vector<std::string>& command, std::chrono::milliseconds limit,
           const std::string& input) {
  return std::move(hear_all(std::vector<std::vector<std::string>>{command}, limit, input).front());
}

Supervisor::Supervisor() {
  sigemptyset(&watched_);
  sigaddset(&watched_, SIGCHLD);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    // nohup and shells' background jobs ignore some; blocked ones would come all the same.
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) sigaddset(&watched_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &watched_, &before_);
}

Supervisor::~Supervisor() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void Supervisor::ask(pid_t mpirun, int signal, bool checkpoints) {
  if (asked_ == 0) asked_ = signal;
  ++times_asked_;
  if (times_asked_ == 1 && checkpoints) {
    spdlog::warn(
        "{}: the ranks are asked to write a checkpoint and stop; a second signal ends them",
        strsignal(signal));
    kill(mpirun, SIGUSR1);
  } else {
    kill(mpirun, times_asked_ <= 2 ? SIGTERM : SIGKILL);
  }
}

int Supervisor::run(const std::vector<std::string>& command, bool checkpoints) {
  const pid_t mpirun = spawn(command, {});
  while (true) {
    int status = 0;
    if (waitpid(mpirun, &status, WNOHANG) == mpirun) return status;
    const int signal = sigwaitinfo(&watched_, nullptr);
    if (signal > 0 && signal != SIGCHLD) ask(mpirun, signal, checkpoints);
  }
}

bool Supervisor::pause(std::chrono::seconds time) {
  const Clock::time_point end = Clock::now() + time;
  while (Clock::now() < end) {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(end - Clock::now());
    const timespec wait{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    const int signal = left.count() > 0 ? sigtimedwait(&watched_, nullptr, &wait) : -1;
    if (signal > 0 && signal != SIGCHLD) {
      asked_ = signal;
      return false;
    }
  }
  return true;
}

}  // namespace convoy
