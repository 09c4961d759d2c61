// Builds a net from its description, statement by statement.
#include "core/net/description.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/net/description_limits.h"
#include "core/net/statements.h"
#include "core/ops/checks.h"
#include "core/ops/conv.h"

namespace convoy {
namespace {

constexpr std::int64_t kMostKernels = 65536;   // or neurons
constexpr std::int64_t kMostKernelSize = 256;  // pixels, and strides and pads
constexpr std::int64_t kMostClasses = 1 << 24;
constexpr std::size_t kMostLayers = 64;  // a rank's record names so many
constexpr std::size_t kMostText = 8000;  // characters; checkpoints hold them in an attribute

class Description {
 public:
  explicit Description(std::int64_t classes) { net_.classes = classes; }

  void read(const Statement& statement) {
    StatementReader words(statement);
    words_ = &words;
    const std::string& kind = words.kind();
    if (ended_) words.refuse("'{}' follows 'fc classes', which ends the net", kind);
    if (net_.layers.size() == kMostLayers)
      words.refuse("this is one layer too many; a net has at most {}", kMostLayers);
    if (kind == "input") return input();
    if (net_.input.c != 3) words.refuse("'{}' stands before 'input N', which comes first", kind);
    using Read = void (Description::*)();
    static const std::map<std::string_view, Read> readers{
        {"towers", &Description::towers},
        {"conv", &Description::conv},
        {"fc", &Description::fully_connected},
        {"lrn", &Description::response_norm},
        {"spatial-norm", &Description::spatial_norm},
        {"pool", &Description::pool},
        {"relu", &Description::relu},
        {"dropout", &Description::dropout}};
    const auto reader = readers.find(kind);
    if (reader == readers.end())
      words.refuse(
          "'{}' is no statement; use input, towers, conv, lrn, spatial-norm, pool, relu, dropout "
          "or fc",
          kind);
    if (weighted_ == 0 && kind != "towers" && kind != "conv")
      words.refuse("'{}' stands first; the first layer must be a conv", kind);
    (this->*reader->second)();
  }

  [[nodiscard]] bool ended() const { return ended_; }
  NetSpec take() { return std::move(net_); }

 private:
  using Attribute = StatementReader::Attribute;

  Attribute whole(std::string_view word, std::int64_t& field, std::int64_t low, std::int64_t high) {
    return {word, "N", [this, &field, word, low, high] { field = words_->whole(word, low, high); }};
  }
  Attribute real(std::string_view word, double& field, double low, double high) {
    return {word, "X", [this, &field, word, low, high] { field = words_->real(word, low, high); }};
  }
  Attribute flag(std::string_view word, bool& field) {
    return {word, "", [&field] { field = true; }};
  }
  Attribute name() {
    return {"name", "NAME", [this] { name_ = words_->name(); }};
  }
  void add_weights(std::vector<Attribute>& attributes, DescribedWeights& weights) {
    attributes.push_back({"std", "X|he", [&] {
                            weights.he = words_->take("he");
                            weights.spread = weights.he ? 0 : words_->real("std", 0, 1000);
                          }});
    attributes.push_back({"bias", "X", [&] { weights.bias = words_->real("bias", -1000, 1000); }});
    attributes.push_back(flag("uniform", weights.uniform));
    attributes.push_back(name());
  }

  void input() {
    if (net_.input.c == 3) words_->refuse("'input' is said twice; leave one of them");
    const std::int64_t size = words_->whole("input", 1, kMostPixels);
    words_->attributes({});
    net_.input = shape_ = {1, size, size, 3};
  }

  void towers() {
    if (towers_said_ || !net_.layers.empty())
      words_->refuse("'towers' is said once, straight after 'input'");
    net_.towers = words_->whole("towers", 1, 16);
    words_->attributes({});
    towers_said_ = true;
  }

