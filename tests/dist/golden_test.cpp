// Whole nets against tensors that PyTorch computed in double precision (tests/golden), on the CPU
// by both methods of convolution, and on a GPU where there is one.
//
// Files in the folder that CONVOY_GOLDEN names are tried too: the full-size ones are too large to
// be kept, and where a test program was carried to another machine its own folder is not there.
// The full-size ones have no margin around ReLU's zero, where rounding may flip a mask and move
// gradients below it, so for them logits and loss are compared tightly and gradients to 1e-3.
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "core/device_cuda.h"
#include "dist/step/session.h"
#include "io/files/hdf5.h"
#include "tests/core/ops/in_form.h"
#include "tests/dist/conv_methods.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

class Golden {
 public:
  Golden(const fs::path& path, const DeviceOptions& device)
      : device_(device),
        file_(hdf5::File::open(path, ExitCode::bad_data)),
        alone_(test_world().part(test_world().rank())),
        session_(*alone_, job()) {
    for (const Parameter* parameter : session_.network().parameters()) {
      const auto values = file_.read<float>("/parameters/" + place(*parameter));
      require_size(values.size(), *parameter);
      to_device(values.data(), parameter->value);
    }
    session_.network().refresh_working(session_.stream());
  }

  void run() {
    Network& network = session_.network();
    const auto input = file_.read<float>("/input");
    Shape images = session_.net().input;
    images.n = network.input().shape.n;
    const std::vector<float> x = in_form(network.input_form(), images, input);
    to_device(x.data(), network.input());
    const auto labels = file_.read<std::int32_t>("/labels");
    const Buffer label_memory = session_.device().allocate(labels.size() * sizeof(std::int32_t));
    const Tensor label_tensor{
        label_memory.data(), {static_cast<std::int64_t>(labels.size()), 1, 1, 1}, DType::i32};
    to_device(labels.data(), label_tensor);
    const Pass pass{session_.op(), true, {}};
    network.forward(pass);
    check("logits", network.logits(), file_.read<double>("/logits"), 1e-5);
    const float scale = 1 / static_cast<float>(labels.size());
    const LossSums sums = session_.loss(label_tensor, scale);
    EXPECT_NEAR(sums.loss * static_cast<double>(scale) / file_.read<double>("/loss")[0], 1, 1e-5);
    network.backward(pass, nullptr);
    const bool margin = file_.number("/", "relu_margin") > 1e-5;
    for (const Parameter* parameter : network.parameters()) {
      check(place(*parameter), parameter->gradient,
            file_.read<double>("/gradients/" + place(*parameter)), margin ? 1e-4 : 1e-3);
    }
  }

 private:
  static std::string place(const Parameter& p) { return p.layer + "/" + p.kind; }

  static void require_size(std::size_t size, const Parameter& parameter) {
    if (static_cast<std::int64_t>(size) != parameter.logical.count()) {
      throw std::runtime_error(place(parameter) + " has another size than the net built");
    }
  }

  // The net that the file's attributes tell of: as a description (make_golden_nets.py), or as
  // options (make_golden.py).
  JobOptions job() {
    JobOptions job;
    job.solver.batch = file_.layout("/labels").extents[0];
    job.device = device_;
    if (file_.text("/", "format") == "convoy-golden-net/1") {
      job.model.net = file_.text("/", "net");
      job.model.classes = file_.integer("/", "classes");
      const NetSpec net = build_net(job.model);
      job.model.input = net.input.h;
      if (device_.conv == "minimal") job.device.conv = minimal_where_possible(net);
    } else {
      set_alexnet(job.model);
    }
    return job;
  }

  void set_alexnet(ModelOptions& m) {
    m.towers = file_.integer("/", "towers");
    m.input = file_.integer("/", "input");
    m.classes = file_.integer("/", "classes");
    m.pool_round_up = file_.integer("/", "pool_round_up") != 0;
    m.lrn_size = file_.integer("/", "lrn_size");
    m.lrn_alpha = file_.number("/", "lrn_alpha");
    m.lrn_alpha_divided = file_.integer("/", "lrn_alpha_divided") != 0;
    m.lrn_beta = file_.number("/", "lrn_beta");
    m.lrn_k = file_.number("/", "lrn_k");
    m.drop = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      m.kernels[i] =
          file_.layout("/parameters/conv" + std::to_string(i + 1) + "/weight").extents[0];
    }
    for (std::size_t i = 0; i < 2; ++i) {
      m.neurons[i] = file_.layout("/parameters/fc" + std::to_string(i + 6) + "/weight").extents[0];
    }
  }

  void to_device(const void* values, const Tensor& tensor) {
    session_.device().copy_to_device(tensor.data, values, tensor.bytes(), session_.stream());
    session_.stream().synchronize();
  }

  void check(const std::string& what, const Tensor& tensor, const std::vector<double>& torch,
             double tolerance) {
    std::vector<float> ours(static_cast<std::size_t>(tensor.count()));
    session_.device().copy_to_host(ours.data(), tensor.data, tensor.bytes(), session_.stream());
    session_.stream().synchronize();
    double error = 0;
    double norm = 0;
    for (std::size_t i = 0; i < torch.size(); ++i) {
      const double gap = static_cast<double>(ours[i]) - torch[i];
      error += gap * gap;
      norm += torch[i] * torch[i];
    }
    EXPECT_LT(std::sqrt(error / norm), tolerance) << what;
    report(what, std::sqrt(error / norm));
  }

  static void report(const std::string& what, double error) {
    if (std::getenv("CONVOY_GOLDEN") != nullptr && test_world().rank() == 0) {
      fmt::print("  {:<16} {:.1e}\n", what, error);
    }
  }

  DeviceOptions device_;
  hdf5::File file_;
  std::unique_ptr<World> alone_;
  Session session_;
};

std::vector<fs::path> golden_files() {
  std::vector<fs::path> files;
  std::vector<fs::path> folders;
  if (const fs::path own = CONVOY_GOLDEN_FOLDER; fs::exists(own)) folders.push_back(own);
  if (const char* more = std::getenv("CONVOY_GOLDEN")) folders.emplace_back(more);
  for (const fs::path& folder : folders) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".h5") files.push_back(entry.path());
    }
  }
  return files;
}

void expect_agreement(const DeviceOptions& device) {
  const auto files = golden_files();
  EXPECT_GE(files.size(), 5u);
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.filename().string() + " on " + device.kind + ", convolutions " + device.conv);
    Golden(file, device).run();
  }
}

TEST(Golden, LogitsLossAndGradientsAgreeWithPyTorch) {
  for (const char* conv : {"minimal", "direct"}) expect_agreement({"cpu", 1, conv});
}

TEST(Golden, LogitsLossAndGradientsAgreeWithPyTorchOnAGpu) {
  const Gpus gpus = find_gpus();
  if (gpus.count == 0) GTEST_SKIP() << gpus.why_none;
  if (test_world().size() > 1) GTEST_SKIP() << "a test of one rank";
  DeviceOptions device{"cuda", 1};
  device.precision = "fp32";
  expect_agreement(device);
}

}  // namespace
}  // namespace convoy
