// Descriptions of nets: what is taken is the same net in one line, has sound shapes and counts, and
// every strategy takes it or refuses it in a sentence.
#include "core/net/description.h"
#include "dist/partition/strategy.h"
#include "dist/partition/traffic.h"
#include "tests/faults/fuzz/target.h"

namespace convoy {
namespace {

void require(bool sound) {
  if (!sound) std::abort();
}

void require_sound(const NetSpec& net) {
  Shape shape = net.input;
  for (const LayerSpec& layer : net.layers) {
    require(layer.in == shape && layer.out.count() > 0 && layer.parameters() >= 0);
    require(!layer.name.empty() && !layer.description().empty());
    shape = layer.out;
  }
  require(shape == Shape{1, 1, 1, net.classes});
  require(net.parameters() > 0 && net.multiply_adds() > 0);
}

}  // namespace
}  // namespace convoy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  const std::string text(reinterpret_cast<const char*>(data), size);
  fuzz::only_errors({ExitCode::usage}, [&] {
    const NetSpec net = parse_net(text, "fuzz.net", 10);
    const std::string line = one_line(text);
    require(parse_net(line, "again", 10) == net && one_line(line) == line);
    require(line.find_first_of("#\n\r") == std::string::npos);
    require_sound(net);
    for (const std::string& name : strategy_names()) {
      for (const int ranks : {1, 2, 4}) {
        fuzz::only_errors({ExitCode::usage}, [&] {
          (void)predict_traffic(net, choose_strategy(name, net, ranks, 1 << 20, "all"), 1 << 20,
                                DType::f32);
        });
      }
    }
  });
  return 0;
}