  void conv() {
    require_maps();
    ConvLayer layer{.kernels = words_->whole("conv", 1, kMostKernels), .relu = false};
    std::int64_t more = 0;
    DescribedWeights weights;
    const auto groups = [&] {
      layer.groups =
          words_->take("towers") ? net_.towers : words_->whole("groups", 1, kMostKernels);
    };
    std::vector<Attribute> attributes{whole("kernel", layer.kernel, 1, kMostKernelSize),
                                      whole("stride", layer.stride, 1, kMostKernelSize),
                                      whole("pad", layer.pad_begin, 0, kMostKernelSize),
                                      whole("pad-end", more, 0, kMostKernelSize),
                                      {"groups", "N|towers", groups},
                                      flag("relu", layer.relu)};
    add_weights(attributes, weights);
    words_->attributes(attributes);
    if (layer.kernel == 0) words_->refuse("'conv' needs 'kernel N', the kernels' size in pixels");
    layer.pad_end = layer.pad_begin + more;
    if (layer.pad_end >= layer.kernel)
      words_->refuse("{} zeros at an edge hide kernels of {}x{} pixels; pad at most {}",
                     layer.pad_end, layer.kernel, layer.kernel, layer.kernel - 1);
    if (shape_.c % layer.groups != 0 || layer.kernels % layer.groups != 0)
      words_->refuse(
          "{} groups do not divide the {} maps below and {} kernels; both must be "
          "multiples of the groups",
          layer.groups, shape_.c, layer.kernels);
    if (shape_.h + layer.pad_begin + layer.pad_end < layer.kernel)
      words_->refuse(
          "kernels of {0}x{0} pixels do not fit the {1}x{1} maps below; use smaller "
          "kernels, a larger input, or less stride before",
          layer.kernel, shape_.h);
    layer.init = weights.of(layer.kernel * layer.kernel * (shape_.c / layer.groups), *words_);
    const ConvSpec spec{shape_,          layer.kernels, layer.kernel, layer.stride,
                        layer.pad_begin, layer.pad_end, layer.groups};
    append("conv", ++weighted_, layer, spec.y());
  }

  void fully_connected() {
    ended_ = words_->take("classes");
    FullyConnectedLayer layer{.neurons = net_.classes, .relu = false};
    if (!ended_) layer.neurons = words_->whole("fc", 1, kMostKernels);
    DescribedWeights weights;
    std::vector<Attribute> attributes;
    if (!ended_) attributes.push_back(flag("relu", layer.relu));
    add_weights(attributes, weights);
    words_->attributes(attributes);
    layer.init = weights.of(shape_.per_row(), *words_);
    flat_ = true;
    append("fc", ++weighted_, layer, {1, 1, 1, layer.neurons});
  }

  void response_norm() {
    require_maps();
    LrnLayer layer{.groups = net_.towers};
    bool divided = false;
    const auto scope = [&] {
      if (words_->take("all")) {
        layer.groups = 1;
      } else if (!words_->take("tower")) {
        words_->refuse("after 'scope' must stand tower or all");
      }
    };
    words_->attributes({whole("size", layer.size, 1, kMostKernelSize),
                        real("alpha", layer.alpha, 0, 1000),
                        flag("divided", divided),
                        real("beta", layer.beta, 0, 100),
                        real("k", layer.k, 1e-6, 1e6),
                        {"scope", "tower|all", scope},
                        name()});
    if (shape_.c % layer.groups != 0)
      words_->refuse(
          "the {} maps below do not divide into {} towers; make them a multiple, or say "
          "'scope all'",
          shape_.c, layer.groups);
    if (divided) layer.alpha /= static_cast<double>(layer.size);
    checked(
        [&] { check_lrn({.x = shape_, .group = shape_.c / layer.groups, .size = layer.size}); });
    append("norm", weighted_, layer, shape_);
  }

  void spatial_norm() {
    require_maps();
    SpatialNormLayer layer;
    words_->attributes({whole("size", layer.size, 1, kMostKernelSize),
                        real("alpha", layer.alpha, 0, 1000), real("beta", layer.beta, 0, 100),
                        real("k", layer.k, 1e-6, 1e6), name()});
    checked([&] { check_spatial_norm({.x = shape_, .size = layer.size}); });
    append("spatial-norm", weighted_, layer, shape_);
  }

