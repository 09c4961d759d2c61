// Gathers a rank's facts, and sends them as JSON.
#include "dist/doctor/rank_report.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/device_cuda.h"
#include "core/error.h"
#include "core/random.h"
#include "dist/comm/libraries.h"
#include "dist/comm/texts.h"
#include "dist/train/dataset_options.h"
#include "io/dataset/dataset.h"
#include "io/files/crc32c.h"

namespace convoy {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LibraryVersion, name, built, found)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DatasetFacts, fault, fingerprint, images, images_per_second,
                                   bytes_per_second)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RankReport, host, local_ranks, cores, device, device_fault,
                                   kernels, processor, gpu, gpus_of_host, program, libraries, clock,
                                   train, val)

namespace {

constexpr std::chrono::milliseconds kReadTime{500};

// CRC-32C of the file that this process runs, as hex; empty where it cannot be read.
std::string program_checksum() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  std::vector<char> part(1 << 20);
  std::uint32_t crc = 0;
  while (file.read(part.data(), static_cast<std::streamsize>(part.size())) || file.gcount() > 0)
    crc = crc32c(part.data(), static_cast<std::size_t>(file.gcount()), crc);
  return file.bad() || crc == 0 ? "" : fmt::format("{:08x}", crc);
}

// Reads whole images at random places for a while.
void time_reads(const Dataset& dataset, DatasetFacts& facts) {
  using Clock = std::chrono::steady_clock;
  const std::int64_t size = dataset.image_size();
  std::vector<std::uint8_t> image(static_cast<std::size_t>(size * size * 3));
  const RandomSource places(1, Purpose::synthetic);
  const auto start = Clock::now();
  std::int64_t images = 0;
  std::chrono::duration<double> passed{};
  do {
    const PhiloxBlock words = places.block(0, 0, static_cast<std::uint32_t>(images));
    const auto sample = below(words[0], static_cast<std::uint32_t>(dataset.size()));
    dataset.read_crop(sample, 0, 0, size, image.data());
    ++images;
    passed = Clock::now() - start;
  } while (passed < kReadTime);
  facts.images_per_second = static_cast<double>(images) / passed.count();
  facts.bytes_per_second = facts.images_per_second * static_cast<double>(image.size());
}

DatasetFacts examine_dataset(const std::filesystem::path& folder, const DataOptions& options,
                             bool time) {
  DatasetFacts facts;
  if (folder.empty()) return facts;
  try {
    const Dataset dataset = open_dataset(folder, options);
    facts.fingerprint = dataset.fingerprint();
    facts.images = dataset.size();
    if (time) time_reads(dataset, facts);
  } catch (const Error& error) {
    facts.fault = error.what();
  }
  return facts;
}

void examine_device(const World& world, const DeviceOptions& options, RankReport& report) {
  report.gpus_of_host = find_gpus().count;
  try {
    const auto device = make_device(options, {world.local_rank(), world.local_ranks()});
    report.device = device->description();
    report.kernels = device->kernels();
    report.processor = device->identity();
    report.gpu = device->kind() == DeviceKind::cuda;
  } catch (const Error& error) {
    report.device_fault = error.what();
  }
}

}  // namespace

RankReport report_rank(World& world, Communicator& everyone, const JobOptions& job) {
  RankReport report;
  report.host = world.host();
  report.local_ranks = world.local_ranks();
  report.cores = usable_cores();
  report.program = program_checksum();
  report.libraries = libraries();
  examine_device(world, job.device, report);
  const bool reads = world.local_rank() == 0;
  report.train = examine_dataset(job.data.train, job.data, reads);
  report.val = examine_dataset(job.data.val, job.data, reads);
  everyone.barrier("clocks");
  const std::chrono::duration<double> since = std::chrono::system_clock::now().time_since_epoch();
  report.clock = since.count();
  return report;
}

std::vector<RankReport> gather_reports(Communicator& everyone, const RankReport& mine) {
  std::vector<RankReport> all;
  for (const std::string& text : gather_texts(everyone, "reports", nlohmann::json(mine).dump()))
    all.push_back(nlohmann::json::parse(text).get<RankReport>());
  return all;
}

}  // namespace convoy
