// The work of the libraries and of the program, each with its judge.
#include "tests/faults/workloads.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/error.h"
#include "launcher/failure.h"
#include "tests/faults/content.h"

namespace convoy::faults {
namespace {

namespace fs = std::filesystem;

int guarded(const std::function<void()>& work) {
  const Failure failure = guard(work);
  if (failure.code != 0) std::fprintf(stderr, "convoy: %s\n", failure.sentence.c_str());
  return failure.code;
}

int execute(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  return 127;
}

Workload checkpoint_over_another(const fs::path& dataset) {
  const auto file = [](const fs::path& folder) { return folder / "step-00000007.h5"; };
  const auto read = [file](const fs::path& folder) { return read_checkpoint(file(folder)); };
  const auto known = std::make_shared<std::array<CheckpointContent, 2>>();
  const fs::path scratch = dataset.parent_path();
  for (std::size_t i = 0; i < 2; ++i) {
    write_checkpoint(file(scratch), dataset, 7, static_cast<float>(i));
    (*known)[i] = read(scratch);
  }
  return {"checkpoint over another",
          [=](const fs::path& folder) { write_checkpoint(file(folder), dataset, 7, 0); },
          [=](const fs::path& folder) {
            return guarded([&] { write_checkpoint(file(folder), dataset, 7, 1); });
          },
          [=](const fs::path& folder) -> std::string {
            const CheckpointContent found = read(folder);
            if (found == (*known)[0]) return "old";
            return found == (*known)[1] ? "new" : "the checkpoint holds something else";
          }};
}

Workload packed(std::string name, const fs::path& dataset,
                std::function<int(const fs::path&)> run) {
  const auto known = std::make_shared<DatasetContent>(read_dataset(dataset));
  return {std::move(name), [](const fs::path&) {}, std::move(run),
          [known](const fs::path& folder) -> std::string {
            if (!fs::exists(folder / "packed" / "index.h5")) return "old";
            return read_dataset(folder / "packed") == *known ? "new" : "the dataset differs";
          }};
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Every line but the last must be whole JSON; the last may be cut short.
bool whole_lines(const std::string& text) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) return true;
    if (!nlohmann::json::accept(text.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

constexpr std::string_view net = R"(recipe = paper
[model]
towers = 2
input = 19
kernels = 8,8,8,8,8
neurons = 16,16
conv1-kernel = 3
conv1-stride = 1
conv1-pad = 1
[solver]
batch = 4
schedule = constant
[run]
log-every = 1
checkpoint-every = 1
[device]
threads = 1
conv = direct
)";

// Whatever lies in checkpoints/ after `step` steps must be what an undisturbed run left there.
Workload trained(const fs::path& scratch, const fs::path& convoy) {
  const fs::path config = scratch / "net.ini";
  std::ofstream(config) << net;
  const auto run = [=](const fs::path& folder) {
    return execute({convoy, "train", "--config", config, "--data.train", scratch / "packed",
                    "--run.dir", folder / "run", "--run.steps", "3"});
  };
  const auto known = std::make_shared<std::map<std::string, CheckpointContent>>();
  const auto settings = std::make_shared<std::string>();
  return {"convoy train", [](const fs::path&) {}, run,
          [known, settings](const fs::path& folder) -> std::string {
            const fs::path run_dir = folder / "run";
            std::map<std::string, CheckpointContent> found;
            std::error_code none;
            for (const auto& entry : fs::directory_iterator(run_dir / "checkpoints", none)) {
              if (entry.path().extension() != ".h5") continue;
              CheckpointContent& content = found[entry.path().filename()];
              content = read_checkpoint(entry.path());
              content.config.clear();  // holds the folder's name
            }
            std::string text = bytes_of(run_dir / "config.ini");
            text.erase(0, text.find("[model]"));
            text.erase(std::min(text.find("[run]"), text.size()));
            if (known->empty()) {  // the undisturbed run, judged first
              *known = found;
              *settings = text;
              return "new";
            }
            if (fs::exists(run_dir / "config.ini") && text != *settings)
              return "config.ini is torn";
            if (!whole_lines(bytes_of(run_dir / "metrics.jsonl"))) return "metrics.jsonl is torn";
            for (const auto& [name, content] : found) {
              if (content != known->at(name)) return name + " differs";
            }
            if (found.empty()) return "old";
            return found.size() == known->size() ? "new" : "part";
          }};
}

}  // namespace

std::vector<Workload> library_workloads(const fs::path& scratch) {
  const fs::path images = scratch / "images";
  const fs::path dataset = scratch / "packed";
  make_images(images);
  pack_images(images, dataset);
  return {checkpoint_over_another(dataset),
          packed("packing", dataset, [images](const fs::path& folder) {
            return guarded([&] { pack_images(images, folder / "packed"); });
          })};
}

std::vector<Workload> program_workloads(const fs::path& scratch, const fs::path& convoy) {
  const fs::path images = scratch / "images" / "train";
  return {packed("convoy pack", scratch / "packed",
                 [=](const fs::path& folder) {
                   return execute({convoy, "pack", "--input", images, "--output", folder / "packed",
                                   "--size", std::to_string(image_size), "--shard-images",
                                   std::to_string(shard_images), "--threads", "1"});
                 }),
          trained(scratch, convoy)};
}

}  // namespace convoy::faults
