// Serialises into the file itself: a message of weights is large enough once.
#include "io/model/message_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>

#include "core/error.h"
#include "io/files/descriptor.h"
#include "io/files/durable.h"

namespace convoy {

void write_message(const std::filesystem::path& path,
                   const google::protobuf::MessageLite& message) {
  constexpr std::size_t limit = std::size_t{1} << 31;
  if (message.ByteSizeLong() >= limit) {
    fail(ExitCode::resource, "{} would have {} bytes; files of this format end below 2 GiB",
         path.string(), message.ByteSizeLong());
  }
  AsideFile aside(path);
  {
    const Descriptor file(uninterrupted([&] {
      return ::open(aside.partial().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }));
    if (!file.valid() || !message.SerializeToFileDescriptor(file.get())) {
      fail(ExitCode::resource, "cannot write {}: {}", path.string(), std::strerror(errno));
    }
  }
  aside.commit();
}

}  // namespace convoy
