// Builds a rank's share of the net and runs its loss.
#include "dist/step/session.h"

#include <array>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "dist/comm/agreement.h"
#include "dist/comm/backend.h"
#include "dist/comm/nccl.h"
#include "dist/comm/texts.h"
#include "dist/partition/partition.h"
#include "dist/step/shared_reading.h"
#include "dist/watch/collective_record.h"

namespace convoy {
namespace {

// Gradients of weights are sums over the same runs of images whatever the number of replicas
// (ConvSpec::sum_parts): so many in the global batch, as far as they divide it.
constexpr std::int64_t kSumParts = 4;

std::int64_t parts_of_sums(std::int64_t global_batch, std::int64_t images) {
  const std::int64_t slices = global_batch / images;
  const std::int64_t parts = std::gcd(global_batch, kSumParts);
  return parts % slices == 0 ? parts / slices : 1;
}

}  // namespace

Session::Session(World& world, const JobOptions& options, const KernelRecord& record)
    : world_(world),
      global_batch_(options.solver.batch),
      device_(make_device(options.device, {world.local_rank(), world.local_ranks()})),
      stream_(device_->make_stream()),
      net_(build_net(options.model)),
      strategy_(choose_strategy(options.dist.strategy, net_, world.size(), global_batch_,
                                options.dist.owt_scheme)) {
  const Grid& grid = strategy_.grid;
  const int replica = grid.replica(world.rank());
  everyone_ = world.split(0);
  const Backend backend =
      choose_backend(options.dist.backend,
                     gather_facts(*everyone_, {device_->kind(), device_->precision(), world.host(),
                                               device_->identity(), nccl_version()}));
  const auto group = [&](int colour, int ranks) {
    return world.split(colour, *device_, ranks > 1 ? backend : Backend::mpi, options.dist.timeout);
  };
  replicas_ = group(grid.group_of_replicas(world.rank()), grid.replicas);
  towers_ = group(grid.group_of_towers(world.rank()), grid.towers);
  statistics_ = world.split(grid.group_of_replicas(world.rank()));

  for (const std::string& warning : {unlike_kernels_warning(*everyone_, *device_),
                                     threads_warning(options.device, world.local_ranks())}) {
    if (!warning.empty()) warnings_.push_back(warning);
  }

  const std::int64_t images = global_batch_ / grid.replicas;
  slice_ = {replica * images, (replica + 1) * images};
  const Shape input{images, net_.input.h, net_.input.w, net_.input.c};
  device_->choices().add(record.kernels, record.where);
  // A record of methods is a CPU's; a GPU's library chooses kernels of its own.
  const bool foreign = record.methods && device_->kind() != DeviceKind::cpu;
  network_ = std::make_unique<Network>(
      *device_, input,
      make_layers(foreign ? "auto" : options.device.conv, options.solver.kind == "adam"));
  loss_ = device_->operations().softmax_loss(images);
  sums_ = device_->allocate(sizeof(LossSums));
  host_sums_ = device_->allocate_host(sizeof(LossSums));
  probabilities_ =
      device_->allocate(static_cast<std::size_t>(network_->logits().count()) * sizeof(float));

  std::vector<std::string> layers;
  for (const auto& layer : network_->layers()) layers.push_back(layer->name());
  world.record().name_layers(layers);

  // From here on ranks do the same; before, rank 0 alone times kernels.
  everyone_->limit_waits(options.dist.timeout);
  statistics_->limit_waits(options.dist.timeout);
}

std::vector<std::unique_ptr<Layer>> Session::make_layers(const std::string& conv,
                                                         bool exact_zeros) {
  std::vector<PlannedLayer> planned =
      partition(net_, strategy_, world_.rank(), global_batch_, device_->activation_type());
  for (PlannedLayer& layer_or_exchange : planned) {
    if (auto* layer = std::get_if<LayerPlan>(&layer_or_exchange)) {
      layer->part.sum_parts = parts_of_sums(global_batch_, layer->part.images);
      layer->part.exact_zeros = exact_zeros;
    }
  }
  conv_choice_ = choose_conv_methods(conv, planned, *device_, *everyone_);
  if (!leader()) spread_kernel_choices();  // rank 0 makes its layers, and then tells
  std::vector<std::unique_ptr<Layer>> layers;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (const auto* exchange = std::get_if<ExchangePlan>(&planned[i])) {
      if (exchange->from == Placement::batch) head_ = static_cast<std::int64_t>(layers.size());
      layers.push_back(make_exchange_layer(*device_, *exchange, *towers_, turn_, exposed_));
      continue;
    }
    const auto& [spec, part] = std::get<LayerPlan>(planned[i]);
    std::unique_ptr<Layer> layer;
    if (const auto* next =
            i + 1 < planned.size() ? std::get_if<LayerPlan>(&planned[i + 1]) : nullptr)
      layer = make_fused_layer(*device_, *spec, part, *next->spec, next->part);
    if (layer) {
      ++i;
    } else {
      layer = make_layer(*device_, *spec, part);
    }
    layers.push_back(std::move(layer));
  }
  if (leader()) spread_kernel_choices();
  return layers;
}

