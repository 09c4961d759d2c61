// What a build without CUDA has instead of communicator_nccl.cpp.
#include "core/error.h"
#include "dist/comm/nccl.h"

namespace convoy {

int nccl_version() { return 0; }

std::vector<LibraryVersion> nccl_libraries() { return {}; }

void abort_nccl() {}

std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator>, Device&, double,
                                                     const Watch&) {
  fail(ExitCode::usage, "this Convoy was built without NCCL; use --dist.backend mpi");
}

}  // namespace convoy
