// What `convoy train`, `eval` and `bench` do, as calls: the launcher fills the options and prints
// the results.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/net/spec.h"
#include "core/options.h"

namespace convoy {

struct DataOptions {
  std::filesystem::path train;
  std::filesystem::path val;        // empty: no evaluation while training
  int threads = 1;                  // reader threads per rank
  int ahead = 3;                    // batches read ahead
  std::string verify = "first";     // first, always, never
  std::string shuffle = "full";     // full, block (SampleOrder)
  std::int64_t block_images = 128;  // of a block
  std::string read = "cached";      // cached, direct
  std::string share = "auto";       // auto, on, off: tower ranks read each image once
};

struct DistOptions {
  std::string backend = "auto";    // dist.backend: auto, nccl, mpi (what carries the exchanges)
  std::string strategy = "auto";   // parallel.strategy
  std::string owt_scheme = "all";  // parallel.owt-scheme: all, turns
  double bucket_mb = 25;           // dist.bucket-mb: size of a gradient bucket, 10^6 bytes
  double timeout = 60;  // dist.timeout: longest wait for other ranks, seconds; 0: for ever
};

struct RunOptions {
  std::filesystem::path dir;
  std::filesystem::path weights;  // checkpoint whose weights the run begins with; empty: random
  std::uint64_t seed = 1;
  std::int64_t steps = 0;  // 0: by epochs
  std::int64_t epochs = 90;
  std::int64_t log_every = 20;          // steps
  std::int64_t eval_every = 1;          // epochs; 0: only at the end
  int eval_views = 1;                   // 1 or 10
  std::int64_t checkpoint_every = 0;    // steps; 0: at the end of each epoch only
  double checkpoint_minutes = 0;        // between checkpoints at most; 0: no limit
  std::int64_t keep = 3;                // newest checkpoints that are kept; 0: all
  bool keep_best = true;                // best.h5: the checkpoint with the best validation top-1
  bool tensorboard = true;              // event files in the run directory
  std::int64_t histogram_every = 1000;  // steps, of weights and gradients; 0: none
  std::int64_t trace_from = 100;        // first step that is traced (step_trace.h), counted from 1
  std::int64_t trace_steps = 0;         // as many; 0: none
  double max_loss = 0;                  // stop as diverged above this; 0: 50 times log(classes + 1)
};

struct JobOptions {
  std::string recipe = "paper";
  ModelOptions model;
  SolverOptions solver;
  PreprocessOptions preprocess;
  DataOptions data;
  DistOptions dist;
  RunOptions run;
  DeviceOptions device;
  // Renders all of the above as INI text, for config.ini and checkpoints; set by the launcher.
  std::function<std::string(const JobOptions&)> render;
};

struct EvalResult {
  std::int64_t images = 0;
  double loss = 0;
  double top1 = 0;  // accuracy, fraction
  double top5 = 0;
  int views = 1;
};

struct TrainResult {
  std::int64_t steps = 0;          // of the whole run
  std::int64_t trained_steps = 0;  // of them in this process; 0: the run was already finished
  std::int64_t epochs = 0;
  double last_loss = 0;
  double images_per_second = 0;      // in this process, without evaluation and checkpoints
  double step_ms = 0;                // mean
  double comm_exposed_ms = 0;        // mean
  std::int64_t comm_bytes = 0;       // per step, rank 0
  EvalResult eval;                   // the last one; images = 0 where there was none
  std::filesystem::path checkpoint;  // the last one written, or gone on from
};

// All three are collective: every rank of MPI_COMM_WORLD calls them with equal options. Errors are
// thrown on every rank or end the job (see World in communicator.h).
class World;
// Goes on by itself where run.dir already holds a run. Throws Error(stopped), on every rank after
// the same step, when a signal has asked for that (dist/train/signals.h) and a checkpoint is
// written.
TrainResult train(World& world, const JobOptions& options);

struct EvalOptions {
  std::filesystem::path checkpoint;
  std::filesystem::path data;
  int views = 1;
  JobOptions
      job;  // read from the checkpoint's configuration by the launcher; batch, device, threads
};
EvalResult evaluate_checkpoint(World& world, const EvalOptions& options);

struct BenchOptions {
  JobOptions job;
  std::int64_t steps = 5;   // measured, after
  std::int64_t warmup = 2;  // not measured
};
struct LayerTime {
  std::string layer;
  std::string implementation;  // of the operation, where it says
  double forward_ms = 0;       // median over steps
  double backward_ms = 0;
  double forward_gflop = 0;  // 2 per multiply-add that was made, on this rank
  double backward_gflop = 0;
  double direct_gflop = 0;  // of both passes, if every convolution were made tap by tap
  // 10^9 bytes that a pass reads and writes at least: activations, gradients and weights once.
  double forward_gbyte = 0;
  double backward_gbyte = 0;
  std::int64_t exchange_bytes = 0;  // payload forward and backward
};
// A part of the reader's work, done alone by as many threads as the reader has.
struct LoaderStage {
  std::string name;              // disk, page cache, checksum, decode, copy
  double images_per_second = 0;  // 0: it could not be measured
  double gbytes_per_second = 0;  // 10^9 bytes
  bool every_image = true;       // false: only where an image is read for the first time
};
struct LoaderRate {
  int threads = 0;
  double crops_per_second = 0;        // of the whole reader, from the page cache
  double gbytes_per_second = 0;       // the same in 10^9 bytes of crops
  double copy_gbytes_per_second = 0;  // that so many threads copy in memory, each byte counted once
};
struct LoaderResult {
  std::string encoding;  // raw, jpeg
  int threads = 0;       // data.threads
  double crops_per_second = 0;
  std::vector<LoaderStage> stages;
  std::vector<LoaderRate> rates;  // for 1, 2, 4, ... threads up to the cores, and for data.threads
};

struct BenchResult {
  NetSpec net;
  std::vector<LayerTime> layers;  // rank 0's
  double step_ms = 0;             // median; slowest rank
  double images_per_second = 0;
  double update_ms = 0;
  double comm_exposed_ms = 0;
  double peak_gflops = 0;              // measured multiply-add peak of this rank's device
  double copy_gbytes = 0;              // 10^9 bytes/s read and written by a large copy; 0 on CPUs
  std::int64_t peak_memory_bytes = 0;  // of the device, largest over ranks
  double rank_images_per_second = 0;   // that a rank reads for it
  std::optional<LoaderResult> loader;  // with data.train
  std::string device;
  std::string strategy;
  int ranks = 1;
  std::vector<std::string> warnings;
};
// Trains on random pixels and labels; nothing is written. With data.train it also times the reader
// on that dataset, on rank 0 while the others wait.
BenchResult bench(World& world, const BenchOptions& options);
// The latter alone.
LoaderResult bench_loader(World& world, const JobOptions& job);

}  // namespace convoy
