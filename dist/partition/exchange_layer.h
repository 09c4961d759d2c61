// What exchange layers share, and those that move images.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "dist/partition/exchange.h"

namespace convoy {

// Where an exchange layer works.
struct ExchangePlace {
  Device& device;
  Communicator& towers;
  const Turn& turn;
  ExposedTime& exposed;
};

class ExchangeLayer : public Layer {
 public:
  ExchangeLayer(const ExchangePlan& plan, const ExchangePlace& place)
      : plan_(plan), place_(place), name_("exchange-" + plan.before) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] Shape output() const override { return plan_.whole; }
  [[nodiscard]] std::int64_t exchange_bytes(bool backward) const override {
    return backward ? plan_.backward_bytes() : plan_.forward_bytes();
  }

 protected:
  // Runs what waits for other ranks.
  template <typename F>
  void waiting(const F& collective) {
    const auto start = std::chrono::steady_clock::now();
    collective();
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - start;
    place_.exposed.add(passed.count());
  }

  ExchangePlan plan_;
  ExchangePlace place_;
  std::string name_;
};

// Between batch and replicated, both ways.
[[nodiscard]] std::unique_ptr<Layer> make_image_exchange(const ExchangePlan& plan,
                                                         const ExchangePlace& place);

}  // namespace convoy
