// NCCL's collectives as queued work over MPI: see ../README.md.
//
// Queued work blocks in MPI, so ranks must wait for their streams in the same order. As with a real
// nonblocking communicator, calls return before they are over: the state is "in progress" once more
// after each of them.
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include <cuda_bf16.h>
#include <mpi.h>
#include <nccl.h>

#include "tests/cuda_on_cpu/launch_kernel.h"

namespace convoy::cuda_on_cpu {

struct NcclRanks {
  MPI_Comm comm = MPI_COMM_NULL;
  bool busy = true;
};

namespace {

// What an id holds.
struct Meeting {
  int root = 0;    // rank of MPI_COMM_WORLD that made it
  int number = 0;  // how manyeth of that rank
};

constexpr int kTag = 20'000;

// Every member tells the root its number in the world, and the root tells all of them everyone's.
MPI_Comm meet(const Meeting& at, int rank, int ranks) {
  int own = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &own);
  const int tag = kTag + at.number;
  std::vector<int> members(static_cast<std::size_t>(ranks), own);
  if (rank == 0) {
    for (int i = 1; i < ranks; ++i) {
      int pair[2];
      MPI_Recv(pair, 2, MPI_INT, MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      members[static_cast<std::size_t>(pair[0])] = pair[1];
    }
    for (int i = 1; i < ranks; ++i)
      MPI_Send(members.data(), ranks, MPI_INT, members[static_cast<std::size_t>(i)], tag,
               MPI_COMM_WORLD);
  } else {
    const int pair[2] = {rank, own};
    MPI_Send(pair, 2, MPI_INT, at.root, tag, MPI_COMM_WORLD);
    MPI_Recv(members.data(), ranks, MPI_INT, at.root, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  MPI_Group world = MPI_GROUP_NULL;
  MPI_Group group = MPI_GROUP_NULL;
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Comm_group(MPI_COMM_WORLD, &world);
  MPI_Group_incl(world, ranks, members.data(), &group);
  MPI_Comm_create_group(MPI_COMM_WORLD, group, tag, &comm);
  MPI_Group_free(&group);
  MPI_Group_free(&world);
  return comm;
}

std::size_t size_of(ncclDataType_t type) { return type == ncclBfloat16 ? 2 : 4; }

// Block `part` [count] of the sum over the ranks' blocks, in fp32.
void add(const std::vector<char>& blocks, int ranks, std::size_t count, ncclDataType_t type,
         void* sum) {
  for (std::size_t i = 0; i < count; ++i) {
    float total = 0;
    for (std::size_t r = 0; r < static_cast<std::size_t>(ranks); ++r) {
      const char* value = blocks.data() + (r * count + i) * size_of(type);
      if (type == ncclBfloat16) {
        __nv_bfloat16 narrow;
        std::memcpy(&narrow, value, sizeof narrow);
        total += __bfloat162float(narrow);
      } else {
        float wide = 0;
        std::memcpy(&wide, value, sizeof wide);
        total += wide;
      }
    }
    if (type == ncclBfloat16)
      static_cast<__nv_bfloat16*>(sum)[i] = __float2bfloat16(total);
    else
      static_cast<float*>(sum)[i] = total;
  }
}

int ranks_of(MPI_Comm comm) {
  int ranks = 0;
  MPI_Comm_size(comm, &ranks);
  return ranks;
}

ncclResult_t queue(ncclComm_t ranks, cudaStream_t stream, std::function<void()> work) {
  if (ranks->busy) return ncclInvalidArgument;  // nobody waited for the call before
  ranks->busy = true;
  enqueue(stream, std::move(work));
  return ncclInProgress;
}

}  // namespace
}  // namespace convoy::cuda_on_cpu

using namespace convoy::cuda_on_cpu;

const char* ncclGetErrorString(ncclResult_t) { return "an error of the emulation"; }
const char* ncclGetLastError(ncclComm_t) { return ""; }
ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}
ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  static int made = 0;
  Meeting meeting;
  MPI_Comm_rank(MPI_COMM_WORLD, &meeting.root);
  meeting.number = made++;
  std::memcpy(id->internal, &meeting, sizeof meeting);
  return ncclSuccess;
}
ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  if (config->blocking != 0) return ncclInvalidArgument;
  Meeting meeting;
  std::memcpy(&meeting, id.internal, sizeof meeting);
  *comm = new NcclRanks{meet(meeting, rank, ranks)};
  return ncclInProgress;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  *state = comm->busy ? ncclInProgress : ncclSuccess;
  comm->busy = false;
  return ncclSuccess;
}
ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  comm->busy = true;
  return ncclInProgress;
}
ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  MPI_Comm_free(&comm->comm);
  delete comm;
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  delete comm;
  return ncclSuccess;
}
ncclResult_t ncclAllGather(const void* part, void* all, std::size_t count, ncclDataType_t type,
                           ncclComm_t ranks, cudaStream_t stream) {
  const int bytes = static_cast<int>(count * size_of(type));
  return queue(ranks, stream, [=, comm = ranks->comm] {
    MPI_Allgather(part, bytes, MPI_BYTE, all, bytes, MPI_BYTE, comm);
  });
}
ncclResult_t ncclReduceScatter(const void* all, void* part, std::size_t count, ncclDataType_t type,
                               ncclRedOp_t, ncclComm_t ranks, cudaStream_t stream) {
  const int bytes = static_cast<int>(count * size_of(type));
  return queue(ranks, stream, [=, comm = ranks->comm] {
    const int size = ranks_of(comm);
    std::vector<char> blocks(static_cast<std::size_t>(bytes) * static_cast<std::size_t>(size));
    MPI_Alltoall(all, bytes, MPI_BYTE, blocks.data(), bytes, MPI_BYTE, comm);
    add(blocks, size, count, type, part);
  });
}
ncclResult_t ncclReduce(const void* values, void* sum, std::size_t count, ncclDataType_t type,
                        ncclRedOp_t, int root, ncclComm_t ranks, cudaStream_t stream) {
  const int bytes = static_cast<int>(count * size_of(type));
  return queue(ranks, stream, [=, comm = ranks->comm] {
    const int size = ranks_of(comm);
    int rank = 0;
    MPI_Comm_rank(comm, &rank);
    std::vector<char> blocks(static_cast<std::size_t>(bytes) * static_cast<std::size_t>(size));
    MPI_Gather(values, bytes, MPI_BYTE, blocks.data(), bytes, MPI_BYTE, root, comm);
    if (rank == root) add(blocks, size, count, type, sum);
  });
}
ncclResult_t ncclBroadcast(const void* from, void* to, std::size_t count, ncclDataType_t type,
                           int root, ncclComm_t ranks, cudaStream_t stream) {
  if (from != to) return ncclInvalidArgument;
  const int bytes = static_cast<int>(count * size_of(type));
  return queue(ranks, stream,
               [=, comm = ranks->comm] { MPI_Bcast(to, bytes, MPI_BYTE, root, comm); });
}
ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t, ncclComm_t ranks, cudaStream_t stream) {
  if (type != ncclFloat32 || from != to) return ncclInvalidArgument;
  return queue(ranks, stream, [=, comm = ranks->comm] {
    MPI_Allreduce(MPI_IN_PLACE, to, static_cast<int>(count), MPI_FLOAT, MPI_SUM, comm);
  });
}
