// Collectives on memory of every kind of device, in fp32 and bf16, over MPI and over NCCL, against
// closed forms. What needs a GPU is skipped where there are too few.
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/device_cuda.h"
#include "core/error.h"
#include "dist/comm/sum_blocks.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

struct Case {
  std::string name;
  std::string device;
  Backend backend;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

float wide(std::uint16_t bf16) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bf16) << 16);
}
// Of values that bf16 holds exactly.
std::uint16_t narrow(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

std::vector<char> bytes_of(const std::vector<float>& values, DType type) {
  std::vector<char> bytes(values.size() * size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = narrow(values[i]);
    if (type == DType::bf16)
      std::memcpy(bytes.data() + 2 * i, &half, 2);
    else
      std::memcpy(bytes.data() + 4 * i, &values[i], 4);
  }
  return bytes;
}

std::vector<float> values_of(const std::vector<char>& bytes, DType type) {
  std::vector<float> values(bytes.size() / size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t half = 0;
    if (type == DType::bf16) {
      std::memcpy(&half, bytes.data() + 2 * i, 2);
      values[i] = wide(half);
    } else {
      std::memcpy(&values[i], bytes.data() + 4 * i, 4);
    }
  }
  return values;
}

class DeviceCommunicator : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const int gpus = find_gpus().count;
    const bool nccl = GetParam().backend == Backend::nccl;
    if (GetParam().device == "cuda" && (gpus == 0 || (nccl && gpus < test_world().local_ranks())))
      GTEST_SKIP() << "needs more than the " << gpus << " GPUs of this host";
    const LocalPlace place{test_world().local_rank(), test_world().local_ranks()};
    device_ = make_device({GetParam().device, 1}, place);
    stream_ = device_->make_stream();
    comm_ = test_world().split(0, *device_, GetParam().backend, 60);
    rank_ = static_cast<float>(comm_->rank());
    size_ = static_cast<std::size_t>(comm_->size());
  }

  // Pinned host memory must stay until it is copied.
  Buffer to_device(const std::vector<float>& values, DType type) {
    const std::vector<char> bytes = bytes_of(values, type);
    Buffer buffer = device_->allocate(bytes.size());
    device_->copy_to_device(buffer.data(), bytes.data(), bytes.size(), *stream_);
    return buffer;
  }
  std::vector<float> to_host(const Buffer& buffer, DType type) {
    std::vector<char> bytes(buffer.bytes());
    device_->copy_to_host(bytes.data(), buffer.data(), bytes.size(), *stream_);
    comm_->wait(*stream_);
    return values_of(bytes, type);
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Communicator> comm_;
  float rank_ = 0;
  std::size_t size_ = 1;
};

TEST_P(DeviceCommunicator, GathersAndScattersSums) {
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{5}, std::size_t{9001}}) {
      std::vector<float> mine(count);
      for (std::size_t i = 0; i < count; ++i) mine[i] = 16 * rank_ + static_cast<float>(i % 16);
      const Buffer part = to_device(mine, type);
      const Buffer all = device_->allocate(size_ * count * size_of(type));
      comm_->all_gather("gather", part.data(), all.data(), static_cast<std::int64_t>(count), type,
                        *stream_);
      // Every rank now has the same, so that the sum is `size` times its own block.
      const Buffer sum = device_->allocate(count * size_of(type));
      comm_->reduce_scatter("scatter", all.data(), sum.data(), static_cast<std::int64_t>(count),
                            type, *stream_);
      const std::vector<float> gathered = to_host(all, type);
      const std::vector<float> summed = to_host(sum, type);
      for (std::size_t r = 0; r < size_; ++r)
        for (std::size_t i = 0; i < count; ++i)
          ASSERT_EQ(gathered[r * count + i], 16 * static_cast<float>(r) + mine[i] - 16 * rank_);
      for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(summed[i], static_cast<float>(size_) * mine[i]) << i;
    }
  }
  const auto scattered = comm_->traffic().at("scatter");
  EXPECT_EQ(scattered.calls, 6);
  EXPECT_EQ(scattered.payload_bytes, (4 + 2) * (1 + 5 + 9001));
}

