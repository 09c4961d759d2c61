// Files that are either whole or absent: written aside, synced to disk, then renamed.
#pragma once

#include <filesystem>
#include <string>

namespace convoy {

// Write to partial(), close it, then commit(). Without a commit the destructor removes what was
// written, so that a crash leaves at most a `.partial` file and never half a file under `path`.
class AsideFile {
 public:
  explicit AsideFile(std::filesystem::path path);
  ~AsideFile();
  AsideFile(const AsideFile&) = delete;
  AsideFile& operator=(const AsideFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }        // in the end
  [[nodiscard]] const std::filesystem::path& partial() const { return partial_; }  // until then
  // Syncs the file, renames it and syncs its folder. Throws Error(resource).
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;
  bool committed_ = false;
};

// The whole of `text` as `path`, replacing what was there. Throws Error(resource).
void write_durably(const std::filesystem::path& path, const std::string& text);

// Creates `folder` and its parents. Throws Error(resource) with the system's reason.
void create_folders(const std::filesystem::path& folder);

// Removes the files PREFIX*.partial that an interrupted writer left in `folder`.
void remove_partials(const std::filesystem::path& folder, const std::string& prefix);

}  // namespace convoy
