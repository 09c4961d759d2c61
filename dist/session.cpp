// Builds a rank's share of the net and runs its loss.
#include "dist/session.h"

#include <array>
#include <numeric>
#include <utility>

#include "dist/agreement.h"
#include "dist/backend.h"
#include "dist/nccl.h"
#include "dist/partition.h"
#include "dist/shared_reading.h"
#include "dist/texts.h"

namespace convoy {
namespace {

// Gradients of weights are sums over the same runs of images whatever the number of replicas
// (ConvSpec::sum_parts): so many in the global batch, as far as they divide it.
constexpr std::int64_t kSumParts = 4;

std::int64_t parts_of_sums(std::int64_t global_batch, std::int64_t replicas) {
  const std::int64_t parts = std::gcd(global_batch, kSumParts);
  return parts % replicas == 0 ? parts / replicas : 1;
}

}  // namespace

Session::Session(World& world, const JobOptions& options)
    : world_(world),
      global_batch_(options.solver.batch),
      device_(make_device(options.device, {world.local_rank(), world.local_ranks()})),
      stream_(device_->make_stream()),
      net_(build_alexnet(options.model)),
      strategy_(choose_strategy(options.dist.strategy, net_, world.size(), global_batch_)) {
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
  replicas_ = group(grid.tower(world.rank()), grid.replicas);
  towers_ = group(replica, grid.towers);
  statistics_ = world.split(grid.tower(world.rank()));

  for (const std::string& warning : {unlike_kernels_warning(*everyone_, *device_),
                                     threads_warning(options.device, world.local_ranks())}) {
    if (!warning.empty()) warnings_.push_back(warning);
  }

  const std::int64_t images = global_batch_ / grid.replicas;
  slice_ = {replica * images, (replica + 1) * images};
  const Shape input{images, net_.input.h, net_.input.w, net_.input.c};
  network_ = std::make_unique<Network>(*device_, input, make_layers(options.device.conv));
  loss_ = device_->operations().softmax_loss(images);
  sums_ = device_->allocate(sizeof(LossSums));
  host_sums_ = device_->allocate_host(sizeof(LossSums));
  probabilities_ =
      device_->allocate(static_cast<std::size_t>(network_->logits().count()) * sizeof(float));

  // From here on ranks do the same; before, rank 0 alone times kernels.
  everyone_->limit_waits(options.dist.timeout);
  statistics_->limit_waits(options.dist.timeout);
}

std::vector<std::unique_ptr<Layer>> Session::make_layers(const std::string& conv) {
  const Grid& grid = strategy_.grid;
  std::vector<PlannedLayer> planned =
      partition(net_, grid, grid.tower(world_.rank()), slice_.size(), device_->activation_type());
  for (PlannedLayer& layer_or_exchange : planned) {
    if (auto* layer = std::get_if<LayerPlan>(&layer_or_exchange))
      layer->part.sum_parts = parts_of_sums(global_batch_, grid.replicas);
  }
  conv_choice_ = choose_conv_methods(conv, planned, *device_, *everyone_);
  if (!leader()) spread_kernel_choices();  // rank 0 makes its layers, and then tells
  std::vector<std::unique_ptr<Layer>> layers;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (const auto* exchange = std::get_if<ExchangePlan>(&planned[i])) {
      layers.push_back(make_exchange_layer(*device_, *exchange, *towers_, exposed_));
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

ReaderOptions Session::reader_options(const Dataset& dataset, const DataOptions& data) {
  ReaderOptions options{slice_.size(), net_.input.h, data.threads, data.ahead,
                        [this](std::size_t bytes) { return device_->allocate_host(bytes); }};
  share_reading(*towers_, *device_, dataset, data, options);
  return options;
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
