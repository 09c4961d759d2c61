// The files of launcher/page, embedded by the build (page_parts.cpp.in).
#pragma once

#include <string_view>

namespace convoy {

extern const std::string_view kPageHtml;
extern const std::string_view kPageStyle;
extern const std::string_view kPageCharts;   // draws SVG
extern const std::string_view kPageCompare;  // builds the page of `convoy compare`
extern const std::string_view kPagePlan;     // builds the page of `convoy plan`
extern const std::string_view kPageCurves;   // builds the page of `convoy show curves`

}  // namespace convoy
