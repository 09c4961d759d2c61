// The `convoy` command.
#include <iostream>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "launcher/dispatch.h"

int main(int argc, char** argv) {
  // Warnings of the floors below belong beside errors, not into output that a program may read.
  const auto warnings = spdlog::stderr_logger_mt("convoy");
  warnings->set_pattern("convoy: %l: %v");
  spdlog::set_default_logger(warnings);
  return convoy::dispatch(argc, argv, std::cout, std::cerr);
}