  void pool() {
    require_maps();
    PoolLayer layer{.kernel = 0, .stride = 0, .round_up = false};
    words_->attributes({whole("kernel", layer.kernel, 1, kMostKernelSize),
                        whole("stride", layer.stride, 1, kMostKernelSize),
                        flag("round-up", layer.round_up), name()});
    if (layer.kernel == 0 || layer.stride == 0)
      words_->refuse("'pool' needs 'kernel N' and 'stride N', in pixels");
    const PoolSpec spec{shape_, layer.kernel, layer.stride, layer.round_up};
    if (spec.y().h < 1)
      words_->refuse(
          "windows of {0}x{0} pixels do not fit the {1}x{1} maps below; use smaller "
          "windows, a larger input, less stride before, or 'round-up'",
          layer.kernel, shape_.h);
    checked([&] { check_pool(spec); });
    append("pool", weighted_, layer, spec.y());
  }

  void relu() {
    words_->attributes({name()});
    append("relu", weighted_, ReluLayer{}, shape_);
  }

  void dropout() {
    const double drop = words_->real("dropout", 1e-6, 1 - 1e-6);
    bool inverted = false;
    std::int64_t number = weighted_;
    words_->attributes({flag("inverted", inverted), whole("number", number, 0, 1'000'000), name()});
    const auto as_word = static_cast<std::uint32_t>(number);
    const bool taken = std::ranges::any_of(net_.layers, [&](const LayerSpec& layer) {
      const auto* other = std::get_if<DropoutLayer>(&layer.kind);
      return other != nullptr && other->number == as_word;
    });
    if (taken)
      words_->refuse(
          "another dropout has the number {}, which tells its random numbers apart; give "
          "this one 'number N'",
          number);
    const double keep = 1 - drop;
    append("drop", number,
           DropoutLayer{drop, inverted ? 1 / keep : 1, inverted ? 1 : keep, as_word}, shape_);
  }

  void require_maps() const {
    if (flat_) words_->refuse("'{}' needs maps, and no maps are left after 'fc'", words_->kind());
  }

  template <typename Check>
  void checked(const Check& check) const {
    try {
      check();
    } catch (const Error& error) {
      words_->refuse("{}", error.what());
    }
  }

  // `kind` and `number` make the name of a layer that has none.
  template <typename Layer>
  void append(std::string_view kind, std::int64_t number, const Layer& layer, const Shape& out) {
    if (name_.empty()) name_ = fmt::format("{}{}", kind, number);
    require_free(name_, net_, *words_);
    LayerSpec spec{std::exchange(name_, {}), layer, shape_, out};
    require_outputs(spec, net_, *words_);
    size_.add(spec, *words_);
    net_.layers.push_back(std::move(spec));
    shape_ = out;
  }

  NetSpec net_{.input = {1, 1, 1, 0}};
  Shape shape_;
  StatementReader* words_ = nullptr;  // of the statement that is read
  std::string name_;                  // of its layer, where it says
  std::int64_t weighted_ = 0;         // layers with weights so far
  bool towers_said_ = false;
  bool flat_ = false;   // after a fully connected layer
  bool ended_ = false;  // after that of the classes
  NetSize size_;
};

}  // namespace

NetSpec parse_net(const std::string& text, const std::string& name, std::int64_t classes) {
  if (classes < 1 || classes > kMostClasses)
    fail(ExitCode::usage, "{}: a net has from 1 to {} classes, not {}", name, kMostClasses,
         classes);
  if (one_line(text).size() > kMostText)
    fail(ExitCode::usage,
         "{}: the description has more than {} characters besides comments; give layers shorter "
         "names, or fewer",
         name, kMostText);
  Description description(classes);
  const std::vector<Statement> statements = read_statements(text, name);
  for (const Statement& statement : statements) description.read(statement);
  if (!description.ended())
    fail(ExitCode::usage,
         "{}the net does not end in 'fc classes', which must be the last statement",
         statements.empty() ? name + ": " : statements.back().place);
  return description.take();
}

std::string one_line(const std::string& text) {
  std::string line;
  for (const Statement& statement : read_statements(text, "")) {
    line += fmt::format("{}{}", line.empty() ? "" : "; ", fmt::join(statement.words, " "));
  }
  return line;
}

}  // namespace convoy
