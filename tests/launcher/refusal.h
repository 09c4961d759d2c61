// Catches an Error and gives its sentence, for tests that compare sentences.
#pragma once

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

namespace convoy {

// The sentence that `work` refuses with; a failed expectation where it does not, or where the exit
// code is another one.
inline std::string refusal(const std::function<void()>& work, ExitCode code = ExitCode::usage) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

}  // namespace convoy
