// Fully connected layers against a plain double-precision loop, and sums that must not depend on
// threads, on which neurons are here, or on how replicas share the images.
#include <algorithm>
#include <mutex>
#include <set>

#include "core/error.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(FullyConnected);
CONVOY_CPU_OP_TEST(FullyConnectedSums);  // of the CPU's own kernels

TEST_P(FullyConnected, MatchesDoublePrecision) {
  for (const FullyConnectedSpec& spec :
       {FullyConnectedSpec{1, 1, 1, false}, FullyConnectedSpec{3, 17, 10, true},
        FullyConnectedSpec{13, 33, 29, true}, FullyConnectedSpec{8, 256, 1030, false},
        FullyConnectedSpec{5, 1152, 64, true}, FullyConnectedSpec{3, 2100, 513, true},
        FullyConnectedSpec{70, 257, 49, true}, FullyConnectedSpec{12, 45, 31, false, 2},
        FullyConnectedSpec{8, 100, 50, true, 8}, FullyConnectedSpec{32, 19, 97, false, 16}}) {
    const auto op = ops().fully_connected(spec);
    const auto context = this->context(op->workspace_bytes());
    const auto n = static_cast<std::size_t>(spec.images), in = static_cast<std::size_t>(spec.in),
               out = static_cast<std::size_t>(spec.out);
    const Shape xs{spec.images, 1, 1, spec.in}, ys{spec.images, 1, 1, spec.out};
    const Shape ws{spec.out, 1, 1, spec.in}, bs{spec.out, 1, 1, 1};
    const auto x = random(xs), w = random(ws), b = random(bs), dy = random(ys);
    Doubles y(n * out), dx(n * in), dw(out * in), db(out);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t o = 0; o < out; ++o) {
        double sum = b[o];
        for (std::size_t j = 0; j < in; ++j) {
          sum += double{x[i * in + j]} * w[o * in + j];
          dx[i * in + j] += double{dy[i * out + o]} * w[o * in + j];
          dw[o * in + j] += double{dy[i * out + o]} * x[i * in + j];
        }
        y[i * out + o] = spec.relu ? std::max(0.0, sum) : sum;
        db[o] += dy[i * out + o];
      }
    const Tensor xt = upload(xs, x), wt = upload(ws, w), bt = upload(bs, b), dyt = upload(ys, dy);
    const Tensor yt = unset(ys), dxt = unset(xs), dwt = unset(ws), dbt = unset(bs);
    op->forward(context, xt, wt, bt, yt);
    op->backward_data(context, dyt, wt, dxt, nullptr);
    op->backward_weights(context, xt, dyt, dwt, dbt);
    expect_close(download(yt), y, 2e-6);
    expect_close(download(dxt), dx, 2e-6);
    const Tensor masked = unset(xs);
    op->backward_data(context, dyt, wt, masked, &xt);
    ops().relu()->backward(context, xt, dxt);
    EXPECT_EQ(download(masked), download(dxt));
    expect_close(download(dwt), dw, 2e-6);
    expect_close(download(dbt), db, 2e-6);
  }
}

using Floats = std::vector<float>;

struct Results {
  Floats y, dx, dw, db;
  friend bool operator==(const Results&, const Results&) = default;
};

// Keeps what it is told.
struct Sink : GradientSink {
  [[nodiscard]] bool stores() const override { return stored; }
  void expect(const GradientBlock& block) override {
    const std::scoped_lock lock(mutex);
    for_rows(block, [&](std::int64_t at, std::int64_t) { expected.insert(at); });
  }
  void finished(const GradientBlock& block, const float* values, std::int64_t row) override {
    const std::scoped_lock lock(mutex);
    for_rows(block, [&](std::int64_t at, std::int64_t r) {
      told.push_back({at, at + block.count});
      expected.erase(at);
      std::copy_n(values + r * row, block.count, seen + at);
    });
  }
  template <typename Body>
  void for_rows(const GradientBlock& block, const Body& body) const {
    for (std::int64_t r = 0; r < block.rows; ++r) body(block.first - begin + r * block.row, r);
  }
  std::mutex mutex;
  bool stored = true;
  const float* begin = nullptr;
  float* seen = nullptr;
  std::set<std::int64_t> expected;
  std::vector<Range> told;
};

// All passes on a device of its own; `ranges` gets what the sink is told.
Results run(const DeviceCase& device_case, int threads, const FullyConnectedSpec& spec,
            const Floats& x, const Floats& w, const Floats& b, const Floats& dy,
            std::vector<Range>* ranges = nullptr) {
  Sink sink;
  const auto device = device_case.make(threads);
  const auto stream = device->make_stream();
  const auto op = device->operations().fully_connected(spec);
  const Buffer workspace = device->allocate(op->workspace_bytes());
  const OpContext context{*stream, workspace.data()};
  const auto tensor = [](const Floats& v, std::int64_t rows) {
    const auto columns = static_cast<std::int64_t>(v.size()) / rows;
    return Tensor{const_cast<float*>(v.data()), {rows, 1, 1, columns}, DType::f32};
  };
  Results r{Floats(dy.size()), Floats(x.size()), Floats(w.size()), Floats(b.size())};
  op->forward(context, tensor(x, spec.images), tensor(w, spec.out), tensor(b, spec.out),
              tensor(r.y, spec.images));
  op->backward_data(context, tensor(dy, spec.images), tensor(w, spec.out),
                    tensor(r.dx, spec.images), nullptr);
  Floats seen(w.size());
  sink.begin = r.dw.data();
  sink.seen = seen.data();
  op->backward_weights(context, tensor(x, spec.images), tensor(dy, spec.images),
                       tensor(r.dw, spec.out), tensor(r.db, spec.out),
                       ranges == nullptr ? nullptr : &sink);
  if (ranges == nullptr) return r;
  EXPECT_EQ(seen, r.dw) << "gradients changed after they were called final";
  EXPECT_TRUE(sink.expected.empty()) << "gradients were expected and did not come";
  sink.told.clear();
  sink.stored = false;
  std::ranges::fill(seen, 0.0f);
  op->backward_weights(context, tensor(x, spec.images), tensor(dy, spec.images),
                       tensor(r.dw, spec.out), tensor(r.db, spec.out), &sink);
  EXPECT_EQ(seen, r.dw) << "gradients depend on whether they are stored";
  *ranges = sink.told;
  return r;
}

