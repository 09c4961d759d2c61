// Files are whole or absent.
#include "io/files/durable.h"

#include <csignal>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"
#include "tests/io/temporary_folder.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

TEST(Durable, AppearsOnCommitOnly) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  {
    AsideFile aside(path);
    write_text(aside.partial(), "half");
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  {
    AsideFile aside(path);
    write_text(aside.partial(), "whole");
    aside.commit();
  }
  EXPECT_EQ(read_bytes(path), (Bytes{'w', 'h', 'o', 'l', 'e'}));
  EXPECT_FALSE(fs::exists(folder.path() / "file.partial"));
}

TEST(Durable, RemovesWhatACrashLeft) {
  const TemporaryFolder folder;
  write_text(folder.path() / "a.partial", "x");
  write_text(folder.path() / "b", "x");
  remove_partials(folder.path(), "");
  EXPECT_FALSE(fs::exists(folder.path() / "a.partial"));
  EXPECT_TRUE(fs::exists(folder.path() / "b"));
}

TEST(Durable, NamesTheFileThatDoesNotFit) {
  const TemporaryFolder folder;
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  expect_error(ExitCode::resource, {"file", "too large"}, [&] {
    try {
      write_durably(folder.path() / "file", std::string(100'000, 'x'));
    } catch (const Error& error) {
      std::string lower = error.what();
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      throw Error(error.code(), lower);
    }
  });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Durable, SaysWhyAFolderCannotBeMade) {
  const TemporaryFolder folder;
  write_text(folder.path() / "file", "x");
  expect_error(ExitCode::resource, {"file"}, [&] { create_folders(folder.path() / "file"); });
  expect_error(ExitCode::resource, {"file/below"},
               [&] { create_folders(folder.path() / "file/below"); });
}

}  // namespace
}  // namespace convoy
