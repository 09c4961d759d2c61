// Starts and ends MPI, and notices a launcher that does not match the MPI library.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <mpi.h>

#include "core/error.h"
#include "dist/comm/communicator.h"
#include "dist/comm/communicator_mpi.h"
#include "dist/comm/nccl.h"
#include "dist/mpi/mpi_check.h"
#include "dist/watch/collective_record.h"
#include "dist/watch/sentinel.h"
#include "dist/watch/watchdog.h"

namespace convoy {
namespace {

// srun or another MPI's mpirun starts N processes that each believe to be alone; each would train a
// run of its own and end with exit code 0.
void refuse_mismatched_launcher(int size) {
  if (size > 1) return;
  for (const char* variable : {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "PMI_SIZE"}) {
    const char* text = std::getenv(variable);
    if (text == nullptr || std::atoi(text) <= 1) continue;
    fail(
        ExitCode::usage,
        "{} says that {} tasks were started, but MPI sees only this one, so each would train "
        "alone; "
        "start Convoy with Open MPI's mpirun or with srun --mpi=pmix (for a run on one rank inside "
        "an allocation, unset {})",
        variable, text, variable);
  }
}

// Tasks of srun that no plugin for MPI tells of each other; the library would end each with several
// lines of its own.
void refuse_srun_without_plugin() {
  for (const char* variable : {"PMIX_NAMESPACE", "PMI_RANK", "PMI_FD"}) {
    if (std::getenv(variable) != nullptr) return;
  }
  const char* const tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (tasks == nullptr || std::atoi(tasks) <= 1) return;
  fail(ExitCode::usage,
       "srun has started {} tasks without a plugin for MPI, so they cannot find each other; use "
       "srun --mpi=pmix, or convoy launch or mpirun without srun",
       tasks);
}

// A rank's watchdog talks to the others while the rank computes or waits.
void require_threads(int provided) {
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size == 1 || provided >= MPI_THREAD_MULTIPLE) return;
  fail(ExitCode::usage,
       "this MPI library does not let several threads of a process communicate at a time "
       "(MPI_THREAD_MULTIPLE), which watching over the ranks of a job needs; use an Open MPI that "
       "was built with it, as Debian's is");
}

using HostName = std::array<char, 64>;

std::vector<std::string> hosts_of_all(const std::string& host, int size) {
  HostName mine{};
  host.copy(mine.data(), mine.size() - 1);
  std::vector<HostName> names(static_cast<std::size_t>(size));
  check_mpi(MPI_Allgather(mine.data(), static_cast<int>(mine.size()), MPI_CHAR, names.data(),
                          static_cast<int>(mine.size()), MPI_CHAR, MPI_COMM_WORLD),
            "MPI_Allgather", "names of hosts");
  std::vector<std::string> hosts;
  for (const HostName& name : names) hosts.emplace_back(name.data());
  return hosts;
}

std::uint64_t start_of_job() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  auto ns =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  check_mpi(MPI_Bcast(&ns, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD), "MPI_Bcast", "the job's start");
  return ns;
}

// The call that ends the other ranks may be stuck itself. A launcher ends a job of which a process
// leaves with an error, too.
[[noreturn]] void end_process(int exit_code) {
  std::thread([exit_code] {
    abort_nccl();
    MPI_Abort(MPI_COMM_WORLD, exit_code);
  }).detach();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  std::_Exit(exit_code);
}

// What a rank says of itself to others: the same for all worlds that are parts of the job.
struct Watching {
  Watching(int rank, int size, const std::string& host) : record(rank, size, host, start_of_job()) {
    if (size == 1) return;
    watchdog = std::make_unique<Watchdog>(record, make_mpi_watch_link(), hosts_of_all(host, size));
    sentinel = std::make_unique<Sentinel>(
        record, Sentinel::Job{.over = [this] { return watchdog->over(); },
                              .noticed = [this] { return watchdog->asked(); },
                              .words = [this] { return watchdog->last_words(); },
                              .end = end_process});
  }

