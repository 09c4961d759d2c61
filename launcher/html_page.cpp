// Puts the parts of a page together; the parts are files in launcher/page.
#include "launcher/html_page.h"

#include <string_view>

#include "launcher/page_parts.h"

namespace convoy {
namespace {

void replace(std::string& text, std::string_view mark, std::string_view value) {
  const std::size_t at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), value);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

// JSON within a script element must not end it.
std::string within_script(const std::string& json) {
  std::string out;
  for (const char c : json) {
    if (c == '/' && !out.empty() && out.back() == '<') out += '\\';
    out += c;
  }
  return out;
}

std::string_view script_of(std::string_view kind) {
  if (kind == "plan") return kPagePlan;
  return kind == "curves" ? kPageCurves : kPageCompare;
}

}  // namespace

std::string html_page(const std::string& title, const std::string& kind,
                      const nlohmann::ordered_json& data) {
  std::string page(kPageHtml);
  replace(page, "@TITLE@", escaped(title));
  replace(page, "@STYLE@", kPageStyle);
  replace(page, "@CHARTS@", kPageCharts);
  replace(page, "@SCRIPT@", script_of(kind));
  replace(
      page, "@DATA@",
      within_script(data.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)));
  return page;
}

}  // namespace convoy
