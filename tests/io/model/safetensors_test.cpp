// Safetensors: the documented bytes, and files that lie.
#include "io/model/safetensors.h"

#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/files/temporary_folder.h"
#include "tests/io/model/small_net.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

std::string with_length(const std::string& header, const std::string& values) {
  std::string bytes(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + values;
}

OutgoingModel outgoing() {
  OutgoingModel model;
  model.net = build_alexnet(small_model());
  model.places = tensor_places(model.net, TensorNames::torch, false);
  model.metadata = {{"zwölf", "a\nb"}, {"b", ""}};
  model.values = [](const TensorPlace& place) {
    std::vector<float> values(static_cast<std::size_t>(place.shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(i) + static_cast<float>(place.name.size());
    return values;
  };
  return model;
}

class Safetensors : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& header, const std::string& values = "") const {
    return file_of_bytes(folder_.path() / "x.safetensors", with_length(header, values));
  }
  void refused(const std::string& header, const std::string& values,
               std::initializer_list<std::string> words) const {
    const std::filesystem::path path = file(header, values);
    SCOPED_TRACE(header);
    expect_error(ExitCode::bad_checkpoint, words,
                 [&] { static_cast<void>(open_safetensors(path)); });
  }
  TemporaryFolder folder_;
};

TEST_F(Safetensors, HasTheFormatsBytes) {
  const auto path = folder_.path() / "a.safetensors";
  write_safetensors(path, outgoing());
  const std::string bytes = bytes_of_file(path);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0u) << "values lie where a mapped file may be read as numbers";
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  EXPECT_EQ(header["__metadata__"]["zwölf"], "a\nb");
  EXPECT_EQ(header["conv1.weight"]["dtype"], "F32");
  EXPECT_EQ(header["conv1.weight"]["shape"], (std::vector<int>{16, 3, 5, 5}));
  EXPECT_EQ(header["conv1.weight"]["data_offsets"], (std::vector<int>{0, 4800}));
  EXPECT_EQ(header["conv1.bias"]["data_offsets"], (std::vector<int>{4800, 4864}));
  float second = 0;
  std::memcpy(&second, bytes.data() + 8 + length + 4, 4);
  EXPECT_EQ(second, 13);
}

TEST_F(Safetensors, ReadsBackWhatWasWritten) {
  const auto path = folder_.path() / "a.safetensors";
  const OutgoingModel model = outgoing();
  write_safetensors(path, model);
  const auto read = open_safetensors(path);
  EXPECT_EQ(read->metadata(), model.metadata);
  ASSERT_EQ(read->tensors().size(), model.places.size());
  for (std::size_t i = 0; i < model.places.size(); ++i) {
    EXPECT_EQ(read->tensors()[i].name, model.places[i].name);
    EXPECT_EQ(read->tensors()[i].extents, model.places[i].extents);
    EXPECT_EQ(read->read(i), model.values(model.places[i]));
  }
}

TEST_F(Safetensors, TensorsMayStandInAnyOrder) {
  const auto read =
      open_safetensors(file(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                            R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                            R"("none":{"dtype":"F32","shape":[0,3],"data_offsets":[8,8]}}   )",
                            std::string("\0\0\x80\x3f\0\0\0\x40", 8)));
  EXPECT_EQ(read->read(0), std::vector<float>{2});
  EXPECT_EQ(read->read(1), std::vector<float>{1});
  EXPECT_TRUE(read->read(2).empty());
}

TEST_F(Safetensors, LiesAboutSizesAndOffsetsAreRefused) {
  const std::string four(4, '\0');
  const auto one = [](const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  refused(one("[1]", "[0,8]"), four, {"x.safetensors", "'a' lies at 0 to 8 of 4 bytes"});
  refused(one("[1]", "[4,0]"), four, {"'a' lies at 4 to 0"});
  refused(one("[1]", "[0]"), four, {"'a' lies at 0 of 4 bytes"});
  refused(one("[1]", "[-4,0]"), four, {"'a' has no data_offsets of whole numbers"});
  refused(one("[1]", "[0,18446744073709551615]"), four, {"'a' lies at"});
  refused(one("[2]", "[0,4]"), four, {"'a' has the shape [2]"});
  refused(one("[4294967296,4294967296]", "[0,4]"), four, {"more than the file"});
  refused(one("[1.5]", "[0,4]"), four, {"'a' has no shape of whole numbers"});
  refused(one("[1]", "[0,4]"), four + four, {"8 bytes of values, and its header speaks of 4"});
  refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
          R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
          four, {"'b' overlaps another tensor or leaves a gap"});
  refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", four + four,
          {"'a' overlaps another tensor or leaves a gap"});
  refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
          R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
          four, {"the name 'a' stands twice"});
  refused(R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", four,
          {"'a' has values of type F16; Convoy takes F32"});
  refused(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", four, {"'a' has no dtype"});
  refused(R"({"a":3})", "", {"'a' is not described by an object"});
  refused(R"({"__metadata__":{"a":3}})", "", {"its metadata are not texts"});
  refused(R"({"__metadata__":[]})", "", {"its metadata are not an object"});
  refused("[1]", "", {"its header is not an object"});
  refused("{", "", {"its header is not JSON"});
  refused(std::string(100'000, '['), "", {"its header is not JSON"});
  refused("", "", {"its header is not JSON"});
  for (const std::uint64_t length :
       {std::uint64_t{3}, std::uint64_t{100'000'001}, ~std::uint64_t{0}}) {
    std::string bytes(10, '{');
    std::memcpy(bytes.data(), &length, 8);
    file_of_bytes(folder_.path() / "y.safetensors", bytes);
    expect_error(ExitCode::bad_checkpoint, {"its header would have", "and the file has 10"},
                 [&] { static_cast<void>(open_safetensors(folder_.path() / "y.safetensors")); });
  }
  expect_error(ExitCode::bad_checkpoint, {"none.safetensors cannot be read: No such file"},
               [&] { static_cast<void>(open_safetensors(folder_.path() / "none.safetensors")); });
  expect_error(ExitCode::bad_checkpoint, {"are not a file"},
               [&] { static_cast<void>(open_safetensors(folder_.path())); });
}

TEST_F(Safetensors, CutAndChangedFilesAreRefusedOrReadInsideThemselves) {
  const auto path = folder_.path() / "a.safetensors";
  write_safetensors(path, outgoing());
  const std::string whole = bytes_of_file(path);
  const auto header = static_cast<std::size_t>(whole.find('\0', 8));
  std::mt19937 random(7);
  for (int i = 0; i < 600; ++i) {
    std::string bytes = whole;
    if (i % 2 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      bytes[random() % header] = static_cast<char>(random());
    }
    file_of_bytes(path, bytes);
    try {
      const auto read = open_safetensors(path);
      EXPECT_EQ(bytes.size(), whole.size());
      for (std::size_t t = 0; t < read->tensors().size(); ++t) static_cast<void>(read->read(t));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_checkpoint);
    }
  }
}

TEST_F(Safetensors, ADiskThatIsFullLeavesNothing) {
  OutgoingModel model = outgoing();
  model.values = [](const TensorPlace&) -> std::vector<float> {
    throw Error(ExitCode::bad_checkpoint, "the values are not there");
  };
  const auto path = folder_.path() / "a.safetensors";
  EXPECT_THROW(write_safetensors(path, model), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  expect_error(
      ExitCode::resource, {"cannot write", "missing/a.safetensors.", ".partial: No such file"},
      [&] { write_safetensors(folder_.path() / "missing" / "a.safetensors", outgoing()); });
}

}  // namespace
}  // namespace convoy
