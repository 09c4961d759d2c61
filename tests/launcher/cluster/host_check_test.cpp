// The questions run in a real shell, and what the answers come to.
#include "launcher/cluster/host_check.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "launcher/cluster/process.h"
#include "launcher/cluster/reach.h"
#include "tests/launcher/refusal.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / fmt::format("convoy hosts' check {}", ::getpid())) {
    fs::create_directories(path_ / "data");
    std::ofstream(path_ / "data/index.h5") << "index";
    std::ofstream(path_ / "program") << "program";
    fs::permissions(path_ / "program", fs::perms::owner_all);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

HostAnswers answers_to(const HostQuestions& questions) {
  return ask_hosts({{"localhost", 1}}, "ssh", questions).front();
}

TEST(HostCheck, IsAnsweredByAShell) {
  const Folder folder;
  HostQuestions questions;
  questions.folder = folder.path();
  questions.program = folder.path() / "program";
  questions.daemon = "sh";
  questions.inputs = {"data", "missing", "."};
  const HostAnswers answers = answers_to(questions);
  EXPECT_TRUE(answers.folder);
  EXPECT_TRUE(answers.daemon);
  EXPECT_EQ(answers.program, digest_of((folder.path() / "program").string()));
  EXPECT_EQ(answers.program.size(), 64U);
  EXPECT_EQ(answers.inputs, (std::vector<std::string>{
                                digest_of((folder.path() / "data/index.h5").string()), "", "-"}));
  EXPECT_GE(answers.cores, 1);
}

TEST(HostCheck, NoticesWhatIsMissing) {
  const Folder folder;
  HostQuestions questions;
  questions.folder = folder.path() / "none";
  questions.program = folder.path() / "data";
  questions.daemon = "no-such-daemon";
  const HostAnswers answers = answers_to(questions);
  EXPECT_FALSE(answers.folder);
  EXPECT_FALSE(answers.daemon);
  EXPECT_EQ(answers.program, "");
}

TEST(HostCheck, IsNotBelievedUnlessComplete) {
  HostAnswers answers;
  EXPECT_FALSE(parse_host_check("folder yes\n", 0, answers));
  EXPECT_TRUE(parse_host_check("Welcome!\ncores 16 2\ninput 7 x\nconvoy-end\n", 1, answers));
  EXPECT_EQ(answers.cores, 8);
  EXPECT_EQ(answers.inputs, std::vector<std::string>{""});
}

TEST(HostCheck, NamesAHostThatIsNotReached) {
  EXPECT_THAT(refusal(
                  [] {
                    (void)ask_hosts({{"c9", 1}}, "false", {});
                  },
                  ExitCode::rank_failed),
              HasSubstr("c9 cannot be reached with false: it ends without an answer"));
  EXPECT_THAT(refusal([] {
                (void)ask_hosts({{"c9", 1}}, "no-such-agent", {});
              }),
              HasSubstr("there is no program no-such-agent here to reach hosts with"));
}

class Comparison : public testing::Test {
 protected:
  Comparison() {
    questions_.folder = "/runs";
    questions_.program = "/opt/convoy";
    questions_.inputs = {"train.convoy"};
    for (const char* name : {"c1", "c2"}) {
      HostAnswers host;
      host.name = name;
      host.folder = host.daemon = true;
      host.program = "abc";
      host.inputs = {"def"};
      hosts_.push_back(host);
    }
  }
  std::string refused() {
    return refusal([this] { compare_hosts(questions_, hosts_, "abc"); });
  }
  HostQuestions questions_;
  std::vector<HostAnswers> hosts_;
};

TEST_F(Comparison, IsContentWithEqualHosts) {
  EXPECT_NO_THROW(compare_hosts(questions_, hosts_, "abc"));
}

TEST_F(Comparison, RefusesAnotherBuild) {
  hosts_[1].program = "abd";
  EXPECT_EQ(refused(), "/opt/convoy on c2 is another build than the one here; copy this one there");
}

TEST_F(Comparison, RefusesMissingThings) {
  hosts_[1].inputs[0] = "";
  EXPECT_EQ(refused(), "c2 has no train.convoy; every host must see the same files");
  hosts_[1].program = "";
  EXPECT_THAT(refused(), HasSubstr("c2 has no program /opt/convoy"));
  hosts_[1].folder = false;
  EXPECT_THAT(refused(), HasSubstr("c2 has no folder /runs"));
  hosts_[1].daemon = false;
  EXPECT_THAT(refused(), HasSubstr("c2 has no orted"));
}

TEST_F(Comparison, RefusesOtherData) {
  hosts_[1].inputs[0] = "dee";
  EXPECT_EQ(refused(),
            "train.convoy on c2 is not what it is on c1; every host must see the same "
            "data");
}

}  // namespace
}  // namespace convoy
