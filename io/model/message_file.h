// A protobuf message as a file that is whole or absent.
#pragma once

#include <filesystem>

#include <google/protobuf/message_lite.h>

namespace convoy {

// Throws Error(resource), also for a message of 2 GiB or more, which no reader takes.
void write_message(const std::filesystem::path& path, const google::protobuf::MessageLite& message);

}  // namespace convoy
