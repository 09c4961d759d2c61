// A checkpoint's logits for inputs that were prepared elsewhere: readers_logits CHECKPOINT INPUT
// OUTPUT. INPUT holds float32 [N, H, W, 3] in the net's own order of channels, OUTPUT becomes
// float32 [N, classes].
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.h"
#include "dist/checkpoint/weights_file.h"
#include "dist/step/session.h"
#include "launcher/options.h"
#include "tests/core/ops/in_form.h"

namespace convoy {
namespace {

std::vector<float> read_floats(const char* path) {
  std::vector<float> values(std::filesystem::file_size(path) / sizeof(float));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  return values;
}

void run(World& world, char** argv) {
  const CheckpointReader checkpoint(argv[1]);
  JobOptions job = job_of(checkpoint, argv[1]);
  const std::vector<float> input = read_floats(argv[2]);
  job.solver.batch = std::ssize(input) / (job.model.input * job.model.input * 3);
  job.dist.strategy = "single";
  job.device.kind = "cpu";
  job.device.conv = "direct";  // one way for all nets, the one that rounds least
  Session session(world, job);
  load_weights(session, checkpoint);
  Network& network = session.network();
  Shape images = session.net().input;
  images.n = job.solver.batch;
  const std::vector<float> x = in_form(network.input_form(), images, input);
  Device& device = session.device();
  device.copy_to_device(network.input().data, x.data(), x.size() * sizeof(float), session.stream());
  session.evaluate();
  std::vector<float> logits(static_cast<std::size_t>(network.logits().count()));
  device.copy_to_host(logits.data(), network.logits().data, logits.size() * sizeof(float),
                      session.stream());
  session.stream().synchronize();
  std::ofstream(argv[3], std::ios::binary)
      .write(reinterpret_cast<const char*>(logits.data()),
             static_cast<std::streamsize>(logits.size() * sizeof(float)));
}

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  convoy::World world(&argc, &argv);
  try {
    convoy::run(world, argv);
  } catch (const convoy::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
