// Stores to mapped memory, and what they say.
#include "dist/watch/collective_record.h"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <new>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "io/files/descriptor.h"
#include "io/files/durable.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using record::Image;
using record::RankState;
using record::Slot;
using record::SlotState;

constexpr auto relaxed = std::memory_order_relaxed;
// A reader that sees a new field of a slot also sees that its sequence is no longer the old one.
constexpr auto released = std::memory_order_release;
constexpr auto acquired = std::memory_order_acquire;
constexpr std::size_t kNoGroup = record::kGroups;

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

std::uint64_t place_word(Phase phase, std::uint64_t layer) {
  return static_cast<std::uint64_t>(phase) << 32 | layer;
}

template <typename State>
std::uint64_t word(State state) {
  return static_cast<std::uint64_t>(state);
}

// So that `inspect` does not mix them with this job's.
void remove_foreign(const fs::path& folder, int ranks) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    int rank = 0;
    if (!name.starts_with("rank-")) continue;
    const char* const end = name.data() + name.size();
    const auto read = std::from_chars(name.data() + 5, end, rank);
    if (read.ec == std::errc() && read.ptr == end && rank >= ranks) fs::remove(entry.path(), error);
  }
}

}  // namespace

CollectiveRecord::CollectiveRecord(int rank, int ranks, const std::string& host,
                                   std::uint64_t job) {
  void* memory =
      mmap(nullptr, sizeof(Image), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  image_ = static_cast<Image*>(memory);
  record::Header& header = image_->header;
  header.magic = record::kMagic;
  header.version = record::kVersion;
  header.bytes = sizeof(Image);
  header.job = job;
  header.rank = static_cast<std::uint64_t>(rank);
  header.ranks = static_cast<std::uint64_t>(ranks);
  header.process = static_cast<std::uint64_t>(getpid());
  header.state = word(RankState::running);
  header.host.store(host);
  header.boot.store(boot_of_host());
}

CollectiveRecord::~CollectiveRecord() { munmap(image_, sizeof(Image)); }

void CollectiveRecord::keep_in(const fs::path& folder) {
  const int rank = static_cast<int>(image_->header.rank);
  const fs::path path = record_path(folder, rank);
  create_folders(path.parent_path());
  if (rank == 0) remove_foreign(path.parent_path(), static_cast<int>(image_->header.ranks));
  AsideFile aside(path);
  const Descriptor file(
      open(aside.partial().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  const auto* bytes = reinterpret_cast<const char*>(image_);
  std::size_t done = 0;
  while (file.valid() && done < sizeof(Image)) {
    const ssize_t wrote = write(file.get(), bytes + done, sizeof(Image) - done);
    if (wrote < 0 && errno != EINTR) break;
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  // Takes the place of the memory at its address, which other threads read.
  if (done < sizeof(Image) || mmap(image_, sizeof(Image), PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_FIXED, file.get(), 0) == MAP_FAILED) {
    fail(ExitCode::resource, "the record of collectives {} cannot be written: {}", path.string(),
         std::strerror(errno));
  }
  aside.commit();
}

std::size_t CollectiveRecord::add_group(std::uint64_t id, const std::string& ranks) {
  for (std::size_t i = 0; i < record::kGroups; ++i) {
    record::Group& group = image_->header.groups[i];
    std::uint64_t free = 0;
    if (!group.id.compare_exchange_strong(free, id)) continue;
    group.entered.store(0, relaxed);
    group.left.store(0, relaxed);
    group.ranks.store(ranks);
    return i;
  }
  return kNoGroup;  // its collectives are recorded without a group's progress
}

void CollectiveRecord::remove_group(std::size_t group) {
  if (group < kNoGroup) image_->header.groups[group].id = 0;
}

std::uint64_t CollectiveRecord::enter(std::size_t group, std::uint64_t number,
                                      const std::string& name, std::int64_t bytes, double limit) {
  record::Header& header = image_->header;
  const std::uint64_t sequence = header.entered.fetch_add(1, relaxed) + 1;
  Slot& slot = image_->slots[sequence % record::kSlots];
  slot.sequence.store(0, relaxed);
  slot.state.store(word(SlotState::entered), released);
  slot.group.store(group < kNoGroup ? header.groups[group].id.load(relaxed) : 0, released);
  slot.number.store(number, released);
  slot.bytes.store(static_cast<std::uint64_t>(bytes), released);
  slot.entered_ns.store(now_ns(), released);
  slot.left_ns.store(0, released);
  slot.limit_ms.store(static_cast<std::uint64_t>(1000 * limit), released);
  slot.step.store(header.step.load(relaxed), released);
  slot.place.store(header.place.load(relaxed), released);
  slot.name.store(name);
  slot.sequence.store(sequence, released);
  if (group < kNoGroup) header.groups[group].entered.store(number, released);
  return sequence;
}

void CollectiveRecord::wait(std::uint64_t sequence, bool waits) {
  Slot& slot = image_->slots[sequence % record::kSlots];
  if (slot.sequence.load(relaxed) == sequence)
    slot.state.store(word(waits ? SlotState::waits : SlotState::entered), relaxed);
}

void CollectiveRecord::leave(std::uint64_t sequence, std::size_t group, std::uint64_t number) {
  Slot& slot = image_->slots[sequence % record::kSlots];
  if (slot.sequence.load(relaxed) == sequence) {
    slot.left_ns.store(now_ns(), relaxed);
    slot.state.store(word(SlotState::left), relaxed);
  }
  if (group == kNoGroup) return;
  record::Word& left = image_->header.groups[group].left;
  if (left.load(relaxed) < number) left.store(number, released);
}

void CollectiveRecord::give_up(std::uint64_t sequence) {
  Slot& slot = image_->slots[sequence % record::kSlots];
  if (slot.sequence.load(relaxed) == sequence) slot.state.store(word(SlotState::given_up), relaxed);
}

void CollectiveRecord::name_layers(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < record::kLayers; ++i)
    image_->header.layers[i].store(i < names.size() ? names[i] : "");
}

void CollectiveRecord::set_step(std::int64_t step) {
  image_->header.step.store(static_cast<std::uint64_t>(step), relaxed);
}

void CollectiveRecord::set_place(Phase phase) {
  image_->header.place.store(place_word(phase, 0), relaxed);
}

void CollectiveRecord::set_place(Phase phase, std::size_t layer) {
  image_->header.place.store(place_word(phase, layer + 1), relaxed);
}

void CollectiveRecord::end(int exit_code) {
  image_->header.exit_code.store(static_cast<std::uint64_t>(exit_code), relaxed);
  image_->header.state.store(word(exit_code == 0 ? RankState::ended : RankState::failed), relaxed);
}

Standing CollectiveRecord::standing() const { return standing_of(*image_); }

Standing standing_of(const Image& image) {
  const record::Header& header = image.header;
  Standing standing;
  standing.rank = static_cast<int>(header.rank.load(relaxed));
  standing.host = header.host.load();
  standing.step = static_cast<std::int64_t>(header.step.load(relaxed));
  standing.place = place_of(image, header.place.load(relaxed));
  for (const record::Group& group : header.groups) {
    // `left` first: a collective is never left before it is entered.
    const std::uint64_t left = group.left.load(acquired);
    const std::uint64_t id = group.id.load(relaxed);
    if (id != 0) standing.groups.push_back({id, group.entered.load(relaxed), left});
  }
  for (const Slot& slot : image.slots) {
    const std::uint64_t sequence = slot.sequence.load(acquired);
    AwaitedCollective& oldest = standing.waits_in;
    if (sequence == 0 || slot.state.load(relaxed) != word(SlotState::waits) ||
        (oldest.sequence != 0 && oldest.sequence < sequence))
      continue;
    const std::uint64_t group = slot.group.load(acquired);
    AwaitedCollective found{sequence,
                            group,
                            slot.number.load(acquired),
                            static_cast<std::int64_t>(slot.bytes.load(acquired)),
                            1e-3 * static_cast<double>(slot.limit_ms.load(acquired)),
                            slot.name.load(),
                            group_ranks(image, group)};
    if (slot.sequence.load(relaxed) == sequence) oldest = std::move(found);
  }
  return standing;
}

std::string place_of(const Image& image, std::uint64_t place) {
  const std::uint64_t layer = place & 0xffffffff;
  return place_text(static_cast<Phase>(place >> 32), layer == 0 || layer > record::kLayers
                                                         ? ""
                                                         : image.header.layers[layer - 1].load());
}

std::string group_ranks(const Image& image, std::uint64_t group) {
  for (const record::Group& known : image.header.groups)
    if (group != 0 && known.id.load(relaxed) == group) return known.ranks.load();
  return {};
}

const Slot* slot_of(const Image& image, std::uint64_t sequence) {
  const Slot& slot = image.slots[sequence % record::kSlots];
  return sequence != 0 && slot.sequence.load(relaxed) == sequence ? &slot : nullptr;
}

fs::path record_path(const fs::path& run, int rank) {
  return run / "collectives" / fmt::format("rank-{}", rank);
}

std::string boot_of_host() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string boot;
  return std::getline(in, boot) ? boot : "?";
}

}  // namespace convoy
