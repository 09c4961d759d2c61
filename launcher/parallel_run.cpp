// Agreement of the ranks before a run, and the end of a job in which a rank failed.
#include "launcher/parallel_run.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <ostream>
#include <thread>

#include <spdlog/spdlog.h>

#include "core/error.h"
#include "dist/comm/texts.h"
#include "launcher/failure.h"

namespace convoy {
namespace {

// Ranks often fail alike, such as all for a missing dataset. Rank 0 speaks first and ends the job;
// the others speak only if they are still alive after this time.
constexpr std::chrono::milliseconds kGrace{500};

void print(std::ostream& err, int rank, const std::string& host, const std::string& sentence) {
  err << fmt::format("convoy: rank {} on {}: {}\n", rank, host, sentence) << std::flush;
}

void print(std::ostream& err, const World* world, const std::string& sentence) {
  if (world == nullptr) {
    err << fmt::format("convoy: {}\n", sentence) << std::flush;
  } else {
    print(err, world->rank(), world->host(), sentence);
  }
}

// Collective. The exit code that all ranks return because of what some of them found; 0: none.
int agree(World& world, Communicator& all, const Failure& failure, std::ostream& err) {
  const double code = failure.code;
  std::array<double, 2> extremes{code, -code};
  all.maximum("agreement", extremes);
  const bool alike = extremes[0] == -extremes[1];
  if (failure.code != 0 && (!alike || world.rank() == 0)) {
    print(err, alike ? nullptr : &world, failure.sentence);
  }
  return static_cast<int>(extremes[0]);
}

// Refuses options that differ from rank 0's: ranks may see different files under one name.
void compare_options(const std::string& here, const std::string& there) {
  if (here == there) return;
  std::string first;
  const std::vector<std::string> here_lines = split(here, '\n');
  const std::vector<std::string> there_lines = split(there, '\n');
  for (std::size_t i = 0; i < std::min(here_lines.size(), there_lines.size()); ++i) {
    if (here_lines[i] == there_lines[i]) continue;
    first = fmt::format("'{}' here, '{}' there", here_lines[i], there_lines[i]);
    break;
  }
  fail(ExitCode::usage,
       "the options of this rank are not those of rank 0 ({}); start every rank with the "
       "same command line and the same configuration file",
       first);
}

// Collective. Parses on every rank; nothing where every rank may go on.
std::optional<int> parse_alike(World& world, Command& command,
                               const std::vector<std::string>& arguments, std::ostream& err) {
  const auto all = world.split(0);
  const Failure parsed = guard([&] { command.parse(arguments); });
  if (const int code = agree(world, *all, parsed, err); code != 0) return code;
  const std::string here = render_ini(command.options());
  const std::string there = broadcast_text(*all, "options", here, 0);
  const Failure compared = guard([&] { compare_options(here, there); });
  if (const int code = agree(world, *all, compared, err); code != 0) return code;
  return std::nullopt;
}

// What this rank does about its failure; with several ranks it returns only from a stop on request,
// which all ranks make together.
int conclude(World& world, const Failure& failure, std::ostream& err) {
  const bool together = failure.code == static_cast<int>(ExitCode::stopped);
  if (world.size() == 1 || together) {
    if (failure.code != 0 && world.rank() == 0) print(err, nullptr, failure.sentence);
    return failure.code;
  }
  if (failure.code == 0) return 0;
  const bool waited = failure.code == static_cast<int>(ExitCode::rank_failed);
  if (world.rank() != 0 && !waited) std::this_thread::sleep_for(kGrace);
  const bool usage = failure.code == static_cast<int>(ExitCode::usage);
  print(err, usage && world.rank() == 0 ? nullptr : &world, failure.sentence);
  // Each rank says what it waits in: together they show where the job stood.
  if (waited) std::this_thread::sleep_for(world.last_words_time());
  world.abort(failure.code);
}

}  // namespace

int run_parallel(Command& command, const std::vector<std::string>& arguments, int argc, char** argv,
                 std::ostream& out, std::ostream& err) {
  std::optional<World> world;
  const Failure started = guard([&] { world.emplace(&argc, &argv); });
  if (started.code != 0) {
    print(err, nullptr, started.sentence);
    return started.code;
  }
  std::optional<int> refused;
  const Failure failure = guard([&] {
    refused = parse_alike(*world, command, arguments, err);
    if (refused) return;
    world->end_when_stuck([&err, rank = world->rank(), host = world->host()](
                              const std::string& sentence) { print(err, rank, host, sentence); });
    if (world->rank() == 0 && !command.warning().empty()) spdlog::warn(command.warning());
    command.run(&*world, out);
    out.flush();
    if (!out) fail(ExitCode::resource, "standard output cannot be written");
  });
  return refused ? *refused : conclude(*world, failure, err);
}

}  // namespace convoy
