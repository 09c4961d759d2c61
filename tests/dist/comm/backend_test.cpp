// Which backend ranks take, and which ranks do not fit together.
#include "dist/comm/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

RankFacts gpu(const std::string& host, const std::string& bus, int nccl = 22809) {
  return {DeviceKind::cuda, Precision::tf32, host, bus, nccl};
}
RankFacts cpu(const std::string& host) {
  return {DeviceKind::cpu, Precision::fp32, host, "cpu", 22809};
}

std::string refusal(const std::string& name, const std::vector<RankFacts>& ranks) {
  try {
    static_cast<void>(choose_backend(name, ranks));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(Backend, AutoIsNcclBetweenGpusOnly) {
  EXPECT_EQ(choose_backend("auto", {cpu("a"), cpu("a")}), Backend::mpi);
  EXPECT_EQ(choose_backend("auto", {gpu("a", "0")}), Backend::mpi);
  EXPECT_EQ(choose_backend("auto", {gpu("a", "0"), gpu("b", "0")}), Backend::nccl);
  EXPECT_EQ(choose_backend("mpi", {gpu("a", "0"), gpu("a", "0")}), Backend::mpi);
  EXPECT_EQ(choose_backend("nccl", {gpu("a", "0"), gpu("a", "1")}), Backend::nccl);
}

TEST(Backend, RefusalsNameTheRanksAndWhatHelps) {
  using testing::AllOf;
  using testing::HasSubstr;
  EXPECT_THAT(refusal("auto", {gpu("a", "0"), cpu("b")}),
              AllOf(HasSubstr("rank 0 (a) would compute on a GPU in tf32"),
                    HasSubstr("rank 1 (b) on the CPU in fp32"), HasSubstr("--device.kind")));
  RankFacts narrow = gpu("b", "0");
  narrow.precision = Precision::bf16;
  EXPECT_THAT(refusal("mpi", {gpu("a", "0"), narrow}), HasSubstr("on a GPU in bf16"));
  EXPECT_THAT(refusal("auto", {gpu("a", "0"), gpu("a", "1"), gpu("a", "0")}),
              AllOf(HasSubstr("ranks 0 and 2 would share the GPU 0 of a"),
                    HasSubstr("--dist.backend mpi")));
  EXPECT_THAT(refusal("auto", {gpu("a", "0"), gpu("b", "0", 22005)}),
              AllOf(HasSubstr("NCCL 2.28.9"), HasSubstr("rank 1 (b) has 2.20.5")));
  EXPECT_THAT(refusal("nccl", {cpu("a"), cpu("a")}), HasSubstr("--dist.backend auto"));
  EXPECT_THAT(refusal("nccl", {gpu("a", "0", 0)}), HasSubstr("without NCCL"));
  EXPECT_THAT(refusal("ncll", {cpu("a")}), HasSubstr("auto, nccl or mpi"));
}

TEST(Backend, FactsOfAllRanksArriveInOrder) {
  const auto everyone = test_world().split(0);
  const auto ranks = gather_facts(*everyone, gpu("host" + std::to_string(everyone->rank()), "7"));
  ASSERT_EQ(ranks.size(), static_cast<std::size_t>(everyone->size()));
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    EXPECT_EQ(ranks[i].host, "host" + std::to_string(i));
    EXPECT_EQ(ranks[i].processor, "7");
    EXPECT_EQ(ranks[i].kind, DeviceKind::cuda);
    EXPECT_EQ(ranks[i].precision, Precision::tf32);
    EXPECT_EQ(ranks[i].nccl, 22809);
  }
}

}  // namespace
}  // namespace convoy