// Columns [begin, end) of every row of [rows][all].
Floats columns(const Floats& v, std::size_t rows, std::size_t begin, std::size_t end) {
  Floats part;
  const std::size_t all = v.size() / rows;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t i = begin; i < end; ++i) part.push_back(v[r * all + i]);
  return part;
}

Floats slice(const Floats& v, std::size_t begin, std::size_t end) {
  return {v.begin() + static_cast<std::ptrdiff_t>(begin),
          v.begin() + static_cast<std::ptrdiff_t>(end)};
}

TEST_P(FullyConnectedSums, SumsDoNotDependOnThreads) {
  for (const FullyConnectedSpec& spec :
       {FullyConnectedSpec{6, 700, 410, true, 2}, FullyConnectedSpec{40, 2090, 101, false, 8}}) {
    const auto x = random({spec.images, 1, 1, spec.in}), w = random({spec.out, 1, 1, spec.in});
    const auto b = random({spec.out, 1, 1, 1}), dy = random({spec.images, 1, 1, spec.out});
    const Results one = run(GetParam(), 1, spec, x, w, b, dy);
    EXPECT_TRUE(run(GetParam(), 2, spec, x, w, b, dy) == one);
    EXPECT_TRUE(run(GetParam(), 3, spec, x, w, b, dy) == one);
  }
}

TEST_P(FullyConnectedSums, SumsDoNotDependOnWhichNeuronsAreHere) {
  const FullyConnectedSpec spec{7, 600, 130, true};
  const auto x = random({7, 1, 1, 600}), w = random({130, 1, 1, 600});
  const auto b = random({130, 1, 1, 1}), dy = random({7, 1, 1, 130});
  const Results whole = run(GetParam(), 2, spec, x, w, b, dy);
  for (const auto& [begin, end] : {std::pair{0u, 65u}, std::pair{65u, 130u}, std::pair{17u, 20u}}) {
    const Results part =
        run(GetParam(), 2, {7, 600, end - begin, true}, x, slice(w, begin * 600, end * 600),
            slice(b, begin, end), columns(dy, 7, begin, end));
    EXPECT_EQ(part.y, columns(whole.y, 7, begin, end));
    EXPECT_EQ(part.dw, slice(whole.dw, begin * 600, end * 600));
    EXPECT_EQ(part.db, slice(whole.db, begin, end));
  }
}

TEST_P(FullyConnectedSums, ReplicasSumAsOneRankDoes) {
  const auto x = random({16, 1, 1, 150}), w = random({60, 1, 1, 150});
  const auto b = random({60, 1, 1, 1}), dy = random({16, 1, 1, 60});
  for (const std::int64_t parts : {2, 4, 8, 16}) {
    const Results whole = run(GetParam(), 2, {16, 150, 60, true, parts}, x, w, b, dy);
    const FullyConnectedSpec half{8, 150, 60, true, parts / 2};
    const auto rank = [&](std::size_t first) {
      return run(GetParam(), 2, half, slice(x, first * 150, (first + 8) * 150), w, b,
                 slice(dy, first * 60, (first + 8) * 60));
    };
    Results sum = rank(0);
    const Results second = rank(8);
    for (std::size_t i = 0; i < sum.dw.size(); ++i) sum.dw[i] += second.dw[i];
    for (std::size_t i = 0; i < sum.db.size(); ++i) sum.db[i] += second.db[i];
    EXPECT_EQ(sum.dw, whole.dw) << parts << " parts";
    EXPECT_EQ(sum.db, whole.db) << parts << " parts";
    EXPECT_EQ(sum.y, slice(whole.y, 0, 8 * 60));
    EXPECT_EQ(sum.dx, slice(whole.dx, 0, 8 * 150));
  }
}

TEST_P(FullyConnectedSums, TellsOfEveryGradientOnce) {
  for (const FullyConnectedSpec& spec :
       {FullyConnectedSpec{2, 4100, 100, true}, FullyConnectedSpec{4, 13, 7, false, 2}}) {
    const auto x = random({spec.images, 1, 1, spec.in}), w = random({spec.out, 1, 1, spec.in});
    const auto b = random({spec.out, 1, 1, 1}), dy = random({spec.images, 1, 1, spec.out});
    std::vector<Range> ranges;
    run(GetParam(), 3, spec, x, w, b, dy, &ranges);
    std::ranges::sort(ranges, {}, &Range::begin);
    std::int64_t told = 0;
    for (const Range& range : ranges) {
      EXPECT_EQ(range.begin, told);
      told = range.end;
    }
    EXPECT_EQ(told, spec.in * spec.out);
  }
}

TEST_P(FullyConnected, RefusesPartsThatDoNotDivide) {
  EXPECT_THROW(ops().fully_connected({6, 4, 4, false, 4}), Error);
  EXPECT_THROW(ops().fully_connected({6, 4, 4, false, 3}), Error);
  EXPECT_THROW(ops().fully_connected({6, 4, 4, false, 0}), Error);
}

}  // namespace
}  // namespace convoy
