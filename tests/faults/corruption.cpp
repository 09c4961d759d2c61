// The corruption campaign: damages every region of an index, a shard and a checkpoint in every way,
// thousands of times from one seed, and reads each in a process of its own. Each must be refused
// with its exit code and a sentence that names the file, or give exactly the original's data.
//
//   faults_corruption CASES [SEED [CASE]]   CASE: that one alone, with what was said
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/files/temporary_folder.h"
#include "tests/faults/subjects.h"

namespace convoy::faults {
namespace {

enum class Outcome { refused, right, changed, no_sentence, crashed, hung };
constexpr std::array<const char*, 6> outcome_names = {"refused",     "right",   "changed",
                                                      "no sentence", "crashed", "hung"};
constexpr unsigned seconds = 20;  // a case takes milliseconds
using Counts = std::array<long, outcome_names.size()>;

void limit_memory() {
#ifndef __SANITIZE_ADDRESS__  // which reserves terabytes
  const rlimit limit{rlim_t{4} << 30, rlim_t{4} << 30};
  setrlimit(RLIMIT_AS, &limit);
#endif
}

Outcome read_here(const Subject& subject, bool talk) {
  try {
    return subject.read_and_compare() ? Outcome::right : Outcome::changed;
  } catch (const Error& error) {
    if (talk) std::cout << error.what() << '\n';
    const bool named = std::string(error.what()).find(subject.file.string()) != std::string::npos;
    return named && error.code() == subject.refusal ? Outcome::refused : Outcome::no_sentence;
  } catch (const std::exception& error) {
    std::cout << "another exception: " << error.what() << '\n';
    return Outcome::no_sentence;
  }
}

Outcome read_in_child(const Subject& subject, bool talk) {
  constexpr int first_code = 100;  // apart from those of sanitizers
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    alarm(seconds);
    limit_memory();
    if (!talk) (void)!std::freopen("/dev/null", "w", stdout);  // warnings of the reader
    const Outcome outcome = read_here(subject, talk);
    std::cout.flush();
    _exit(first_code + static_cast<int>(outcome));
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    std::perror("fork");
    std::exit(1);
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return Outcome::hung;
  if (!WIFEXITED(status) || WEXITSTATUS(status) < first_code) return Outcome::crashed;
  return static_cast<Outcome>(WEXITSTATUS(status) - first_code);
}

void print(const std::string& what, const std::map<std::string, Counts>& table) {
  fmt::print("\n{:<44} {:>8}", what, "cases");
  for (const char* name : outcome_names) fmt::print(" {:>11}", name);
  Counts sum{};
  const auto row = [](const std::string& name, const Counts& counts) {
    long cases = 0;
    for (const long count : counts) cases += count;
    fmt::print("\n{:<44} {:>8}", name, cases);
    for (const long count : counts) fmt::print(" {:>11}", count);
  };
  for (const auto& [name, counts] : table) {
    row(name, counts);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += counts[i];
  }
  row("all", sum);
  fmt::print("\n");
}

int run(long cases, unsigned long seed, long only) {
  const TemporaryFolder folder;
  const std::vector<Subject> subjects = make_subjects(folder.path());
  std::vector<std::pair<const Subject*, const Region*>> regions;
  std::vector<std::string> originals;
  for (const Subject& subject : subjects) {
    for (const Region& region : subject.regions) regions.emplace_back(&subject, &region);
    std::ifstream in(subject.file, std::ios::binary);
    originals.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (read_in_child(subject, true) != Outcome::right) {
      fmt::print("the undamaged {} is not read\n", subject.name);
      return 1;
    }
  }
  std::map<std::string, Counts> by_region;
  std::map<std::string, Counts> by_damage;
  long failures = 0;
  for (long i = only < 0 ? 0 : only; i < (only < 0 ? cases : only + 1); ++i) {
    const auto number = static_cast<std::size_t>(i);
    const auto& [subject, region] = regions[number % regions.size()];
    const Damage damage = subject->damages[number / regions.size() % subject->damages.size()];
    std::seed_seq sequence{seed, static_cast<unsigned long>(i)};
    std::mt19937_64 random(sequence);
    const std::string& original = originals[static_cast<std::size_t>(subject - subjects.data())];
    std::ofstream(subject->file, std::ios::binary) << damaged(original, *region, damage, random);
    const Outcome outcome = read_in_child(*subject, only >= 0);
    std::ofstream(subject->file, std::ios::binary) << original;

    const auto column = static_cast<std::size_t>(outcome);
    const std::string name = subject->name + ": " + region->name;
    ++by_region[name][column];
    ++by_damage[std::string(name_of(damage))][column];
    if (outcome == Outcome::refused || outcome == Outcome::right) continue;
    ++failures;
    fmt::print("FAILED: case {} of seed {}: {} in {}: {}\n", i, seed, name_of(damage), name,
               outcome_names[column]);
  }
  print("by region", by_region);
  print("by damage", by_damage);
  fmt::print("\nseed {}: {} failed\n", seed, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace convoy::faults

int main(int argc, char** argv) {
  const auto argument = [&](int i, long otherwise) {
    return argc > i ? std::atol(argv[i]) : otherwise;
  };
  return convoy::faults::run(argument(1, 1000), static_cast<unsigned long>(argument(2, 1)),
                             argument(3, -1));
}
