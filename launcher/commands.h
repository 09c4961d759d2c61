// The subcommands of `convoy`, each made in a file of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "launcher/command.h"

namespace convoy {

[[nodiscard]] std::unique_ptr<Command> make_synth();
[[nodiscard]] std::unique_ptr<Command> make_pack();
[[nodiscard]] std::unique_ptr<Command> make_verify();
[[nodiscard]] std::unique_ptr<Command> make_index();
[[nodiscard]] std::unique_ptr<Command> make_inspect();
[[nodiscard]] std::unique_ptr<Command> make_train();
[[nodiscard]] std::unique_ptr<Command> make_eval();
[[nodiscard]] std::unique_ptr<Command> make_predict();
[[nodiscard]] std::unique_ptr<Command> make_show_filters();
[[nodiscard]] std::unique_ptr<Command> make_show_nearest();
[[nodiscard]] std::unique_ptr<Command> make_show_curves();
[[nodiscard]] std::unique_ptr<Command> make_show_trace();
[[nodiscard]] std::unique_ptr<Command> make_show_sample();
[[nodiscard]] std::unique_ptr<Command> make_export();
[[nodiscard]] std::unique_ptr<Command> make_import();
[[nodiscard]] std::unique_ptr<Command> make_bench();
[[nodiscard]] std::unique_ptr<Command> make_doctor();
[[nodiscard]] std::unique_ptr<Command> make_launch();

// All of them.
using Commands = std::vector<std::unique_ptr<Command>>;
[[nodiscard]] Commands make_commands();
[[nodiscard]] std::unique_ptr<Command> make_compare();
[[nodiscard]] std::unique_ptr<Command> make_plan();

}  // namespace convoy
