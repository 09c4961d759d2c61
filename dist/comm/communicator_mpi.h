// Wraps an MPI communicator.
#pragma once

#include <memory>

#include <mpi.h>

#include "dist/comm/communicator.h"

namespace convoy {

// Takes ownership of `comm`. Collective. Memory of `device`, which must outlive it, passes by the
// host where the host cannot address it; null: host memory only.
[[nodiscard]] std::unique_ptr<Communicator> make_mpi_communicator(MPI_Comm comm, Device* device,
                                                                  const Watch& watch);

}  // namespace convoy
