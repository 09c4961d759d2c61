// Grouped plans, plans on channel slices, and the choice between them.
#include "core/cuda/conv_runner.h"

#include <algorithm>

#include "core/cuda/quickest.h"
#include "core/cuda/stream.h"

namespace convoy {
namespace {

constexpr std::string_view kSplit = "split:";
constexpr std::size_t kPlans = 12;  // of a kind

PlanLimits limits_of(const CudaContext& context) {
  return {context.workspace_limit, context.deterministic, kPlans};
}

DType type_of_weights(const ConvPass& pass) {
  return pass.kind == ConvPass::Kind::weights ? pass.gradient_type : pass.type;
}

// Bytes from a group's part of each tensor to the next one's.
struct GroupSteps {
  explicit GroupSteps(const ConvPass& pass)
      : x(pass.x.c / pass.groups * static_cast<std::int64_t>(size_of(pass.type))),
        y(pass.y.c / pass.groups * static_cast<std::int64_t>(size_of(pass.type))),
        w(pass.weights().count() / pass.groups *
          static_cast<std::int64_t>(size_of(type_of_weights(pass)))) {}
  std::int64_t x;
  std::int64_t y;
  std::int64_t w;
};

ConvPass pass_of_group(ConvPass pass) {
  const GroupSteps steps(pass);
  while ((steps.x | steps.y | steps.w) % pass.alignment != 0) pass.alignment /= 2;
  pass.x.c /= pass.groups;
  pass.y.c /= pass.groups;
  pass.groups = 1;
  return pass;
}

}  // namespace

void ConvRunner::run(cudaStream_t stream, const ConvPointers& at, void* workspace) {
  if (slices_ == 1) return plan_->run(stream, at, workspace);
  const GroupSteps steps(pass_);
  const auto moved = [](void* data, std::int64_t bytes) -> void* {
    return data == nullptr ? nullptr : static_cast<char*>(data) + bytes;
  };
  for (std::int64_t g = 0; g < slices_; ++g)
    plan_->run(stream,
               {moved(at.x, g * steps.x), moved(at.w, g * steps.w), moved(at.b, g * steps.y),
                moved(at.y, g * steps.y), moved(at.mask, g * steps.x)},
               workspace);
}

std::vector<ConvRunner> conv_runners(const CudaContext& context, const ConvPass& pass) {
  std::vector<ConvRunner> all;
  for (auto& plan : make_plans(context.cudnn, pass, limits_of(context)))
    all.emplace_back(std::move(plan), pass, 1);
  if (pass.groups > 1)
    for (auto& plan : make_plans(context.cudnn, pass_of_group(pass), limits_of(context)))
      all.emplace_back(std::move(plan), pass, pass.groups);
  return all;
}

std::vector<ConvRunner> conv_runner(const CudaContext& context, const ConvPass& pass,
                                    const std::string& name) {
  const bool split = pass.groups > 1 && name.starts_with(kSplit);
  auto plan = make_plan(context.cudnn, split ? pass_of_group(pass) : pass, limits_of(context),
                        split ? name.substr(kSplit.size()) : name);
  std::vector<ConvRunner> one;
  if (plan) one.emplace_back(std::move(plan), pass, split ? pass.groups : 1);
  return one;
}

std::vector<ConvRunner> choose_conv_runner(const CudaContext& context, const ConvPass& pass) {
  const std::string work =
      work_name(context, "convolution " + pass.text(), context.cudnn.version());
  if (const auto known = context.choices.of(work)) {
    std::vector<ConvRunner> one = conv_runner(context, pass, *known);
    if (one.empty()) refuse_choice(work, *known);
    return one;
  }
  std::vector<ConvRunner> all = conv_runners(context, pass);
  if (all.empty()) return all;
  std::size_t best = 0;
  if (all.size() > 1) {
    std::size_t workspace = 0;
    for (const ConvRunner& one : all) workspace = std::max(workspace, one.workspace_bytes());
    const ConvScratch scratch(context, pass, workspace);
    best = quickest(context.device, all.size(), [&](std::size_t i, Stream& stream) {
      all[i].run(native(stream), scratch.pointers(), scratch.workspace());
    });
  }
  context.choices.set(work, all[best].name());
  std::vector<ConvRunner> one;
  one.push_back(std::move(all[best]));
  return one;
}

ConvScratch::ConvScratch(const CudaContext& context, const ConvPass& pass, std::size_t workspace) {
  const auto add = [&](std::int64_t count, DType type) {
    return buffers_
        .emplace_back(context.device.allocate(static_cast<std::size_t>(count) * size_of(type)))
        .data();
  };
  pointers_.x = add(pass.x.count(), pass.type);
  pointers_.w = add(pass.weights().count(), type_of_weights(pass));
  pointers_.y = add(pass.y.count(), pass.type);
  if (pass.kind == ConvPass::Kind::forward) pointers_.b = add(pass.y.c, pass.type);
  if (pass.mask) pointers_.mask = add(pass.x.count(), pass.type);
  buffers_.push_back(context.device.allocate(workspace));
}

}  // namespace convoy
