// Turns MPI's error codes into Convoy's errors, and wraps an MPI communicator.
#pragma once

#include <memory>
#include <string>

#include <mpi.h>

#include "dist/communicator.h"
#include "dist/messages.h"

namespace convoy {

// Throws Error(rank_failed) naming the call and what it was for.
void check_mpi(int code, const char* call, const std::string& purpose);

// Takes ownership of `comm`. Collective. Memory of `device`, which must outlive it, passes by the
// host where the host cannot address it; null: host memory only.
[[nodiscard]] std::unique_ptr<Communicator> make_mpi_communicator(MPI_Comm comm, Device* device,
                                                                  const Watch& watch);

// Takes ownership of `comm`.
[[nodiscard]] std::unique_ptr<Messages> make_mpi_messages(MPI_Comm comm);

}  // namespace convoy
