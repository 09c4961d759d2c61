// Files are whole or absent.
#include "io/files/durable.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/files/temporary_folder.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

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
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(Durable, WritersOfOneFileDoNotMeet) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write_text(folder.path() / "file.partial", "somebody's own");
  AsideFile first(path);
  write_text(first.partial(), "first");
  {
    AsideFile second(path);
    EXPECT_EQ(second.partial().extension(), ".partial");
    write_text(second.partial(), "second");
    write_durably(path, "third");
  }
  first.commit();
  EXPECT_EQ(read_bytes(path), (Bytes{'f', 'i', 'r', 's', 't'}));
  EXPECT_TRUE(fs::exists(folder.path() / "file.partial"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 2);
}

TEST(Durable, RemovesWhatAKilledWriterLeftAndNothingElse) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  const pid_t killed = fork();
  if (killed == 0) {
    const AsideFile aside(path);
    write_text(aside.partial(), "half");
    _exit(0);  // as if killed: without destructors
  }
  ASSERT_EQ(waitpid(killed, nullptr, 0), killed);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
  write_text(folder.path() / "file.1234-5-6.partial", "of another host");
  const AsideFile alive(folder.path() / "file");
  write_text(alive.partial(), "of this process");
  write_durably(path, "whole");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::UnorderedElementsAre("file", "file.1234-5-6.partial",
                                                   alive.partial().filename().string()));
}

TEST(Durable, FollowsSymbolicLinks) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "far");
  write_text(folder.path() / "far/there", "old");
  fs::create_symlink("far/there", folder.path() / "one");
  fs::create_symlink(folder.path() / "one", folder.path() / "two");
  fs::create_symlink("far/new", folder.path() / "dangling");
  write_durably(folder.path() / "two", "new");
  write_durably(folder.path() / "dangling", "new");
  for (const char* link : {"one", "two", "dangling"})
    EXPECT_TRUE(fs::is_symlink(folder.path() / link)) << link;
  for (const char* file : {"far/there", "far/new"})
    EXPECT_EQ(read_bytes(folder.path() / file), (Bytes{'n', 'e', 'w'})) << file;
}

TEST(Durable, ReplacesRegularFilesOnly) {
  const TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  const fs::path link = folder.path() / "link";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink(pipe, link);
  fs::create_symlink("loop", folder.path() / "loop");
  for (const fs::path& path : {pipe, link})
    expect_error(ExitCode::usage, {"pipe", "name a file"}, [&] { write_durably(path, "x"); });
  expect_error(ExitCode::usage, {"folder; name a file"},
               [&] { write_durably(folder.path(), "x"); });
  expect_error(ExitCode::usage, {"loop cannot be written"},
               [&] { write_durably(folder.path() / "loop", "x"); });
  expect_error(ExitCode::usage, {"cannot be written"},
               [&] { write_durably(folder.path() / std::string(300, 'n'), "x"); });
  EXPECT_TRUE(fs::is_fifo(pipe));
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
