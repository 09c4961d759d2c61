// Turns MPI's error codes into Convoy's errors, and wraps a communicator for messages.
#pragma once

#include <memory>
#include <string>

#include <mpi.h>

#include "dist/mpi/messages.h"

namespace convoy {

// Throws Error(rank_failed) naming the call and what it was for.
void check_mpi(int code, const char* call, const std::string& purpose);

// Takes ownership of `comm`.
[[nodiscard]] std::unique_ptr<Messages> make_mpi_messages(MPI_Comm comm);

}  // namespace convoy
