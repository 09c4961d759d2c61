// Checks that ranks, datasets and checkpoints belong together, before anything is computed.
#pragma once

#include <string>
#include <vector>

#include "core/device.h"
#include "dist/comm/communicator.h"
#include "io/dataset/dataset.h"
#include "io/run/checkpoint.h"

namespace convoy {

// Throws Error(bad_data) naming the first class in which the lists differ. Names are compared;
// words may differ.
void require_same_classes(const std::vector<ClassInfo>& training,
                          const std::vector<ClassInfo>& other, const std::string& other_name);

// Collective over `everyone`. Ranks may see different files under one name, such as copies on their
// own disks; throws Error(bad_data) on the ranks whose dataset is not rank 0's.
void require_one_dataset(Communicator& everyone, const Dataset& dataset);

// Collective over `everyone`. Beside a run that still trains, ranks may find different newest
// checkpoints; throws Error(bad_checkpoint) on every rank.
void require_one_checkpoint(Communicator& everyone, const CheckpointInfo& info);

// Collective over `everyone`. Ranks on unlike processors compute, but round differently: a sentence
// on rank 0, or an empty string.
std::string unlike_kernels_warning(Communicator& everyone, const Device& device);

// A sentence where more threads are asked for than there are cores to run them, else empty.
std::string threads_warning(const DeviceOptions& options, int local_ranks);

}  // namespace convoy
