// Progress in a log (a plain line now and then) and on a terminal (one line, rewritten in place).
#include "io/run/progress.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace convoy {
namespace {

// Standard error is a pseudo-terminal of `columns` columns while this lives.
class Terminal {
 public:
  explicit Terminal(unsigned short columns) : master_(posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) return;
    const int slave = open(ptsname(master_), O_RDWR | O_NOCTTY);
    if (slave < 0) return;
    winsize size{};
    size.ws_col = columns;
    ioctl(slave, TIOCSWINSZ, &size);
    saved_ = dup(STDERR_FILENO);
    dup2(slave, STDERR_FILENO);
    close(slave);
  }
  ~Terminal() {
    restore();
    if (master_ >= 0) close(master_);
  }
  [[nodiscard]] bool valid() const { return saved_ >= 0; }

  // All that was printed; standard error is itself again.
  std::string finish() {
    fcntl(master_, F_SETFL, O_NONBLOCK);
    std::string text;
    char part[4096];
    for (ssize_t got = 0; (got = read(master_, part, sizeof part)) > 0;) {
      text.append(part, static_cast<std::size_t>(got));
    }
    restore();
    return text;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    saved_ = -1;
  }

  int master_;
  int saved_ = -1;
};

TEST(Progress, ALogGetsOneLineAtTheEndOfShortWork) {
  testing::internal::CaptureStderr();
  {
    Progress progress("pack", "images", 1000);
    for (int i = 1; i <= 1000; ++i) progress.update(i);
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.starts_with("pack: 1000 of 1000 images, ")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("left"), std::string::npos);
}

TEST(Progress, WorkThatStopsEarlySaysWhatIsLeft) {
  testing::internal::CaptureStderr();
  {
    Progress progress("pack", "images", 1000);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    progress.update(10, "shard 2");
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.starts_with("pack: 10 of 1000 images, ")) << text;
  EXPECT_NE(text.find(" s left, shard 2\n"), std::string::npos) << text;
}

TEST(Progress, AnUnknownTotalIsNotShown) {
  testing::internal::CaptureStderr();
  {
    Progress progress("read", "images", 0);
    progress.update(3);
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.starts_with("read: 3 images, ")) << text;
}

TEST(Progress, QuietPrintsNothing) {
  testing::internal::CaptureStderr();
  {
    Progress progress("pack", "images", 10, true);
    progress.update(10);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, ATerminalLineIsRewrittenAFewTimesASecond) {
  Terminal terminal(60);
  if (!terminal.valid()) GTEST_SKIP() << "this machine gives no pseudo-terminal";
  const auto begin = std::chrono::steady_clock::now();
  {
    Progress progress("train", "steps", 1'000'000);
    for (int i = 1; std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(700);
         ++i) {
      progress.update(i, std::string(200, 'x'));
    }
  }
  const std::string text = terminal.finish();
  const auto lines = std::count(text.begin(), text.end(), '\r');
  EXPECT_GE(lines, 2);
  EXPECT_LE(lines, 8);  // 700 ms at one each 200 ms, the last one, and the terminal's own "\r\n"
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_TRUE(text.ends_with("\r\n"));
  const auto end = text.find("\x1b[K");
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(end, 60u) << "a return and 59 columns: a full line would wrap";
}

}  // namespace
}  // namespace convoy
