// A window of pieces on their way at each rank, and their hand-over to the writing thread.
#include "dist/checkpoint/checkpointer.h"

#include <algorithm>
#include <utility>

namespace convoy {

Checkpointer::Checkpointer(Session& session, const Solver& solver)
    : session_(session),
      snapshot_(session.everyone(), session.device(), session.network(), solver),
      messages_(session.world().messages()) {
  std::size_t largest = 0;
  for (std::size_t i = 0; i < snapshot_.pieces().size(); ++i) {
    const Snapshot::Piece& piece = snapshot_.pieces()[i];
    const bool travels = piece.rank != 0;
    if (!travels || !(session.leader() || piece.rank == session.world().rank())) continue;
    travelling_.push_back(i);
    largest = std::max(largest, piece.bytes);
  }
  next_ = travelling_.size();
  if (!session.leader() || travelling_.empty()) return;
  for (Slot& slot : slots_) slot.memory = session.device().allocate_host(largest);
}

void Checkpointer::begin(const std::filesystem::path& path, const CheckpointInfo& info,
                         std::function<void()> before_name) {
  snapshot_.take(session_.stream());
  next_ = 0;
  if (session_.leader()) {
    file_ = std::make_unique<BackgroundCheckpoint>(path, info, snapshot_.tensors(),
                                                   std::move(before_name));
    for (const Snapshot::Piece& piece : snapshot_.pieces()) {
      if (piece.values != nullptr) file_->write(piece.tensor, piece.rows, piece.values);
    }
    if (travelling_.empty()) file_->finish();
    receive_more();
  } else {
    send_more();
  }
}

bool Checkpointer::progress() {
  if (!session_.leader()) {
    send_more();
    return false;
  }
  if (!file_) return false;
  receive_more();
  if (!file_->done()) return false;
  file_.reset();
  return true;
}

void Checkpointer::send_more() {
  while (!sent_.empty() && sent_.front()->test()) sent_.pop_front();
  for (; next_ < travelling_.size() && sent_.size() < kSlots; ++next_) {
    const Snapshot::Piece& piece = snapshot_.pieces()[travelling_[next_]];
    sent_.push_back(messages_->send(piece.values, piece.bytes, 0));
  }
}

void Checkpointer::receive_more() {
  bool all_given = next_ == travelling_.size();
  for (Slot& slot : slots_) {
    const auto piece = [&]() -> const Snapshot::Piece& { return snapshot_.pieces()[slot.piece]; };
    if (slot.use == Slot::Use::arriving && slot.message->test()) {
      slot.use = Slot::Use::writing;
      slot.written = false;
      file_->write(piece().tensor, piece().rows, static_cast<const float*>(slot.memory.data()),
                   &slot.written);
    }
    if (slot.use == Slot::Use::writing && slot.written) slot.use = Slot::Use::free;
    if (slot.use == Slot::Use::free && next_ < travelling_.size()) {
      slot.piece = travelling_[next_++];
      slot.message = messages_->receive(slot.memory.data(), piece().bytes, piece().rank);
      slot.use = Slot::Use::arriving;
    }
    all_given = all_given && slot.use != Slot::Use::arriving;
  }
  if (all_given && !travelling_.empty()) file_->finish();
}

bool Checkpointer::busy() const {
  return file_ != nullptr || !sent_.empty() || (!session_.leader() && next_ < travelling_.size());
}

std::size_t Checkpointer::memory_bytes() const {
  std::size_t bytes = snapshot_.bytes();
  for (const Slot& slot : slots_) bytes += slot.memory.bytes();
  return bytes;
}

}  // namespace convoy
