// Ranks that compute on the same images and share a host read each image once, into one ring of
// batches that all of them see.
#pragma once

#include "core/device.h"
#include "dist/comm/communicator.h"
#include "dist/job.h"
#include "io/dataset/dataset.h"
#include "io/read/reader.h"

namespace convoy {

// Makes the ranks of `group` share the reading that `options` describe, where data.share says so:
// auto shares where decoding costs more than passing on, that is JPEG images, and where the device
// reads host memory, since GPUs copy from pinned memory of their own process. Collective.
//
// Throws Error(usage) where data.share is on and the device has memory of its own or the group
// spans hosts. A reader that waits longer for another rank than the group's limit throws
// Error(rank_failed) naming it.
void share_reading(Communicator& group, const Device& device, const Dataset& dataset,
                   const DataOptions& data, ReaderOptions& options);

}  // namespace convoy