// Rank 0 has timed kernels; the others take its choices.
void Session::spread_kernel_choices() {
  device_->choices().add(broadcast_text(*everyone_, "kernels", device_->choices().text(), 0),
                         "rank 0");
}

// Where rank 0 refuses the directory, no rank may have touched what lies there.
void Session::keep_record(const std::filesystem::path& run) {
  everyone_->barrier("run directory");
  world_.record().keep_in(run);
}

ReaderOptions Session::reader_options(const Dataset& dataset, const DataOptions& data) {
  ReaderOptions options{slice_.size(), net_.input.h, data.threads, data.ahead,
                        [this](std::size_t bytes) { return device_->allocate_host(bytes); }};
  if (!strategy_.grid.one_axis)
    share_reading(*towers_, *device_, dataset, data, options);
  else if (data.share == "on")
    fail(ExitCode::usage,
         "data.share on is for ranks that read the same images, as the towers of model and hybrid "
         "do; under {} each rank reads its own",
         strategy_.name);
  return options;
}

Pass Session::take_turn(int turn, const Pass& body) {
  turn_.now = turn;
  Pass pass = body;
  if (head_ > 0) pass.draw.first_image = turn * (global_batch_ / turns());
  return pass;
}

void Session::evaluate(LayerObserver* observer) {
  const Pass pass{op(), false, {}};
  network_->forward(pass, body(), observer);
  for (int turn = 0; turn < turns(); ++turn)
    network_->forward(take_turn(turn, pass), head(), observer);
}

void Session::queue_loss(const Tensor& labels, float scale) {
  loss_->loss(op(), network_->logits(), labels, scale, network_->logits_gradient(),
              static_cast<LossSums*>(sums_.data()));
  device_->copy_to_host(host_sums_.data(), sums_.data(), sizeof(LossSums), *stream_);
}

const LossSums& Session::queued_loss() const {
  return *static_cast<const LossSums*>(host_sums_.data());
}

LossSums Session::loss(const Tensor& labels, float scale) {
  queue_loss(labels, scale);
  stream_->synchronize();
  return queued_loss();
}

LossSums Session::total(const LossSums& mine) {
  if (replicas_->size() == 1) return mine;
  // Counts are far below 2^53, so doubles carry them exactly.
  std::array<double, 4> values{mine.loss, static_cast<double>(mine.images),
                               static_cast<double>(mine.top1), static_cast<double>(mine.top5)};
  statistics_->sum("statistics", values);
  return {values[0], static_cast<std::int64_t>(values[1]), static_cast<std::int64_t>(values[2]),
          static_cast<std::int64_t>(values[3])};
}

void Session::probabilities(float* host) {
  const Tensor p{probabilities_.data(), network_->logits().shape, DType::f32};
  loss_->softmax(op(), network_->logits(), p);
  device_->copy_to_host(host, p.data, p.bytes(), *stream_);
  stream_->synchronize();
}

}  // namespace convoy
