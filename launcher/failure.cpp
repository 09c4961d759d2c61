// Which exception ends the process with which exit code.
#include "launcher/failure.h"

#include <exception>
#include <filesystem>
#include <new>

#include "core/error.h"

namespace convoy {

Failure guard(const std::function<void()>& work) {
  const int resource = static_cast<int>(ExitCode::resource);
  try {
    work();
    return {};
  } catch (const Error& error) {
    return {static_cast<int>(error.code()), error.what()};
  } catch (const std::bad_alloc&) {
    return {resource, "the host has no memory left for this process"};
  } catch (const std::filesystem::filesystem_error& error) {
    return {resource,
            fmt::format("{} cannot be used: {}", error.path1().string(), error.code().message())};
  } catch (const std::exception& error) {
    return {kInternalError, fmt::format("an internal error, a fault of Convoy: {}", error.what())};
  }
}

}  // namespace convoy
