// Self-contained HTML pages: a report's data with the style and the drawing code that the build
// embedded, so that a page needs no network and no other file.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace convoy {

// `title` as plain text; `kind` is compare, plan or curves, which names the page's own script.
[[nodiscard]] std::string html_page(const std::string& title, const std::string& kind,
                                    const nlohmann::ordered_json& data);

}  // namespace convoy
