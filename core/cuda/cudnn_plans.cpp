// Execution plans of cuDNN: found by its heuristics, sorted out by what a run may do, and made
// again from their names.
#include <algorithm>
#include <sstream>

#include "core/cuda/conv_pass.h"
#include "core/cuda/cudnn_descriptor.h"
#include "core/cuda/cudnn_graph.h"
#include "core/error.h"

namespace convoy {
namespace {

constexpr std::int64_t kConfigs = 48;  // that one of cuDNN's heuristics is asked for

using Note = cudnnBackendNumericalNote_t;

class CudnnPlan : public ConvPlan {
 public:
  CudnnPlan(Cudnn::State& state, CudnnDescriptor plan, std::string name, std::size_t workspace)
      : state_(state), plan_(std::move(plan)), name_(std::move(name)), workspace_(workspace) {}

  [[nodiscard]] std::size_t workspace_bytes() const override { return workspace_; }
  [[nodiscard]] std::string name() const override { return name_; }

  void run(cudaStream_t stream, const ConvPointers& at, void* workspace) override {
    std::vector<std::int64_t> names;
    std::vector<void*> pointers;
    const auto add = [&](CudnnTensor tensor, void* pointer) {
      if (pointer == nullptr) return;
      names.push_back(static_cast<std::int64_t>(tensor));
      pointers.push_back(pointer);
    };
    add(CudnnTensor::x, at.x);
    add(CudnnTensor::w, at.w);
    add(CudnnTensor::b, at.b);
    add(CudnnTensor::y, at.y);
    add(CudnnTensor::mask, at.mask);
    CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, names)
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace)
        .finalize();
    check_cudnn(cudnnSetStream(state_.handle, stream), "taking a stream");
    check_cudnn(cudnnBackendExecute(state_.handle, plan_.raw(), pack.raw()),
                "running a convolution");
  }

 private:
  Cudnn::State& state_;
  CudnnDescriptor plan_;
  std::string name_;
  std::size_t workspace_;
};

// Whether an engine computes as the run wants it.
bool fits(const CudnnDescriptor& engine, const ConvPass& pass, const PlanLimits& limits) {
  const auto notes = engine.get<Note>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                      CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  const auto has = [&](Note note) { return std::ranges::find(notes, note) != notes.end(); };
  if (limits.deterministic && has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return false;
  if (has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return false;
  return pass.precision != Precision::fp32 ||
         (!has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE) && !has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS));
}

std::string name_of_config(const CudnnDescriptor& config, const CudnnDescriptor& engine) {
  std::string name = fmt::format(
      "eng{}", engine.get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1).at(0));
  for (const CudnnDescriptor& knob :
       config.parts(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR,
                    CUDNN_KNOB_TYPE_COUNTS)) {
    const auto type =
        knob.get<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1);
    const auto value =
        knob.get<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1);
    name += fmt::format(" k{}={}", static_cast<int>(type.at(0)), value.at(0));
  }
  return name;
}

std::unique_ptr<ConvPlan> plan_of(Cudnn::State& state, const CudnnDescriptor& config,
                                  const PlanLimits& limits, const std::string& name) {
  CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
  if (state.handle != nullptr)
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, state.handle);
  state.set_device(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
  if (!plan.supported()) return nullptr;
  const auto workspace = static_cast<std::size_t>(
      plan.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1).at(0));
  if (workspace > limits.workspace) return nullptr;
  return std::make_unique<CudnnPlan>(state, std::move(plan), name, workspace);
}

// Adds the plans that one of cuDNN's heuristics knows, each once.
void add_plans(Cudnn::State& state, const CudnnGraph& graph, const ConvPass& pass,
               const PlanLimits& limits, cudnnBackendHeurMode_t mode,
               std::vector<std::unique_ptr<ConvPlan>>& plans) {
  CudnnDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.graph())
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
  state.set_device(heuristic, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP);
  if (!heuristic.supported()) return;
  for (const CudnnDescriptor& config : heuristic.parts(
           CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, kConfigs)) {
    if (plans.size() >= limits.count) return;
    const auto engines =
        config.parts(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
    if (engines.empty() || !fits(engines[0], pass, limits)) continue;
    const std::string name = name_of_config(config, engines[0]);
    if (std::ranges::any_of(plans, [&](const auto& plan) { return plan->name() == name; }))
      continue;
    if (auto plan = plan_of(state, config, limits, name)) plans.push_back(std::move(plan));
  }
}

}  // namespace

std::vector<std::unique_ptr<ConvPlan>> make_plans(Cudnn& cudnn, const ConvPass& pass,
                                                  const PlanLimits& limits) {
  std::vector<std::unique_ptr<ConvPlan>> plans;
  const CudnnGraph graph(cudnn.state(), pass);
  if (!graph.supported()) return plans;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
    add_plans(cudnn.state(), graph, pass, limits, mode, plans);
  return plans;
}

std::unique_ptr<ConvPlan> make_plan(Cudnn& cudnn, const ConvPass& pass, const PlanLimits& limits,
                                    const std::string& name) {
  Cudnn::State& state = cudnn.state();
  std::istringstream words(name);
  std::string word;
  if (!(words >> word) || !word.starts_with("eng")) return nullptr;
  const CudnnGraph graph(state, pass);
  if (!graph.supported()) return nullptr;
  CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph.graph());
  state.set_device(engine, CUDNN_ATTR_ENGINE_DEVICEPROP);
  std::vector<CudnnDescriptor> knobs;
  try {
    engine.set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, std::stoll(word.substr(3)));
    while (words >> word) {
      const auto equals = word.find('=');
      if (word[0] != 'k' || equals == std::string::npos) return nullptr;
      knobs.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR)
          .set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE,
               static_cast<cudnnBackendKnobType_t>(std::stoi(word.substr(1))))
          .set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, std::stoll(word.substr(equals + 1)))
          .finalize();
    }
  } catch (const std::logic_error&) {  // no number
    return nullptr;
  } catch (const Error&) {  // a number that cuDNN does not know
    return nullptr;
  }
  if (!engine.supported() || !fits(engine, pass, limits)) return nullptr;
  CudnnDescriptor config(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  config.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const CudnnDescriptor& knob : knobs) raw.push_back(knob.raw());
  if (!raw.empty())
    config.set(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, raw);
  return config.supported() ? plan_of(state, config, limits, name) : nullptr;
}

}  // namespace convoy
