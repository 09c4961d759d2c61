// A run that tests of dist/ train step by step, on images drawn from counted random numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.h"
#include "dist/step/input_feed.h"
#include "dist/step/session.h"
#include "dist/step/step_runner.h"
#include "tests/dist/small_job.h"

namespace convoy {

// Batch `number` as every strategy must see it, cut to a replica's slice.
class Images {
 public:
  Images(const Session& session, std::uint32_t number) : slice_(session.slice()) {
    const std::int64_t size = session.net().input.h;
    const RandomSource source(5, Purpose::synthetic);
    for (std::int64_t image = slice_.begin; image < slice_.end; ++image) {
      const auto place = static_cast<std::uint32_t>(image);
      for (std::int64_t i = 0; i < size * size * 3; ++i) {
        const auto word = source.block(number, place, static_cast<std::uint32_t>(i))[0];
        crops_.push_back(static_cast<std::uint8_t>(word >> 24));
      }
      const PhiloxBlock words = source.block(number, place, 1u << 30);
      labels_.push_back(static_cast<std::int32_t>(words[0] % 7));
      CropRecord record;
      record.mirror = static_cast<std::int32_t>(words[1] & 1);
      record.colour = {static_cast<float>(words[2] % 20), 0, -3};
      records_.push_back(record);
    }
  }
  [[nodiscard]] Batch batch() const { return {0, crops_.data(), labels_.data(), records_}; }

 private:
  Range slice_;
  std::vector<std::uint8_t> crops_;
  std::vector<std::int32_t> labels_;
  std::vector<CropRecord> records_;
};

// A session with what it takes to train it.
struct TrainingRun {
  TrainingRun(World& world, const JobOptions& job)
      : session(world, job),
        feed(session, job.preprocess,
             std::vector<float>(static_cast<std::size_t>(job.model.input * job.model.input * 3),
                                120.f),
             job.model.input),
        runner(session, job) {
    session.network().initialise(job.run.seed, session.stream());
  }
  double step(std::int64_t number) {
    const Images images(session, static_cast<std::uint32_t>(number));
    feed.upload(images.batch());
    runner.begin(feed, true, {number, 0, 1, 0});
    const LossSums sums = runner.finish().sums;
    return sums.loss / static_cast<double>(sums.images);
  }
  [[nodiscard]] std::vector<float> values() { return on_host(session.network().values()); }
  [[nodiscard]] std::vector<float> on_host(const Tensor& tensor) {
    std::vector<float> values(static_cast<std::size_t>(tensor.count()));
    session.device().copy_to_host(values.data(), tensor.data, tensor.bytes(), session.stream());
    session.stream().synchronize();
    return values;
  }
  Session session;
  InputFeed feed;
  StepRunner runner;
};

}  // namespace convoy
