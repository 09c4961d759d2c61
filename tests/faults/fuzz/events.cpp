// Event files that a run cuts when it goes on: what stays is the beginning of the file, whole
// records alone, and stays when it is cut again; a process that goes on writes another file. The
// first byte says whether frames get their right checksums, so that what is in them is read, and at
// which step the file is cut; the second how long the number in its name is, which follows.
#include <algorithm>
#include <cstring>
#include <string>

#include "io/files/text_file.h"
#include "io/run/event_folder.h"
#include "io/run/event_names.h"
#include "io/run/record_file.h"
#include "tests/faults/fuzz/target.h"

namespace convoy {
namespace {

void require(bool sound) {
  if (!sound) std::abort();
}

// The same bytes, as frames for as long as their lengths allow.
std::string with_checksums(std::string bytes) {
  constexpr std::size_t head = 12;
  constexpr std::size_t tail = 4;
  for (std::size_t at = 0; bytes.size() - at >= head + tail;) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, sizeof(length));
    length %= bytes.size() - at - head - tail + 1;
    const std::string frame = framed(bytes.substr(at + head, length));
    bytes.replace(at, frame.size(), frame);
    at += frame.size();
  }
  return bytes;
}

void require_whole_records(const std::filesystem::path& file) {
  RecordReader reader(file);
  for (std::string record; reader.next(record);) {
  }
  require(reader.end() == std::filesystem::file_size(file));
}

}  // namespace
}  // namespace convoy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  namespace fs = std::filesystem;
  if (size < 2) return 0;
  const bool sound_frames = (data[0] & 1) != 0;
  const std::int64_t step = data[0] >> 1;
  const std::size_t name_size = std::min<std::size_t>(data[1] % 24, size - 2);
  std::string number(reinterpret_cast<const char*>(data + 2), name_size);
  for (char& digit : number)
    if (digit != '-') digit = static_cast<char>('0' + static_cast<unsigned char>(digit) % 16 % 10);
  std::string bytes(reinterpret_cast<const char*>(data + 2 + name_size), size - 2 - name_size);
  if (sound_frames) bytes = with_checksums(std::move(bytes));

  const fs::path folder = fuzz::scratch() / "events";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const fs::path file = folder / ("events.out.tfevents." + number + ".convoy");
  fuzz::write_file(fs::path("events") / file.filename(),
                   {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  fuzz::only_errors({}, [&] {
    cut_events(folder, step);
    if (!fs::exists(file)) return;
    const std::string kept = read_small_file(file, "event file");
    require(bytes.starts_with(kept));
    require_whole_records(file);
    cut_events(folder, step);
    require(fs::exists(file) && fs::file_size(file) == kept.size());

    const bool usual =
        number.size() == 10 && number < "9999999999" && number.find('-') == std::string::npos;
    EventFolder(folder, step).write(TrainMetrics{.step = step + 1});
    const auto files = event_files(folder);
    require(files.size() == 2);
    require(files.front() == file || !usual);
    cut_events(folder, step + 1);
    require(event_files(folder).size() == 2);
    cut_events(folder, 0);
  });
  return 0;
}
