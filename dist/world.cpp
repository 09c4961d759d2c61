// Starts and ends MPI, and notices a launcher that does not match the MPI library.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <mpi.h>

#include "core/error.h"
#include "dist/communicator.h"
#include "dist/mpi_check.h"
#include "dist/nccl.h"

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
  explicit State(MPI_Comm ranks) : comm(ranks) {
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
  }
  ~State() {
    if (comm == MPI_COMM_WORLD) {
      MPI_Finalize();
    } else {
      MPI_Comm_free(&comm);
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

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
};

World::World(int* argc, char*** argv) {
  int provided = 0;
  check_mpi(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread",
            "start");
  state_ = std::make_unique<State>(MPI_COMM_WORLD);
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
  return make_mpi_communicator(state_->group(colour), nullptr);
}

std::unique_ptr<Communicator> World::split(int colour, Device& device, Backend backend,
                                           double wait_limit) {
  const bool nccl = backend == Backend::nccl;
  auto group = make_mpi_communicator(state_->group(colour), nccl ? nullptr : &device);
  group->limit_waits(wait_limit);
  return nccl ? make_nccl_communicator(std::move(group), device, wait_limit) : std::move(group);
}

std::unique_ptr<World> World::part(int colour) {
  return std::unique_ptr<World>(new World(std::make_unique<State>(state_->group(colour))));
}

std::unique_ptr<Messages> World::messages() { return make_mpi_messages(state_->group(0)); }

void World::abort(int exit_code) {
  std::fflush(nullptr);
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

}  // namespace convoy
