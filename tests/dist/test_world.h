// The ranks that the tests of dist/ run on.
#pragma once

#include <fmt/format.h>

#include "core/device.h"
#include "dist/comm/communicator.h"

namespace convoy {

World& test_world();

// One thread a rank: the tests run several ranks on few cores.
inline std::unique_ptr<Device> test_device() { return make_device({"cpu", 1}, {}); }

}  // namespace convoy