// As the ranks' turns do: the next broadcast is under way while others of its group run.
TEST_P(DeviceCommunicator, EveryRankIsTheRootOfBroadcastsAndSums) {
  for (const DType type : {DType::f32, DType::bf16}) {
    const std::size_t count = 777;
    const auto length = static_cast<std::int64_t>(count);
    const auto ranks = static_cast<int>(size_);
    std::vector<float> mine(count);
    for (std::size_t i = 0; i < count; ++i) mine[i] = 16 * rank_ + static_cast<float>(i % 16);
    std::vector<Buffer> values;
    std::vector<Buffer> sums;
    std::vector<std::unique_ptr<PendingCollective>> pending;
    for (int root = 0; root < ranks; ++root) {
      values.push_back(to_device(root == comm_->rank() ? mine : std::vector<float>(count), type));
      sums.push_back(to_device(std::vector<float>(count, -1), type));
      pending.push_back(
          comm_->start_broadcast("send", values.back().data(), length, type, root, *stream_));
    }
    for (int root = 0; root < ranks; ++root) {
      const auto r = static_cast<std::size_t>(root);
      pending[r]->wait(*stream_);
      // Every rank now has the same, so that the sum is `size` times the root's values.
      comm_->reduce("add", values[r].data(), sums[r].data(), length, type, root, *stream_);
    }
    for (std::size_t root = 0; root < size_; ++root) {
      const std::vector<float> sent = to_host(values[root], type);
      const std::vector<float> sum = to_host(sums[root], type);
      for (std::size_t i = 0; i < count; ++i) {
        const float expected = 16 * static_cast<float>(root) + static_cast<float>(i % 16);
        ASSERT_EQ(sent[i], expected) << "from " << root;
        ASSERT_EQ(sum[i],
                  static_cast<float>(root) == rank_ ? static_cast<float>(size_) * expected : -1.f);
      }
    }
  }
  for (const char* name : {"send", "add"}) {
    EXPECT_EQ(comm_->traffic().at(name).calls, 2 * static_cast<std::int64_t>(size_));
    EXPECT_EQ(comm_->traffic().at(name).payload_bytes, (4 + 2) * 777) << "of the root alone";
  }
}

TEST_P(DeviceCommunicator, AllReducesOverlapAndLaterWorkComesAfterThem) {
  const Buffer copies = device_->allocate(3 * 2000 * sizeof(float));
  for (int round = 0; round < 3; ++round) {
    std::vector<Buffer> values;
    std::vector<std::unique_ptr<PendingCollective>> pending;
    for (std::size_t i = 0; i < 3; ++i) {
      values.push_back(to_device(
          std::vector<float>(1000 + 500 * i, (rank_ + 1) * static_cast<float>(i + 1)), DType::f32));
      pending.push_back(comm_->start_all_reduce("sum", static_cast<float*>(values[i].data()),
                                                static_cast<std::int64_t>(1000 + 500 * i),
                                                *stream_));
      pending.front()->test();
    }
    for (std::size_t i = 0; i < 3; ++i) {
      pending[i]->wait(*stream_);
      device_->copy(static_cast<float*>(copies.data()) + 2000 * i, values[i].data(),
                    1000 * sizeof(float), *stream_);
    }
    const std::vector<float> sums = to_host(copies, DType::f32);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 1000; ++j)
        ASSERT_EQ(sums[2000 * i + j],
                  static_cast<float>(size_ * (size_ + 1) / 2) * static_cast<float>(i + 1));
  }
}

TEST_P(DeviceCommunicator, CarriesHostNumbersToo) {
  std::vector<double> values{1, static_cast<double>(rank_)};
  comm_->sum("test", values);
  EXPECT_EQ(values[0], static_cast<double>(size_));
  comm_->barrier("test");
  EXPECT_EQ(comm_->world_rank(comm_->rank()), test_world().rank());
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceCommunicator,
                         testing::Values(Case{"CpuOverMpi", "cpu", Backend::mpi},
                                         Case{"CudaOverMpi", "cuda", Backend::mpi},
                                         Case{"CudaOverNccl", "cuda", Backend::nccl}),
                         [](const auto& instance) { return instance.param.name; });

// Four ranks of which a wrong order or a rounding in between gives another result.
TEST(SumBlocks, AddsPairwiseInFp32AndRoundsOnce) {
  const std::vector<float> ranks{256, 1, 1, 1};
  std::vector<std::uint16_t> blocks;
  for (const float value : ranks) blocks.push_back(narrow(value));
  std::uint16_t sum = 0;
  sum_blocks(blocks.data(), 4, 1, DType::bf16, 1, &sum);
  EXPECT_EQ(wide(sum), 260) << "259 lies between 258 and 260, a tie that goes to even";

  const std::vector<float> f32{1e8f, 1, -1e8f, 3};  // (1e8 + 1) + (-1e8 + 3), not one by one
  float total = 0;
  sum_blocks(f32.data(), 4, 1, DType::f32, 1, &total);
  EXPECT_EQ(total, (1e8f + 1.f) + (-1e8f + 3.f));
}

// All come, one never does.
TEST(Timeout, NamesTheCollectiveAndTheMissingRank) {
  if (test_world().size() == 1) GTEST_SKIP() << "one rank waits for nobody";
  const auto group = test_world().split(0);
  group->limit_waits(0.3);
  const auto end = test_world().split(0);
  if (group->rank() != group->size() - 1) {
    try {
      group->barrier("a name");
      ADD_FAILURE() << "the barrier ended without one rank";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::rank_failed);
      const std::string said = error.what();
      EXPECT_NE(said.find("'a name'"), std::string::npos) << said;
      EXPECT_NE(said.find("within 0.3 seconds: "), std::string::npos) << said;
      EXPECT_NE(said.find(fmt::format("rank {} on {} has not come to it", group->size() - 1,
                                      test_world().host())),
                std::string::npos)
          << said;
    }
    end->barrier("end");
  } else {
    end->barrier("end");
    group->barrier("a name");
  }
}

}  // namespace
}  // namespace convoy
