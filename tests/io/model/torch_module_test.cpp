// The PyTorch module that is written beside weights.
#include "io/model/torch_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/net/description.h"
#include "tests/io/model/small_net.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(TorchModule, HasALineForEachLayer) {
  const std::string text = torch_module(build_alexnet(small_model()), "net.safetensors");
  for (const char* line : {
           "        self.conv1 = nn.Conv2d(3, 16, 5, padding=2)\n",
           "        self.conv2 = nn.Conv2d(16, 16, 5, padding=2, groups=2)\n",
           "        self.fc6 = nn.Linear(144, 16)\n",
           "        x = F.relu(self.conv1(x))\n",
           "        x = response_norm(x, 5, 0.0005, 0.75, 2, towers=2)\n",
           "        x = F.max_pool2d(x, 3, 2, ceil_mode=True)\n",
           "        x = torch.flatten(x, 1)\n        x = F.relu(self.fc6(x))\n",
           "        x = F.dropout(x, 0.5, self.training)\n        x = self.fc8(x)\n",
           "Input: float [N, 3, 24, 24]",
           "\"net.safetensors\")",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(TorchModule, PadsOneSideMoreAndNormalisesOverPixels) {
  ModelOptions model = small_model();
  model.conv1_pad_end = 3;
  model.order = "2012";
  model.spatial_norm = true;
  const std::string text = torch_module(build_alexnet(model), "x");
  EXPECT_THAT(text, HasSubstr("        x = F.pad(x, (2, 5, 2, 5))\n        x = self.conv1(x)\n"));
  EXPECT_THAT(text, HasSubstr("nn.Conv2d(3, 16, 5)\n"));
  EXPECT_THAT(text, HasSubstr("x = x / (1 + 0.001 * F.avg_pool2d(x * x, 5, 1, 2)) ** 0.75\n"));
}

// Words of Python's, attributes of every module, and what is no word at all.
TEST(TorchModule, TakesAnyNameOfALayer) {
  const auto module_of = [](const std::string& name) {
    const std::string text =
        fmt::format("input 24; conv 9 kernel 5 relu name {}; fc classes", name);
    return torch_module(parse_net(text, "n", 4), "x");
  };
  for (const char* name : {"class", "None", "forward", "state_dict", "modules", "a-b", "a-1"}) {
    EXPECT_THAT(
        module_of(name),
        HasSubstr(fmt::format("        self._modules[\"{}\"] = nn.Conv2d(3, 9, 5)\n", name)));
    EXPECT_THAT(module_of(name), HasSubstr(fmt::format("F.relu(self._modules[\"{}\"](x))", name)));
  }
  EXPECT_THAT(module_of("look_2"), HasSubstr("        self.look_2 = nn.Conv2d(3, 9, 5)\n"));
  expect_error(ExitCode::usage, {"under the name training", "--names convoy"},
               [&] { static_cast<void>(module_of("training")); });
}

// A file's name is a text of the program, whatever characters it has.
TEST(TorchModule, QuotesTheFilesName) {
  const std::string text = torch_module(build_alexnet(small_model()), "a\"; import os\n\\x");
  EXPECT_THAT(text, HasSubstr(R"("a\"; import os\n\\x")"));
  EXPECT_THAT(text, Not(HasSubstr("import os\n\\x")));
}

}  // namespace
}  // namespace convoy
