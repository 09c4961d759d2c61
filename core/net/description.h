// A net as a person writes it down: one statement a line, or several with ';' between them.
//
//   input 224                 height and width of the crop; the first statement
//   towers 2                  optional, the second
//   conv 96 kernel 11 ...     [stride N] [pad N] [pad-end N] [groups N|towers] [relu] weights
//   lrn                       [size N] [alpha X] [divided] [beta X] [k X] [scope tower|all]
//   spatial-norm              [size N] [alpha X] [beta X] [k X]
//   pool kernel 3 stride 2    [round-up]
//   relu
//   dropout 0.5               [inverted] [number N]
//   fc 4096                   [relu] weights
//   fc classes                weights; the last statement
//
// `weights`: [std X|he] [bias X] or [uniform]. Every layer may end in `name NAME`. What is left out
// is as in spec.h, but: no ReLU, groups 1, pooling rounds down, LRN's scope is a tower. Layers
// without a name are numbered by the layers with weights: conv1, norm1, pool1, ... fc6, drop6.
#pragma once

#include <string>

#include "core/net/spec.h"

namespace convoy {

// The net that `text` describes with so many classes. Throws Error(usage) with one sentence that
// begins with `name` and the line (or, where the text is one line, the statement) at fault.
[[nodiscard]] NetSpec parse_net(const std::string& text, const std::string& name,
                                std::int64_t classes);

// The same description without comments in one line, as ModelOptions::net holds it.
[[nodiscard]] std::string one_line(const std::string& text);

}  // namespace convoy
