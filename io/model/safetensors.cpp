// Writes safetensors, and reads what was checked against the file's length first.
#include "io/model/safetensors.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/files/descriptor.h"
#include "io/files/durable.h"
#include "io/model/model_bytes.h"

namespace convoy {
namespace {

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers");

using Json = nlohmann::ordered_json;
constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kAlignment = 8;                // of the values, which readers map
constexpr std::uint64_t kLongestHeader = 100'000'000;  // that the format allows
constexpr const char* kMetadata = "__metadata__";

std::string header_of(const OutgoingModel& model) {
  Json json;
  if (!model.metadata.empty()) json[kMetadata] = model.metadata;
  std::uint64_t begin = 0;
  for (const TensorPlace& place : model.places) {
    const std::uint64_t end =
        begin + sizeof(float) * static_cast<std::uint64_t>(place.shape.count());
    json[place.name] = {{"dtype", "F32"}, {"shape", place.extents}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

struct Entry {
  StoredTensor tensor;
  std::uint64_t begin = 0;  // in the values
  std::uint64_t end = 0;
};

class SafetensorsFile : public ModelFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path) : bytes_(path) {
    const std::string text = read_header();
    const Json header = parse(text);
    if (!header.is_object()) damaged("its header is not an object");
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadata) {
        take_metadata(value);
      } else {
        entries_.push_back(entry(name, value));
      }
    }
    check_offsets();
    for (const Entry& entry : entries_) tensors_.push_back(entry.tensor);
  }

  const std::filesystem::path& path() const override { return bytes_.path(); }
  const std::vector<StoredTensor>& tensors() const override { return tensors_; }
  const Metadata& metadata() const override { return metadata_; }
  std::vector<float> read(std::size_t index) const override {
    const Entry& entry = entries_.at(index);
    std::vector<float> values((entry.end - entry.begin) / sizeof(float));
    bytes_.read(values_begin_ + entry.begin, entry.end - entry.begin, values.data());
    return values;
  }
  void require_net(const NetSpec&) const override {}  // names and shapes are all it says

 private:
  [[noreturn]] void damaged(const std::string& reason) const {
    fail(ExitCode::bad_checkpoint, "{} is not a whole safetensors file: {}", path().string(),
         reason);
  }

  std::string read_header() {
    std::uint64_t length = 0;
    if (bytes_.size() < kLengthBytes) damaged("it has fewer than 8 bytes");
    bytes_.read(0, kLengthBytes, &length);
    if (length > kLongestHeader || length > bytes_.size() - kLengthBytes) {
      damaged(fmt::format("its header would have {} bytes, and the file has {}", length,
                          bytes_.size()));
    }
    values_begin_ = kLengthBytes + length;
    std::string text(length, '\0');
    bytes_.read(kLengthBytes, length, text.data());
    return text;
  }

  // The library keeps the last of two values with one name without a word.
  Json parse(const std::string& text) const {
    std::set<std::string> names;
    const auto once = [&](int depth, Json::parse_event_t event, Json& parsed) {
      if (depth == 1 && event == Json::parse_event_t::key &&
          !names.insert(parsed.get<std::string>()).second) {
        damaged(fmt::format("the name '{}' stands twice", parsed.get<std::string>()));
      }
      return true;
    };
    try {
      return Json::parse(text, once);
    } catch (const Json::exception&) {
      damaged("its header is not JSON");
    }
  }

  void take_metadata(const Json& value) {
    if (!value.is_object()) damaged("its metadata are not an object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) damaged("its metadata are not texts");
      metadata_[key] = text.get<std::string>();
    }
  }

  // Throws where a number is negative, no number or missing.
  std::vector<std::uint64_t> numbers(const std::string& name, const Json& value,
                                     const char* key) const {
    std::vector<std::uint64_t> found;
    const auto member = value.find(key);
    bool right = member != value.end() && member->is_array();
    if (right) {
      for (const Json& number : *member) {
        right = right && number.is_number_unsigned();
        if (right) found.push_back(number.get<std::uint64_t>());
      }
    }
    if (!right) damaged(fmt::format("'{}' has no {} of whole numbers", name, key));
    return found;
  }

  Entry entry(const std::string& name, const Json& value) const {
    if (!value.is_object()) damaged(fmt::format("'{}' is not described by an object", name));
    const auto type = value.find("dtype");
    if (type == value.end() || !type->is_string()) damaged(fmt::format("'{}' has no dtype", name));
    if (*type != "F32") {
      fail(ExitCode::bad_checkpoint,
           "{}: '{}' has values of type {}; Convoy takes F32, so convert them first",
           path().string(), name, type->get<std::string>());
    }
    const std::vector<std::uint64_t> shape = numbers(name, value, "shape");
    const std::vector<std::uint64_t> offsets = numbers(name, value, "data_offsets");
    const std::uint64_t data = bytes_.size() - values_begin_;
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data) {
      damaged(fmt::format("'{}' lies at {} of {} bytes of values", name, fmt::join(offsets, " to "),
                          data));
    }
    Entry result{{name, {}}, offsets[0], offsets[1]};
    // Extents are multiplied only as far as the values in the file go.
    std::uint64_t count = 1;
    for (const std::uint64_t extent : shape) {
      if (extent != 0 && count > data / extent)
        damaged(fmt::format("'{}' has the shape [{}], more than the file", name,
                            fmt::join(shape, ", ")));
      count *= extent;
      result.tensor.extents.push_back(static_cast<std::int64_t>(extent));
    }
    if (count * sizeof(float) != offsets[1] - offsets[0]) {
      damaged(fmt::format("'{}' has the shape [{}] and {} bytes", name, fmt::join(shape, ", "),
                          offsets[1] - offsets[0]));
    }
    return result;
  }

  void check_offsets() const {
    std::vector<const Entry*> sorted;
    for (const Entry& entry : entries_) sorted.push_back(&entry);
    std::ranges::sort(sorted, [](const Entry* a, const Entry* b) {
      return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    std::uint64_t end = 0;
    for (const Entry* entry : sorted) {
      if (entry->begin != end)
        damaged(fmt::format("'{}' overlaps another tensor or leaves a gap", entry->tensor.name));
      end = entry->end;
    }
    if (end != bytes_.size() - values_begin_) {
      damaged(fmt::format("it has {} bytes of values, and its header speaks of {}",
                          bytes_.size() - values_begin_, end));
    }
  }

  ModelBytes bytes_;
  std::uint64_t values_begin_ = 0;
  std::vector<Entry> entries_;
  std::vector<StoredTensor> tensors_;
  Metadata metadata_;
};

}  // namespace

void write_safetensors(const std::filesystem::path& path, const OutgoingModel& model) {
  AsideFile aside(path);
  {
    const Descriptor file(uninterrupted([&] {
      return ::open(aside.partial().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }));
    const auto write = [&](const void* from, std::size_t bytes) {
      if (file.valid() && write_all(file, from, bytes)) return;
      fail(ExitCode::resource, "cannot write {}: {}", aside.partial().string(),
           std::strerror(errno));
    };
    const std::string header = header_of(model);
    const std::uint64_t length = header.size();
    write(&length, kLengthBytes);
    write(header.data(), header.size());
    for (const TensorPlace& place : model.places) {
      const std::vector<float> values = model.values(place);
      write(values.data(), values.size() * sizeof(float));
    }
  }
  aside.commit();
}

std::unique_ptr<ModelFile> open_safetensors(const std::filesystem::path& path) {
  return std::make_unique<SafetensorsFile>(path);
}

}  // namespace convoy
