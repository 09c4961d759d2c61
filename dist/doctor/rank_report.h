// What a rank tells of itself, its host and the files it sees.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/libraries.h"
#include "dist/comm/communicator.h"
#include "dist/job.h"

namespace convoy {

struct DatasetFacts {
  std::string fault;  // why it cannot be used; empty: it can
  std::string fingerprint;
  std::int64_t images = 0;
  double images_per_second = 0;  // read one after the other at random places; 0: not tried
  double bytes_per_second = 0;
};

struct RankReport {
  std::string host;
  int local_ranks = 1;  // of this job on its host
  int cores = 1;        // that it may run on
  std::string device;   // what it would compute on; empty where `device_fault` says why not
  std::string device_fault;
  std::string kernels;    // Device::kernels()
  std::string processor;  // Device::identity()
  bool gpu = false;
  int gpus_of_host = 0;  // visible to the rank
  std::string program;   // checksum of the program's file
  std::vector<LibraryVersion> libraries;
  double clock = 0;  // seconds since 1970, taken right after a barrier
  DatasetFacts train;
  DatasetFacts val;
};

// This rank's; datasets are read by one rank of each host for about half a second each. Collective.
[[nodiscard]] RankReport report_rank(World& world, Communicator& everyone, const JobOptions& job);

// Every rank's, in order, on every rank. Collective.
[[nodiscard]] std::vector<RankReport> gather_reports(Communicator& everyone,
                                                     const RankReport& mine);

}  // namespace convoy
