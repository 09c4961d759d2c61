// Runs copies and the input transformation of a recipe.
#include "dist/step/input_feed.h"

#include <algorithm>

#include "core/ops/operations.h"
#include "dist/step/input_spec.h"

namespace convoy {

InputFeed::InputFeed(Session& session, const PreprocessOptions& options,
                     const std::vector<float>& mean_image, std::int64_t mean_size)
    : device_(session.device()),
      shape_{session.slice().size(), session.net().input.h, session.net().input.w, 3},
      copies_(device_.make_stream()) {
  PrepareInputSpec spec = input_spec(options, mean_image, mean_size);
  spec.images = shape_.n;
  spec.size = shape_.h;
  spec.form = session.network().input_form();
  plain_ = device_.operations().prepare_input(spec);
  noisy_ = device_.operations().prepare_input(with_noise(spec, options));

  mean_ = device_.allocate(mean_image.size() * sizeof(float));
  device_.copy_to_device(mean_.data(), mean_image.data(), mean_.bytes(), *copies_);
  copies_->synchronize();
  if (device_.host_addressable()) return;
  const auto images = static_cast<std::size_t>(shape_.n);
  for (Slot& slot : slots_) {
    slot.crops = device_.allocate(static_cast<std::size_t>(shape_.count()));
    slot.records = device_.allocate(images * sizeof(CropRecord));
    slot.labels = device_.allocate(images * sizeof(std::int32_t));
    slot.host_records = device_.allocate_host(slot.records.bytes());
    slot.host_labels = device_.allocate_host(slot.labels.bytes());
    slot.uploaded = device_.make_event();
    slot.used = device_.make_event();
  }
}

void InputFeed::upload(const Batch& batch) {
  if (device_.host_addressable()) {
    current_ = {const_cast<std::uint8_t*>(batch.crops), batch.records.data(),
                const_cast<std::int32_t*>(batch.labels)};
    return;
  }
  turn_ = 1 - turn_;
  Slot& slot = slots_[turn_];
  slot.used->wait_on(*copies_);
  slot.uploaded->synchronize();  // the host's copies of records and labels are free again
  std::ranges::copy(batch.records, static_cast<CropRecord*>(slot.host_records.data()));
  std::copy_n(batch.labels, shape_.n, static_cast<std::int32_t*>(slot.host_labels.data()));
  device_.copy_to_device(slot.crops.data(), batch.crops, slot.crops.bytes(), *copies_);
  device_.copy_to_device(slot.records.data(), slot.host_records.data(), slot.records.bytes(),
                         *copies_);
  device_.copy_to_device(slot.labels.data(), slot.host_labels.data(), slot.labels.bytes(),
                         *copies_);
  slot.uploaded->record(*copies_);
  current_ = {slot.crops.data(), static_cast<const CropRecord*>(slot.records.data()),
              slot.labels.data()};
}

void InputFeed::release() {
  if (!device_.host_addressable()) slots_[turn_].uploaded->synchronize();
}

void InputFeed::await(Stream& stream) {
  if (!device_.host_addressable()) slots_[turn_].uploaded->wait_on(stream);
}

void InputFeed::load(bool noise, const OpContext& op, const Tensor& x) {
  PrepareInputOp& prepare = noise ? *noisy_ : *plain_;
  prepare.apply(op, {current_.crops, shape_, DType::u8}, current_.records,
                static_cast<const float*>(mean_.data()), x);
}

Tensor InputFeed::labels() const { return {current_.labels, {shape_.n, 1, 1, 1}, DType::i32}; }

void InputFeed::done(Stream& stream) {
  if (!device_.host_addressable()) slots_[turn_].used->record(stream);
}

}  // namespace convoy
