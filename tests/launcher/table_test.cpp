// Alignment, numbers and line breaks, character by character.
#include "launcher/table.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(TextTable, AlignsColumnsAndTrimsLineEnds) {
  TextTable table({{"layer", Align::left}, {"values"}, {"note", Align::left}});
  table.row({"conv1", "34,944", "a"});
  table.row({"fc8", "7"});
  table.rule();
  table.row({"sum", "34,951", "longer"});
  EXPECT_EQ(table.text(),
            "layer  values  note\n"
            "---------------------\n"
            "conv1  34,944  a\n"
            "fc8         7\n"
            "---------------------\n"
            "sum    34,951  longer\n");
}

TEST(TextTable, CountsCharactersNotBytes) {
  TextTable table({{"class", Align::left}, {"n"}});
  table.row({"größe", "1"});
  table.row({"grosse", "2"});
  EXPECT_EQ(table.text(),
            "class   n\n"
            "---------\n"
            "größe   1\n"
            "grosse  2\n");
}

TEST(TextTable, RefusesMoreCellsThanColumns) {
  TextTable table({{"one"}});
  EXPECT_THROW(table.row({"1", "2"}), std::out_of_range);
}

TEST(Numbers, AreWrittenForPeople) {
  EXPECT_EQ(thousands(0), "0");
  EXPECT_EQ(thousands(999), "999");
  EXPECT_EQ(thousands(1000), "1,000");
  EXPECT_EQ(thousands(60965224), "60,965,224");
  EXPECT_EQ(thousands(-100), "-100");
  EXPECT_EQ(thousands(-123456), "-123,456");
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1000), "1.00 kB");
  EXPECT_EQ(bytes_text(12345), "12.3 kB");
  EXPECT_EQ(bytes_text(243860896), "244 MB");
  EXPECT_EQ(bytes_text(999999), "1.00 MB");
  EXPECT_EQ(percent(0.40664), "40.66 %");
}

TEST(Wrapped, BreaksAtSpacesBehindTheIndent) {
  EXPECT_EQ(wrapped("one two three", 0, 7), "one two\nthree");
  EXPECT_EQ(wrapped("one two three", 2, 7), "one\n  two\n  three");
  EXPECT_EQ(wrapped("unbreakable", 0, 4), "unbreakable");
  EXPECT_EQ(wrapped("", 0, 4), "");
}

}  // namespace
}  // namespace convoy