  // All ranks come here before MPI is ended, which might otherwise wait for one that is gone.
  void finish() const {
    if (watchdog == nullptr) return;
    const std::string trouble = watchdog->finish();
    if (trouble.empty()) return;
    std::cerr << fmt::format("convoy: rank {}: {}\n", record.standing().rank, trouble);
    end_process(static_cast<int>(ExitCode::rank_failed));
  }

  CollectiveRecord record;
  std::unique_ptr<Watchdog> watchdog;  // null where the job has one rank, as the next
  std::unique_ptr<Sentinel> sentinel;
};

}  // namespace

void check_mpi(int code, const char* call, const std::string& purpose) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  fail(ExitCode::rank_failed, "{} for '{}' failed: {}", call, purpose,
       std::string(text.data(), static_cast<std::size_t>(length)));
}

struct World::State {
  // Takes `comm`, which is freed with this object unless it is MPI_COMM_WORLD.
  State(MPI_Comm ranks, std::shared_ptr<Watching> watches) : comm(ranks) {
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);

    std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
    int length = 0;
    MPI_Get_processor_name(name.data(), &length);
    host.assign(name.data(), static_cast<std::size_t>(length));

    MPI_Comm local = MPI_COMM_NULL;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
    MPI_Comm_size(local, &local_ranks);
    MPI_Comm_rank(local, &local_rank);
    MPI_Comm_free(&local);
    watching = watches ? std::move(watches) : std::make_shared<Watching>(rank, size, host);
  }
  ~State() {
    if (comm == MPI_COMM_WORLD) {
      watching->record.end(0);
      watching->finish();
      watching.reset();
      MPI_Finalize();
    } else {
      MPI_Comm_free(&comm);
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] Watch watch() const { return {watching->record, watching->watchdog.get()}; }
  [[nodiscard]] MPI_Comm group(int colour) const {
    MPI_Comm group = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split(comm, colour, rank, &group), "MPI_Comm_split", "a group of ranks");
    return group;
  }

  MPI_Comm comm;
  int rank = 0;
  int size = 1;
  int local_ranks = 1;
  int local_rank = 0;
  std::string host;
  std::shared_ptr<Watching> watching;
};

World::World(int* argc, char*** argv) {
  refuse_srun_without_plugin();
  int provided = 0;
  check_mpi(MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread",
            "start");
  require_threads(provided);
  state_ = std::make_unique<State>(MPI_COMM_WORLD, nullptr);
  refuse_mismatched_launcher(state_->size);
}

World::World(std::unique_ptr<State> state) : state_(std::move(state)) {}
World::~World() = default;

int World::rank() const { return state_->rank; }
int World::size() const { return state_->size; }
int World::local_ranks() const { return state_->local_ranks; }
int World::local_rank() const { return state_->local_rank; }
const std::string& World::host() const { return state_->host; }

std::unique_ptr<Communicator> World::split(int colour) {
  return make_mpi_communicator(state_->group(colour), nullptr, state_->watch());
}

std::unique_ptr<Communicator> World::split(int colour, Device& device, Backend backend,
                                           double wait_limit) {
  const bool nccl = backend == Backend::nccl;
  auto group =
      make_mpi_communicator(state_->group(colour), nccl ? nullptr : &device, state_->watch());
  group->limit_waits(wait_limit);
  return nccl ? make_nccl_communicator(std::move(group), device, wait_limit, state_->watch())
              : std::move(group);
}

std::unique_ptr<World> World::part(int colour) {
  return std::unique_ptr<World>(
      new World(std::make_unique<State>(state_->group(colour), state_->watching)));
}

CollectiveRecord& World::record() { return state_->watching->record; }

void World::end_when_stuck(std::function<void(const std::string&)> say) {
  if (state_->watching->watchdog == nullptr) return;
  state_->watching->watchdog->let_job_end();
  state_->watching->sentinel->arm(std::move(say));
}

std::chrono::milliseconds World::last_words_time() const {
  return std::chrono::milliseconds(1000 + state_->size);
}

std::unique_ptr<Messages> World::messages() { return make_mpi_messages(state_->group(0)); }

void World::abort(int exit_code) {
  state_->watching->record.end(exit_code);
  if (state_->watching->sentinel) state_->watching->sentinel->expect_end(exit_code);
  std::fflush(nullptr);
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

}  // namespace convoy
