// Class lists in text files, and lists that no dataset could have.
#include "io/dataset/class_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

using testing::ElementsAre;

TEST(ClassList, HoldsNamesAndWords) {
  const TemporaryFolder folder;
  const std::filesystem::path list = folder.path() / "list.txt";
  write_text(list, "n1 tench, Tinca\ttinca\r\n\n  crème\n");
  EXPECT_THAT(read_class_list(list),
              ElementsAre(ClassInfo{"n1", "tench, Tinca\ttinca"}, ClassInfo{"crème", ""}));
  write_text(list, "\n\n");
  expect_error(ExitCode::bad_data, {"list.txt is empty"},
               [&] { static_cast<void>(read_class_list(list)); });
  write_text(list, "a\nb\na\n");
  expect_error(ExitCode::bad_data, {"list.txt has the class a twice"},
               [&] { static_cast<void>(read_class_list(list)); });
  write_text(list, "a\nb \x1b[31mred\n");
  expect_error(ExitCode::bad_data, {"list.txt has control characters in the class b"},
               [&] { static_cast<void>(read_class_list(list)); });
}

TEST(ClassList, FromElsewhereIsHeldToTheSame) {
  const auto refused = [](const std::vector<ClassInfo>& classes, const std::string& words) {
    expect_error(ExitCode::bad_data, {"the class list x.safetensors " + words},
                 [&] { require_class_list(classes, "x.safetensors"); });
  };
  EXPECT_NO_THROW(require_class_list({}, "x"));
  EXPECT_NO_THROW(require_class_list({{"a b", "words"}, {"b", ""}}, "x"));
  refused({{"a", ""}, {"", "words"}}, "has no name for class 1, counted from 0");
  refused({{"a\nb", ""}}, "has control characters in the class a");
  refused({{"a", "b\rc"}}, "has control characters in the class a");
  refused({{"a", "1"}, {"a", "2"}}, "has the class a twice");
}

TEST(ClassList, OutputsBeyondItHavePlainNames) {
  std::vector<ClassInfo> classes{{"a", "words"}, {"b", ""}};
  name_outputs(classes, 2);
  EXPECT_EQ(classes.size(), 2u);
  name_outputs(classes, 4);
  EXPECT_THAT(classes, ElementsAre(ClassInfo{"a", "words"}, ClassInfo{"b", ""},
                                   ClassInfo{"class-2", ""}, ClassInfo{"class-3", ""}));
}

}  // namespace
}  // namespace convoy
