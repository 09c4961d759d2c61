// Pages hold all that they need, and no data can end their script.
#include "launcher/html_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HtmlPage, HasItsPartsAndNoAddress) {
  for (const char* kind : {"compare", "plan", "curves"}) {
    const std::string page = html_page("A & B <i>", kind, {{"kind", kind}});
    EXPECT_THAT(page, HasSubstr("<title>A &amp; B &lt;i&gt;</title>"));
    EXPECT_THAT(page, HasSubstr("prefers-color-scheme"));
    EXPECT_THAT(page, HasSubstr("function stackedBars"));
    EXPECT_THAT(page, HasSubstr(std::string("// The page of `convoy ") +
                                (std::string(kind) == "curves" ? "show curves" : kind)));
    for (const char* mark : {"@TITLE@", "@STYLE@", "@CHARTS@", "@SCRIPT@", "@DATA@",
                             "http:", "https:", "src=", "@import", "url("})
      EXPECT_THAT(page, Not(HasSubstr(mark)));
  }
}

TEST(HtmlPage, DataCannotEndTheScript) {
  const std::string page = html_page("t", "plan", {{"why", "</script><b>"}});
  EXPECT_THAT(page, HasSubstr(R"(<\/script><b>)"));
  EXPECT_THAT(page, Not(HasSubstr("</script><b>")));
}

}  // namespace
}  // namespace convoy
