// Looks through a run directory, newest checkpoint first.
#include "dist/checkpoint/resume.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/error.h"
#include "dist/checkpoint/kept_checkpoints.h"
#include "dist/comm/agreement.h"
#include "dist/comm/texts.h"
#include "io/files/durable.h"
#include "io/run/metrics.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

std::string text_of_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Rank 0: opens the newest whole checkpoint, and says of newer ones why they are not used.
void open_newest(const fs::path& folder, RunState& run) {
  const std::vector<StepFile> files = checkpoints_in(folder);
  std::vector<std::string> problems;
  for (const StepFile& file : files) {
    try {
      run.checkpoint = std::make_unique<CheckpointReader>(file.path);
      run.path = file.path;
      break;
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  if (run.checkpoint || files.empty()) {
    for (const std::string& problem : problems)
      run.warnings.push_back(problem + "; the checkpoint before it is used");
    return;
  }
  fail(ExitCode::bad_checkpoint,
       "no checkpoint in {} is whole, so the run cannot go on; to train it again from the "
       "beginning, remove them ({} in all; of the newest: {})",
       folder.string(), files.size(), problems.front());
}

void require_continuation(const RunState& run) {
  if (!run.checkpoint || run.checkpoint->info().continuation) return;
  fail(ExitCode::bad_checkpoint,
       "{} holds weights without momentum and progress, as older versions of Convoy wrote them: it "
       "can be evaluated, but a run cannot go on from it; choose another --run.dir",
       run.path.string());
}

}  // namespace

bool holds_run(const fs::path& run_dir) { return fs::exists(run_dir / "config.ini"); }

KernelRecord RunState::record() const {
  if (!exists) return {};
  if (!checkpoint) return {kernels, "kernels.txt", true};
  return {checkpoint->info().continuation->kernels, path.string(), true};
}

RunState find_run(Communicator& everyone, const std::string& host, const fs::path& run_dir) {
  RunState run;
  if (everyone.rank() == 0 && holds_run(run_dir)) {
    run.exists = true;
    run.lock = std::make_unique<RunLock>(run_dir, host);
    if (!run.lock->warning().empty()) run.warnings.push_back(run.lock->warning());
    remove_partials(run_dir / "checkpoints", "");
    open_newest(run_dir / "checkpoints", run);
    require_continuation(run);
    run.kernels = text_of_file(run_dir / "kernels.txt");
    run.evaluated = has_evaluation(run_dir / "metrics.jsonl", run.step());
  } else if (everyone.rank() == 0 && fs::exists(run_dir / "metrics.jsonl")) {
    fail(ExitCode::usage,
         "{} holds a run without its config.ini, so it is not known how to go on; choose another "
         "--run.dir",
         run_dir.string());
  }
  // What rank 0 has found, as text: [exists] [evaluated] path.
  std::string found =
      fmt::format("{}{}{}", run.exists ? 'y' : 'n', run.evaluated ? 'y' : 'n', run.path.string());
  found = broadcast_text(everyone, "run", std::move(found), 0);
  run.kernels = broadcast_text(everyone, "kernels", std::move(run.kernels), 0);
  run.exists = found[0] == 'y';
  run.evaluated = found[1] == 'y';
  run.path = found.substr(2);
  if (!run.path.empty() && !run.checkpoint)
    run.checkpoint = std::make_unique<CheckpointReader>(run.path);
  if (run.checkpoint) require_one_checkpoint(everyone, run.checkpoint->info());
  return run;
}

void require_same_run(const RunState& run, const Dataset& dataset, const JobOptions& options) {
  if (!run.checkpoint) return;
  const CheckpointInfo& info = run.checkpoint->info();
  if (info.fingerprint != dataset.fingerprint()) {
    fail(ExitCode::usage,
         "{} is not the dataset that the run in {} was trained on (fingerprint {} here, {} in its "
         "checkpoint); give --data.train the same one, or choose another --run.dir",
         dataset.folder().string(), options.run.dir.string(), dataset.fingerprint(),
         info.fingerprint);
  }
  if (info.continuation->global_batch != options.solver.batch) {
    fail(ExitCode::usage,
         "the run in {} was trained with solver.batch {}, not {}; leave the option out, or choose "
         "another --run.dir",
         options.run.dir.string(), info.continuation->global_batch, options.solver.batch);
  }
}

std::vector<std::string> differences_of_machines(const ContinuationInfo& before, Session& session) {
  std::vector<std::string> sentences;
  const std::string here = session.device().kernels();
  if (here != before.made_on) {
    sentences.push_back(
        fmt::format("the run was trained with {} kernels and goes on with {} ones, which round "
                    "differently: it is no longer the same to the last bit",
                    before.made_on, here));
  } else if (session.device().choices().text() != before.kernels) {
    sentences.push_back(
        "not every kernel that is needed now was chosen before, so some were timed anew: the run "
        "is no longer the same to the last bit");
  }
  const auto direct = [](const ConvChoice::Line& line) {
    return line.method == ConvMethod::direct;
  };
  const int threads = session.device().host_threads();
  if (before.threads > 0 && before.threads != threads &&
      std::ranges::any_of(session.conv_choice().lines, direct)) {
    sentences.push_back(
        fmt::format("the run was trained with {} threads in a rank and goes on with {}, with which "
                    "direct convolution rounds differently: it is no longer the same to the last "
                    "bit",
                    before.threads, threads));
  }
  return sentences;
}

}  // namespace convoy
