// Files that are either whole or absent: written aside, synced to disk, then renamed.
#pragma once

#include <filesystem>
#include <string>

namespace convoy {

// Write to partial(), close it, then commit(). Without a commit the destructor removes what was
// written, so that a crash leaves at most a file PATH.MARK.partial and never half a file under
// `path`. The mark is this object's alone: writers of one file do not meet before the last of them
// replaces what the others wrote. What a process of this host that is gone left of the same file
// is removed. A symbolic link stays, and its target is replaced.
class AsideFile {
 public:
  // Throws Error(usage) as require_replaceable() does.
  explicit AsideFile(const std::filesystem::path& path);
  ~AsideFile();
  AsideFile(const AsideFile&) = delete;
  AsideFile& operator=(const AsideFile&) = delete;

  // In the end, links followed, and until then.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const std::filesystem::path& partial() const { return partial_; }
  // Syncs the file, renames it and syncs its folder. Throws Error(resource).
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;
  bool committed_ = false;
};

// Throws Error(usage) where `path` is there and no regular file (a folder, a device, a pipe), or
// where the system cannot say what it is.
void require_replaceable(const std::filesystem::path& path);

// The whole of `text` as `path`, replacing what was there. Throws Error(resource).
void write_durably(const std::filesystem::path& path, const std::string& text);

// Creates `folder` and its parents. Throws Error(resource) with the system's reason.
void create_folders(const std::filesystem::path& folder);

// Removes the files PREFIX*.partial that an interrupted writer left in `folder`.
void remove_partials(const std::filesystem::path& folder, const std::string& prefix);

}  // namespace convoy
