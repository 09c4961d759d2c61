// What `convoy inspect` says about records of collectives: which rank stands where.
#include <algorithm>
#include <map>

#include "core/error.h"
#include "dist/watch/collective_record.h"
#include "dist/watch/record_file.h"
#include "launcher/inspect.h"
#include "launcher/table.h"

namespace convoy {
namespace {

using record::Image;
using record::RankState;
using record::Slot;
using record::SlotState;

std::string state_of(const RecordFile& file) {
  const record::Header& header = file.image().header;
  switch (static_cast<RankState>(header.state.load())) {
    case RankState::ended:
      return "ended well";
    case RankState::failed:
      return fmt::format("ended with code {}", header.exit_code.load());
    case RankState::running:
      break;
  }
  return file.process_lives() ? "runs" : "gone without a word";
}

bool is_inside(const Slot& slot) {
  return slot.state != static_cast<std::uint64_t>(SlotState::left);
}

// The newest slot that `fits`. Sequences are compared, not counted on: a rank that was killed may
// have left a slot half written, whose sequence is 0.
template <typename Fits>
const Slot* newest(const Image& image, Fits fits) {
  const Slot* found = nullptr;
  for (const Slot& slot : image.slots) {
    if (slot.sequence != 0 && fits(slot) && (found == nullptr || slot.sequence > found->sequence))
      found = &slot;
  }
  return found;
}

// The one that the rank stands in, if it stands in one; else the last that it came to.
const Slot* latest(const Image& image) {
  const Slot* found = newest(image, [](const Slot& slot) {
    return slot.state == static_cast<std::uint64_t>(SlotState::given_up);
  });
  if (found == nullptr) found = slot_of(image, standing_of(image).waits_in.sequence);
  return found != nullptr ? found : newest(image, [](const Slot&) { return true; });
}

const Slot* last_left(const Image& image) {
  return newest(image, [](const Slot& slot) { return !is_inside(slot); });
}

std::string name_of(const Image& image, const Slot* slot) {
  if (slot == nullptr) return "-";
  const std::string ranks = group_ranks(image, slot->group);
  return fmt::format("{} {}{}", slot->number.load(), slot->name.load(),
                     ranks.empty() ? "" : ", " + ranks);
}

// Seconds between a collective and the newest time of any record, which is about when the job
// ended.
std::string age(std::uint64_t then, std::uint64_t newest) {
  return fmt::format("{:.1f}", newest > then ? 1e-9 * static_cast<double>(newest - then) : 0.0);
}

std::uint64_t newest_time(const RecordSet& set) {
  std::uint64_t newest = 0;
  for (const RecordFile& file : set.ranks)
    for (const Slot& slot : file.image().slots)
      newest = std::max({newest, slot.entered_ns.load(), slot.left_ns.load()});
  return newest;
}

// For each group in which ranks are not equally far: who has not come to what others came to.
std::string laggards(const RecordSet& set) {
  struct Far {
    std::uint64_t entered = 0;
    const Image* image = nullptr;
  };
  std::map<std::uint64_t, Far> furthest;
  const auto each = [&](const auto& use) {
    for (const RecordFile& file : set.ranks)
      for (const record::Group& group : file.image().header.groups)
        if (group.id != 0) use(file.image(), group);
  };
  each([&](const Image& image, const record::Group& group) {
    Far& far = furthest[group.id];
    if (group.entered > far.entered) far = {group.entered, &image};
  });
  std::map<std::uint64_t, std::vector<int>> behind;
  each([&](const Image& image, const record::Group& group) {
    if (group.entered < furthest[group.id].entered)
      behind[group.id].push_back(static_cast<int>(image.header.rank.load()));
  });
  std::string text;
  for (const auto& [id, ranks] : behind) {
    const auto& [entered, image] = furthest[id];
    text += fmt::format("{} {} not come to collective {} of {}\n", ranks_text(ranks),
                        ranks.size() == 1 ? "has" : "have", entered, group_ranks(*image, id));
  }
  return text;
}

}  // namespace

std::string inspect_collectives(const std::filesystem::path& folder) {
  const RecordSet set = read_records(folder);
  if (set.ranks.empty()) {
    fail(ExitCode::bad_data, "{}",
         set.problems.empty() ? folder.string() + " holds no records of collectives"
                              : set.problems.front());
  }
  const std::uint64_t newest = newest_time(set);
  TextTable table({{"rank"},
                   {"host", Align::left},
                   {"process"},
                   {"state", Align::left},
                   {"step"},
                   {"at", Align::left},
                   {"entered", Align::left},
                   {"bytes"},
                   {"s ago"},
                   {"inside", Align::left},
                   {"left last", Align::left}});
  for (const RecordFile& file : set.ranks) {
    const Image& image = file.image();
    const Slot* entered = latest(image);
    table.row({std::to_string(image.header.rank.load()), image.header.host.load(),
               std::to_string(image.header.process.load()), state_of(file),
               std::to_string(image.header.step.load()), place_of(image, image.header.place),
               name_of(image, entered), entered == nullptr ? "-" : std::to_string(entered->bytes),
               entered == nullptr ? "-" : age(entered->entered_ns, newest),
               entered == nullptr || !is_inside(*entered) ? "no" : "yes",
               name_of(image, last_left(image))});
  }
  std::string text = fmt::format(
      "Where the ranks stand, and the collectives that they came to\n\n{}", table.text());
  text += laggards(set);
  const std::uint64_t ranks = set.ranks.front().image().header.ranks;
  if (set.ranks.size() < ranks)
    text += fmt::format("{} of {} ranks left no record here\n", ranks - set.ranks.size(), ranks);
  for (const std::string& problem : set.problems) text += problem + '\n';
  return text;
}

bool ended_well(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder)) return true;
  const RecordSet set = read_records(folder);
  return set.problems.empty() && std::ranges::all_of(set.ranks, [](const RecordFile& file) {
           return file.image().header.state == static_cast<std::uint64_t>(RankState::ended);
         });
}

}  // namespace convoy
